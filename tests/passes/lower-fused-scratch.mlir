// softmax: exp is computed once and kept in scratch for the division; the mask of positions is cheap and is not.
// RUN: %heddle-opt %s --decompose-norms --fuse-elementwise --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[T=5, S=24], f32>
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<5x24xf32>, %[[Y:.*]]: memref<5x24xf32>, %{{.*}}: index, %{{.*}}: index, %[[K:.*]]: memref<24xf32>)
// CHECK: vector.reduction <maxnumf>
// CHECK: math.exp
// CHECK: vector.store %{{.*}}, %[[K]]
// CHECK: vector.reduction <add>
// CHECK-NOT: math.exp
// CHECK: %[[E:.*]] = vector.load %[[K]]
// CHECK: arith.divf %[[E]]
func.func @softmax(%x: !x) -> !x {
  %s = heddle.softmax %x over "S" : (!x) -> !x
  return %s : !x
}
