// A product with what is done to its sums: they are stored, and met again row by row where the first result lies.
// RUN: %heddle-opt %s --plan-memory --lower-to-kernels=target=avx512 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[B=64, D=512], f32>
!w = !heddle.tensor<[D=512, F=500], f32>
!y = !heddle.tensor<[B=64, F=500], f32>
!b = !heddle.tensor<[F=500], f32>
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<32768xf32>, %[[W:.*]]: memref<256000xf32>, %[[B:[^:]*]]: memref<500xf32>, %[[G:[^:]*]]: memref<64xf32>, %[[Y:.*]]: memref<32000xf32>, %[[H:[^:]*]]: memref<32000xf32>,
// CHECK: %[[SUMS:.*]]:24 = scf.for
// CHECK: %[[SUM:.*]] = arith.addf %[[SUMS]]#0,
// CHECK: vector.maskedstore %[[Y]][%{{.*}}], %{{.*}}, %[[SUM]]
// CHECK: scf.for
// CHECK: %[[AGAIN:.*]] = vector.maskedload %[[Y]]
// CHECK: %[[TANH:.*]] = math.tanh %[[AGAIN]]
// CHECK: %[[GATE:.*]] = memref.load %[[G]]
// CHECK: %[[WIDE:.*]] = vector.broadcast %[[GATE]]
// CHECK: %[[RESULT:.*]] = arith.mulf %[[TANH]], %[[WIDE]]
// CHECK-NOT: vector.maskedstore %[[Y]][%{{.*}}], %{{.*}}, %[[AGAIN]]
// CHECK: vector.maskedstore %[[H]][%{{.*}}], %{{.*}}, %[[RESULT]]
func.func @gated(%x: !x, %w: !w, %b: !b, %g: !heddle.tensor<[B=64], f32>) -> (!y, !y) {
  %y:2 = heddle.fused(%x, %w, %b, %g) : (!x, !w, !b, !heddle.tensor<[B=64], f32>) -> (!y, !y) {
  ^bb0(%x0: !x, %w0: !w, %b0: !b, %g0: !heddle.tensor<[B=64], f32>):
    %p = heddle.contract %x0, %w0 over ["D"] onto(%b0) : (!x, !w, !b) -> !y
    %t = heddle.tanh %p : (!y) -> !y
    %h = heddle.mul %t, %g0 : (!y, !heddle.tensor<[B=64], f32>) -> !y
    heddle.yield %p, %h : !y, !y
  }
  return %y#0, %y#1 : !y, !y
}
