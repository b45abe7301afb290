// RUN: %heddle-opt %s --normalize-contracts | FileCheck %s

!a = !heddle.tensor<[B=2, T=4, K=8], f32>
!s = !heddle.tensor<[B=2, T=4], f32>
!h = !heddle.tensor<[H=3, B=2, K=8], f32>
!r = !heddle.tensor<[T=4, H=3, B=2], f32>

// Neither operand has a dim of its own: an elementwise product, summed.
// CHECK-LABEL: @no_own_dims
// CHECK: %[[P:.*]] = heddle.mul
// CHECK: heddle.reduce "sum" %[[P]] over ["K"]
func.func @no_own_dims(%a: !a, %b: !a) -> !s {
  %0 = heddle.contract %a, %b over ["K"] : (!a, !a) -> !s
  return %0 : !s
}

// The last dim is a batch dim: it moves to the front, and a broadcast puts it back.
// CHECK-LABEL: @batch_last
// CHECK: %[[P:.*]] = heddle.contract {{.*}} -> !heddle.tensor<[B=2, T=4, H=3], f32>
// CHECK: heddle.broadcast %[[P]] : {{.*}} -> !heddle.tensor<[T=4, H=3, B=2], f32>
func.func @batch_last(%a: !a, %b: !h) -> !r {
  %0 = heddle.contract %a, %b over ["K"] : (!a, !h) -> !r
  return %0 : !r
}
