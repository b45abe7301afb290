// A product that adds to what lies where its result does: each block of k is summed from zero and added to it.
// RUN: %heddle-opt %s --lower-to-kernels=target=avx512 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[T=2048, D=512], f32>
!g = !heddle.tensor<[T=2048, F=480], f32>
!w = !heddle.tensor<[D=512, F=480], f32>
// CHECK: func.func @{{.*}}(%{{.*}}: memref<1048576xf32>, %{{.*}}: memref<983040xf32>, %[[ONTO:[^:]*]]: memref<245760xf32>, %[[W:[^:]*]]: memref<245760xf32>
// CHECK-NOT: %[[ONTO]]
// CHECK: scf.for {{.*}} to %c2048 step %c512
// CHECK: %[[SUMS:.*]]:24 = scf.for {{.*}} iter_args(%{{[^ ]*}} = %[[ZERO:[^,]*]], %{{[^ ]*}} = %[[ZERO]],
// CHECK: %[[BEFORE:.*]] = vector.load %[[W]]
// CHECK: %[[SUM:.*]] = arith.addf %[[SUMS]]#0, %[[BEFORE]]
// CHECK: vector.store %[[SUM]], %[[W]]
// CHECK-NOT: %[[ONTO]]
// CHECK: return
func.func @gradients(%x: !x {heddle.offset = 0 : i64}, %g: !g {heddle.offset = 4194304 : i64}, %w: !w {heddle.offset = 8126464 : i64}) -> (!w {heddle.offset = 8126464 : i64}) attributes {heddle.workspace = 9109504 : i64} {
  %y = heddle.contract %x, %g over ["T"] onto(%w) {heddle.args = [#heddle.arg<"workspace", 0>, #heddle.arg<"workspace", 4194304>, #heddle.arg<"workspace", 8126464>, #heddle.arg<"workspace", 8126464>]} : (!x, !g, !w) -> !w
  return %y : !w
}
