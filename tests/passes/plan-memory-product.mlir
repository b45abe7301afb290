// A product keeps its sums where its first result lies until they are whole: it is never written over what it reads.
// RUN: %heddle-opt %s --plan-memory | FileCheck %s

!x = !heddle.tensor<[T=8, D=4], f32>
!v = !heddle.tensor<[D=4, F=16], f32>
!w = !heddle.tensor<[T=8, F=16], f32>
heddle.variable @w "parameter" "constant"(1.0, 0.0) stream 0 : !w
// CHECK: %[[NEW:.*]] = heddle.fused(%arg0, %arg1, %{{.*}}) attributes {heddle.args = [{{.*}}, #heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>]}
// CHECK: heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEW]])
// CHECK: heddle.write %[[COPY]], @w
func.func @scale(%x: !x {heddle.name = "x"}, %v: !v {heddle.name = "v"}) {
  %w = heddle.read @w : <[T=8, F=16], f32>
  %new = heddle.fused(%x, %v, %w) : (!x, !v, !w) -> !w {
  ^bb0(%x0: !x, %v0: !v, %w0: !w):
    %p = heddle.contract %x0, %v0 over ["D"] : (!x, !v) -> !w
    %q = heddle.mul %p, %w0 : (!w, !w) -> !w
    heddle.yield %q : !w
  }
  heddle.write %new, @w : <[T=8, F=16], f32>
  return
}
