// A sum of a rule goes over one layer's parameter, and what follows from it has a value for each layer.
// RUN: %heddle-opt --apply-optimizer %s | FileCheck %s

!w = !heddle.tensor<[L=2, D=3, E=4], f32>
!r = !heddle.tensor<[rest=1], f32>
!s = !heddle.tensor<[], f32>
!i = !heddle.tensor<[], i32>

// CHECK: %[[P:.*]] = heddle.read @"h.{}.w"
// CHECK: %[[ROWS:.*]] = heddle.reduce "sum" %[[P]] over ["E"] : {{.*}} -> !heddle.tensor<[L=2, D=3], f32>
// CHECK: %[[SUM:.*]] = heddle.reduce "sum" %[[ROWS]] over ["D"] : {{.*}} -> !heddle.tensor<[L=2], f32>
// CHECK: %[[N:.*]] = heddle.sqrt %[[SUM]] : {{.*}} -> !heddle.tensor<[L=2], f32>
// CHECK: %[[Q:.*]] = heddle.div %[[P]], %[[N]] : {{.*}} -> !heddle.tensor<[L=2, D=3, E=4], f32>
// CHECK: heddle.write %[[Q]], @"h.{}.w"
module attributes {heddle.optimizer = {name = "norm", lr = @rate, rules = [{rule = @rule, parameters = [@"h.{}.w"]}]}} {
heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 0.02) stream 1 {repeats = 1 : i64} : !w
func.func @train(%gw: !w) -> (!w {heddle.name = "grad.h.{}.w"}) {
  return %gw : !w
}
func.func private @rate(%step: !i {heddle.name = "$step"}) -> (!s {heddle.name = "lr"}) {
  %r = heddle.constant 1.0 : !s
  return %r : !s
}
func.func private @rule(%p: !r {heddle.name = "parameter"}, %g: !r {heddle.name = "gradient"}) -> (!r {heddle.name = "parameter"}) {
  %t = heddle.reduce "sum" %p over ["rest"] : (!r) -> !s
  %n = heddle.sqrt %t : (!s) -> !s
  %q = heddle.div %p, %n : (!r, !s) -> !r
  return %q : !r
}
}
