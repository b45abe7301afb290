// A column reduction never crosses lanes. With one pass its accumulators lie in scratch, so that rows are read as they
// lie in memory; with more, a row is four vectors side by side whose accumulators are registers.
// RUN: %heddle-opt %s --decompose-norms --fuse-elementwise --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[B=3, T=5, D=64], f32>
!d = !heddle.tensor<[D=64], f32>
// CHECK: func.func @[[BIAS:.*]](%[[X:.*]]: memref<15x64xf32>, %[[Y:.*]]: memref<64xf32>, %{{.*}}: index, %{{.*}}: index, %[[K:.*]]: memref<64xf32>)
// CHECK: scf.for %[[C:.*]] = %c0 to %c64 step %c8 {
// CHECK-NEXT: vector.store %{{.*}}, %[[K]][%[[C]]]
// CHECK: scf.for %[[R:.*]] = %c0 to %c15 step %c1 {
// CHECK-NEXT: scf.for %[[C:.*]] = %c0 to %c64 step %c8 {
// CHECK-NEXT: %[[A:.*]] = vector.load %[[K]][%[[C]]]
// CHECK-NEXT: %[[V:.*]] = vector.load %[[X]][%[[R]], %[[C]]]
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[V]]
// CHECK-NEXT: vector.store %[[S]], %[[K]][%[[C]]]
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @bias(%g: !x) -> !d {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!x) -> !d
  return %s : !d
}
// CHECK: func.func @{{.*}}(%{{.*}}: memref<15x64xf32>, %{{.*}}: memref<15x64xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c15 step %c1 iter_args(%{{[^,]*}}, %{{[^,]*}})
// CHECK: arith.cmpf ogt
// CHECK: math.exp
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @softmax(%x: !heddle.tensor<[T=15, D=64], f32>) -> !heddle.tensor<[T=15, D=64], f32> {
  %s = heddle.softmax %x over "T" : (!heddle.tensor<[T=15, D=64], f32>) -> !heddle.tensor<[T=15, D=64], f32>
  return %s : !heddle.tensor<[T=15, D=64], f32>
}
// Strips of columns are whole rows where rows are many enough to share, and evenly wide where they are not.
// CHECK: func.func @{{.*}}(%{{.*}}: memref<12x64x1536xf32>, %{{.*}}: memref<12x1536xf32>{{.*}}memref<1536xf32>)
func.func @rows(%g: !heddle.tensor<[B=12, T=64, D=1536], f32>) -> !heddle.tensor<[B=12, D=1536], f32> {
  %s = heddle.reduce "sum" %g over ["T"] : (!heddle.tensor<[B=12, T=64, D=1536], f32>) -> !heddle.tensor<[B=12, D=1536], f32>
  return %s : !heddle.tensor<[B=12, D=1536], f32>
}
// CHECK: func.func @{{.*}}(%{{.*}}: memref<2x512x1536xf32>, %{{.*}}: memref<2x1536xf32>{{.*}}memref<384xf32>)
func.func @strips(%g: !heddle.tensor<[B=2, T=512, D=1536], f32>) -> !heddle.tensor<[B=2, D=1536], f32> {
  %s = heddle.reduce "sum" %g over ["T"] : (!heddle.tensor<[B=2, T=512, D=1536], f32>) -> !heddle.tensor<[B=2, D=1536], f32>
  return %s : !heddle.tensor<[B=2, D=1536], f32>
}
