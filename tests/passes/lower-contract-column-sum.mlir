// The sum of what a product packs: the tile with the first rows takes it from the panel, a block of k at a time.
// RUN: %heddle-opt %s --plan-memory --lower-to-kernels=target=avx512 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[T=2048, D=512], f32>
!g = !heddle.tensor<[T=2048, F=480], f32>
!w = !heddle.tensor<[D=512, F=480], f32>
!b = !heddle.tensor<[F=480], f32>
// CHECK: func.func @{{.*}}(%{{.*}}: memref<1048576xf32>, %[[G:.*]]: memref<983040xf32>, %[[W:[^:]*]]: memref<245760xf32>, %[[B:[^:]*]]: memref<480xf32>, %{{.*}}: index, %{{.*}}: index, %[[SCRATCH:[^:]*]]: memref<{{[0-9]+}}xf32>
// CHECK: %[[BLOCK:.*]] = arith.remui %{{.*}}, %c6
// CHECK: %[[ISFIRST:.*]] = arith.cmpi eq, %[[BLOCK]], %c0
// CHECK: %[[START:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK: vector.store %{{.*}}, %[[SCRATCH]]
// CHECK: scf.if %[[ISFIRST]]
// CHECK: %[[SUMS:.*]]:3 = scf.for
// CHECK: vector.load %[[SCRATCH]]
// CHECK: scf.yield
// CHECK: arith.select %[[START]], %c0
// CHECK: %[[BEFORE:.*]] = vector.maskedload %[[B]]
// CHECK: %[[SUM:.*]] = arith.addf %[[BEFORE]], %[[SUMS]]#0
// CHECK: vector.store %[[SUM]], %[[B]]
// CHECK-NOT: vector.load %[[B]]
func.func @gradients(%x: !x, %g: !g) -> (!w, !b) {
  %y:2 = heddle.fused(%x, %g) : (!x, !g) -> (!w, !b) {
  ^bb0(%x0: !x, %g0: !g):
    %p = heddle.contract %x0, %g0 over ["T"] : (!x, !g) -> !w
    %s = heddle.reduce "sum" %g0 over ["T"] : (!g) -> !b
    heddle.yield %p, %s : !w, !b
  }
  return %y#0, %y#1 : !w, !b
}
