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

// Behind the last dim that is longer than 1, dims of size 1 decide nothing: here it is a batch dim, below it is not.
!o = !heddle.tensor<[B=2, T=4, K=8, O=1], f32>
!ro = !heddle.tensor<[T=4, H=3, B=2, O=1], f32>
!ho = !heddle.tensor<[H=3, B=2, K=8, O=1], f32>
!rb = !heddle.tensor<[B=2, T=4, H=3, O=1], f32>
// CHECK-LABEL: @batch_last_but_one
// CHECK: heddle.contract {{.*}} -> !heddle.tensor<[B=2, T=4, H=3, O=1], f32>
// CHECK: heddle.broadcast
// CHECK-LABEL: @batch_of_one_last
// CHECK: %[[P:.*]] = heddle.contract
// CHECK-NEXT: return %[[P]]
func.func @batch_last_but_one(%a: !o, %b: !h) -> !ro {
  %0 = heddle.contract %a, %b over ["K"] : (!o, !h) -> !ro
  return %0 : !ro
}
func.func @batch_of_one_last(%a: !o, %b: !ho) -> !rb {
  %0 = heddle.contract %a, %b over ["K"] : (!o, !ho) -> !rb
  return %0 : !rb
}
