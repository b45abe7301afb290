// The rule of a parameter is written on its whole tensor: clipped gradient, state as variables, scalars once for each.
// RUN: %heddle-opt --apply-optimizer %s | FileCheck %s

!w = !heddle.tensor<[D=3, E=4], f32>
!b = !heddle.tensor<[L=2, E=4], f32>
!r = !heddle.tensor<[rest=1], f32>
!s = !heddle.tensor<[], f32>
!i = !heddle.tensor<[], i32>

// CHECK-NOT: heddle.optimizer
// CHECK-DAG: heddle.variable @heavy.buffer.w "optimizer" "constant"(5.0{{.*}}e-01, 0.0{{.*}}) stream 0 : !heddle.tensor<[D=3, E=4], f32>
// CHECK-DAG: heddle.variable @"heavy.buffer.h.{}.b" "optimizer" {{.*}} {repeats = 1 : i64} : !heddle.tensor<[L=2, E=4], f32>
// CHECK: func.func @train(%[[STEP:.*]]: {{.*}} {heddle.name = "$step"}, %[[L:.*]]: {{.*}}, %[[GW:.*]]: {{.*}}, %[[GB:.*]]: {{.*}}) -> ({{.*}} {heddle.name = "loss.lm"}, {{.*}} {heddle.name = "lr"}, {{.*}} {heddle.name = "grad_norm"}) {
// CHECK: %[[LR:.*]] = heddle.constant 1.0{{.*}}e-03 :
// CHECK: %[[SW:.*]] = heddle.mul %[[GW]], %[[GW]]
// CHECK: %[[ROWS:.*]] = heddle.reduce "sum" %[[SW]] over ["E"]
// CHECK: %[[NW:.*]] = heddle.reduce "sum" %[[ROWS]] over ["D"]
// CHECK: %[[NB:.*]] = heddle.reduce "sum" %{{.*}} over ["L", "E"]
// CHECK: %[[N:.*]] = heddle.add %[[NW]], %[[NB]]
// CHECK: %[[NORM:.*]] = heddle.sqrt %[[N]]
// CHECK: %[[SCALE:.*]] = heddle.min %{{.*}}, %{{.*}}
// CHECK: %[[P:.*]] = heddle.read @w
// CHECK: %[[G:.*]] = heddle.mul %[[GW]], %[[SCALE]]
// CHECK: %[[OLD:.*]] = heddle.read @heavy.buffer.w
// CHECK: %[[T:.*]] = heddle.cast %[[STEP]] : {{.*}} -> !heddle.tensor<[], f32>
// CHECK: %[[KEPT:.*]] = heddle.div %[[OLD]], %[[T]] : {{.*}} -> !heddle.tensor<[D=3, E=4], f32>
// CHECK: %[[NEW:.*]] = heddle.add %[[KEPT]], %[[G]]
// CHECK: %[[NEXT:.*]] = heddle.sub %[[P]], %[[NEW]]
// CHECK-DAG: heddle.write %[[NEXT]], @w
// CHECK-DAG: heddle.write %[[NEW]], @heavy.buffer.w
// CHECK: heddle.write %{{.*}}, @"h.{}.b"
// CHECK: return %[[L]], %[[LR]], %[[NORM]]
// CHECK-NOT: func.func
module attributes {heddle.optimizer = {name = "heavy", clip = 1.0 : f64, lr = @rate, rules = [{rule = @rule, parameters = [@w, @"h.{}.b"]}]}} {
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @"h.{}.b" "parameter" "constant"(0.0, 0.0) stream 2 {repeats = 1 : i64} : !b
func.func @train(%step: !i {heddle.name = "$step"}, %l: !s, %gw: !w, %gb: !b)
    -> (!s {heddle.name = "loss.lm"}, !w {heddle.name = "grad.w"}, !b {heddle.name = "grad.h.{}.b"}) {
  return %l, %gw, %gb : !s, !w, !b
}
func.func private @rate(%step: !i {heddle.name = "$step"}) -> (!s {heddle.name = "lr"}) {
  %r = heddle.constant 1.0e-3 : !s
  return %r : !s
}
func.func private @rule(%p: !r {heddle.name = "parameter"}, %g: !r {heddle.name = "gradient"}, %step: !i {heddle.name = "$step"},
    %b: !r {heddle.name = "state.buffer", heddle.init = 0.5 : f64}) -> (!r {heddle.name = "parameter"}, !r {heddle.name = "state.buffer"}) {
  %t = heddle.cast %step : (!i) -> !s
  %k = heddle.div %b, %t : (!r, !s) -> !r
  %n = heddle.add %k, %g : (!r, !r) -> !r
  %q = heddle.sub %p, %n : (!r, !r) -> !r
  return %q, %n : !r, !r
}
}
