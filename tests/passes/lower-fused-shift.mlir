// An index that grows by one from lane to lane reads a vector; one that falls is gathered.
// RUN: %heddle-opt %s --fuse-elementwise --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[U=60], f32>
!i = !heddle.tensor<[T=7, K=40], i32>
!y = !heddle.tensor<[T=7, K=40], f32>
// CHECK-LABEL: func.func @shift
// CHECK: scf.for %[[T:.*]] = %c0 to %c7
// CHECK: scf.for %[[K:.*]] = %c0 to %c40 step %c8
// CHECK: %[[D:.*]] = arith.subi %[[K]], %[[T]]
// CHECK: %[[U:.*]] = arith.addi %[[D]], %c6
// CHECK: vector.load %{{.*}}[%[[U]]] : memref<60xf32>, vector<[4]xf32>
// CHECK-NOT: vector.gather
func.func @shift(%x: !x) -> !y {
  %k = heddle.position : <[K=40], i32>
  %t = heddle.position : <[T=7], i32>
  %d = heddle.sub %k, %t : (!heddle.tensor<[K=40], i32>, !heddle.tensor<[T=7], i32>) -> !i
  %o = heddle.constant 6 : !heddle.tensor<[], i32>
  %i = heddle.add %d, %o : (!i, !heddle.tensor<[], i32>) -> !i
  %y = heddle.gather %x["U" = %i] : (!x, !i) -> !y
  return %y : !y
}
// CHECK-LABEL: func.func @fall
// CHECK: vector.gather
func.func @fall(%x: !x) -> !y {
  %k = heddle.position : <[K=40], i32>
  %t = heddle.position : <[T=7], i32>
  %d = heddle.sub %t, %k : (!heddle.tensor<[T=7], i32>, !heddle.tensor<[K=40], i32>) -> !i
  %o = heddle.constant 39 : !heddle.tensor<[], i32>
  %i = heddle.add %d, %o : (!i, !heddle.tensor<[], i32>) -> !i
  %y = heddle.gather %x["U" = %i] : (!x, !i) -> !y
  return %y : !y
}
