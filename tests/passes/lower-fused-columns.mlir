// A column reduction keeps its accumulators in lanes: four vectors side by side, no step across lanes.
// RUN: %heddle-opt %s --fuse-elementwise --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[B=3, T=5, D=64], f32>
!d = !heddle.tensor<[D=64], f32>
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<15x64xf32>, %[[Y:.*]]: memref<64xf32>
// CHECK: scf.for %[[C:.*]] = %c0 to %c64 step %c32
// CHECK: scf.for %[[R:.*]] = %c0 to %c15 step %c1 iter_args(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) ->
// CHECK: vector.load %[[X]][%[[R]], %[[C]]]
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @bias(%g: !x) -> !d {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!x) -> !d
  return %s : !d
}
