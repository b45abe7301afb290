// where(pos(S) == i, x, old) written over `old` visits one position of S, if the axis has it.
// Where the result lies elsewhere, all of it is written.
// RUN: %heddle-opt --fuse-elementwise --plan-memory --lower-to-kernels='target=avx512' %s | FileCheck %s

!c = !heddle.tensor<[B=2, S=40, D=16], f32>
!x = !heddle.tensor<[B=2, D=16], f32>
!i = !heddle.tensor<[], i32>
!s = !heddle.tensor<[S=40], i32>
!b = !heddle.tensor<[S=40], i1>
heddle.variable @c "cache" "constant"(0.0, 0.0) stream 0 : !c

// CHECK-LABEL: func.func @replace_value
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[SIZE:.*]] = arith.constant 40 : index
// CHECK: %[[AT:.*]] = arith.index_cast
// CHECK: %[[LOW:.*]] = arith.maxsi %[[AT]], %[[ZERO]]
// CHECK: %[[FROM:.*]] = arith.minsi %[[LOW]], %[[SIZE]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[AT]], %[[ONE]]
// CHECK: %[[TO:.*]] = arith.minsi %[[NEXT]], %[[SIZE]]
// CHECK: scf.for %[[S:.*]] = %[[FROM]] to %[[TO]]
// CHECK: vector.store %{{.*}}, %{{.*}}[%{{.*}}, %[[S]], %{{.*}}]
// CHECK-LABEL: func.func @copy_value
// CHECK-DAG: %[[SIZE:.*]] = arith.constant 40 : index
// CHECK: scf.for %{{.*}} to %[[SIZE]]
func.func @replace(%x: !x {heddle.name = "x"}, %i: !i {heddle.name = "i"}) {
  %c = heddle.read @c : !c
  %p = heddle.position : <[S=40], i32>
  %h = heddle.compare "eq" %p, %i : (!s, !i) -> !b
  %n = heddle.select %h, %x, %c : (!b, !x, !c) -> !c
  heddle.write %n, @c : !c
  return
}
func.func @copy(%x: !x {heddle.name = "x"}, %i: !i {heddle.name = "i"}) -> (!c {heddle.name = "out"}) {
  %c = heddle.read @c : !c
  %p = heddle.position : <[S=40], i32>
  %h = heddle.compare "eq" %p, %i : (!s, !i) -> !b
  %n = heddle.select %h, %x, %c : (!b, !x, !c) -> !c
  return %n : !c
}
