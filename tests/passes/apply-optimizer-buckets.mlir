// The entries of length buckets update the same variables: the optimizer's state stands once.
// RUN: %heddle-opt --apply-optimizer %s | FileCheck %s

!w = !heddle.tensor<[D=3], f32>
!r = !heddle.tensor<[rest=1], f32>
!s = !heddle.tensor<[], f32>
!i = !heddle.tensor<[], i32>

// CHECK: heddle.variable @heavy.buffer.w "optimizer"
// CHECK-NOT: heddle.variable @heavy
// CHECK: func.func @train(
// CHECK: heddle.write %{{.*}}, @w
// CHECK: heddle.write %{{.*}}, @heavy.buffer.w
// CHECK: func.func @train.T8(
// CHECK: heddle.write %{{.*}}, @w
// CHECK: heddle.write %{{.*}}, @heavy.buffer.w
// CHECK: func.func @eval(
// CHECK-NOT: heddle.write
module attributes {heddle.optimizer = {name = "heavy", lr = @rate, rules = [{rule = @rule, parameters = [@w]}]}} {
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
func.func @train(%step: !i {heddle.name = "$step"}, %g: !w) -> (!w {heddle.name = "grad.w"}) {
  return %g : !w
}
func.func @train.T8(%step: !i {heddle.name = "$step"}, %g: !w) -> (!w {heddle.name = "grad.w"}) {
  return %g : !w
}
func.func @eval() -> (!w {heddle.name = "loss.w"}) {
  %w = heddle.read @w : !w
  return %w : !w
}
func.func private @rate(%step: !i {heddle.name = "$step"}) -> (!s {heddle.name = "lr"}) {
  %r = heddle.constant 1.0e-3 : !s
  return %r : !s
}
func.func private @rule(%p: !r {heddle.name = "parameter"}, %g: !r {heddle.name = "gradient"},
    %b: !r {heddle.name = "state.buffer", heddle.init = 0.5 : f64}) -> (!r {heddle.name = "parameter"}, !r {heddle.name = "state.buffer"}) {
  %n = heddle.add %b, %g : (!r, !r) -> !r
  %q = heddle.sub %p, %n : (!r, !r) -> !r
  return %q, %n : !r, !r
}
}
