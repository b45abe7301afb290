// A value may be called what the second of another name is called.
// RUN: heddle-opt --fuse-elementwise --plan-memory --lower-to-kernels %s | FileCheck %s
!v = !heddle.tensor<[A=8], f32>
!m = !heddle.tensor<[B=3, A=8], f32>
!n = !heddle.tensor<[B=5, A=8], f32>
func.func @run(%x: !v {heddle.name = "x"}, %y: !m {heddle.name = "y"}, %z: !n {heddle.name = "z"})
    -> (!v {heddle.name = "a"}, !m {heddle.name = "b"}, !n {heddle.name = "c"}) {
  %0 = heddle.exp %x : (!v) -> !v loc("q")
  %1 = heddle.exp %y : (!m) -> !m loc("q")
  %2 = heddle.exp %z : (!n) -> !n loc("q_2")
  return %0, %1, %2 : !v, !m, !n
}
// CHECK-DAG: func.func @run_q(
// CHECK-DAG: func.func @run_q_2(
// CHECK-DAG: func.func @run_q_2_2(
