// A row reduction whose rows are long: four accumulators, then the vectors that remain, then a masked one, and the tree.
// The row's own value is computed once, before the second pass; B and T are one loop.
// RUN: %heddle-opt %s --fuse-elementwise --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[B=3, T=5, D=77], f32>
!r = !heddle.tensor<[B=3, T=5], f32>
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<15x77xf32>, %[[Y:.*]]: memref<15x77xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: memref<1xf32>)
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c15
// CHECK: %[[A:.*]]:4 = scf.for %{{.*}} = %c0 to %c64 step %c32 iter_args
// CHECK: %[[B:.*]] = arith.addf %[[A]]#0, %{{.*}}
// CHECK: vector.maskedload
// CHECK: arith.select
// CHECK: %[[S:.*]] = vector.reduction <add>, %{{.*}} : vector<[4]xf32> into f32
// CHECK: %[[M:.*]] = vector.broadcast %[[S]]
// CHECK: scf.for %[[I:.*]] = %c0 to %c72 step %c8 {
// CHECK-NEXT: %[[V:.*]] = vector.load %[[X]][%[[ROW]], %[[I]]]
// CHECK-NEXT: arith.subf %[[V]], %[[M]]
// CHECK-NEXT: vector.store %{{.*}}, %[[Y]][%[[ROW]], %[[I]]]
// CHECK: vector.maskedstore
func.func @center(%x: !x) -> !x {
  %s = heddle.reduce "sum" %x over ["D"] : (!x) -> !r
  %y = heddle.sub %x, %s : (!x, !r) -> !x
  return %y : !x
}
