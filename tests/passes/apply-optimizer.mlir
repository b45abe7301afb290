// AdamW as torch.optim has it: clip, decay first and of matrices only, bias corrections from the step; state as variables.
// RUN: %heddle-opt --apply-optimizer --cse %s | FileCheck %s

!w = !heddle.tensor<[D=3, E=4], f32>
!b = !heddle.tensor<[E=4], f32>
!s = !heddle.tensor<[], f32>

// CHECK-NOT: heddle.optimizer
// CHECK-DAG: heddle.variable @adamw.m.w "optimizer" "constant"(0.0{{.*}}) stream 0 : !heddle.tensor<[D=3, E=4], f32>
// CHECK-DAG: heddle.variable @adamw.v.b "optimizer"
// CHECK: func.func @train(%[[STEP:.*]]: {{.*}} {heddle.name = "$step"}, %[[L:.*]]: {{.*}}, %[[GW:.*]]: {{.*}}, %[[GB:.*]]: {{.*}}) -> ({{.*}} {heddle.name = "loss.lm"}, {{.*}} {heddle.name = "lr"}, {{.*}} {heddle.name = "grad_norm"}) {
// CHECK: %[[LR:.*]] = heddle.constant 1.0{{.*}}e-03 :
// CHECK: %[[SW:.*]] = heddle.mul %[[GW]], %[[GW]]
// CHECK: %[[ROWS:.*]] = heddle.reduce "sum" %[[SW]] over ["E"]
// CHECK: %[[NW:.*]] = heddle.reduce "sum" %[[ROWS]] over ["D"]
// CHECK: %[[NB:.*]] = heddle.reduce "sum" %{{.*}} over ["E"]
// CHECK: %[[N:.*]] = heddle.add %[[NW]], %[[NB]]
// CHECK: %[[NORM:.*]] = heddle.sqrt %[[N]]
// CHECK: %[[SCALE:.*]] = heddle.min %{{.*}}, %{{.*}}
// CHECK: heddle.constant -0.10536
// CHECK: heddle.expm1
// CHECK: heddle.constant -0.05129
// CHECK: %[[C2:.*]] = heddle.sqrt
// CHECK: %[[P:.*]] = heddle.read @w
// CHECK: %[[G:.*]] = heddle.mul %[[GW]], %[[SCALE]]
// CHECK: %[[RATE:.*]] = heddle.mul %[[LR]], %
// CHECK: %[[KEEP:.*]] = heddle.sub %{{.*}}, %[[RATE]]
// CHECK: %[[DECAYED:.*]] = heddle.mul %[[P]], %[[KEEP]]
// CHECK: %[[V:.*]] = heddle.sqrt %{{.*}} : (!heddle.tensor<[D=3, E=4], f32>)
// CHECK: %[[VC:.*]] = heddle.div %[[V]], %[[C2]]
// CHECK: heddle.add %[[VC]],
// CHECK: heddle.write %{{.*}}, @adamw.m.w
// CHECK: heddle.write %{{.*}}, @adamw.v.w
// CHECK: %[[NEW:.*]] = heddle.sub %[[DECAYED]], %
// CHECK: heddle.write %[[NEW]], @w
// The bias does not decay.
// CHECK: %[[B:.*]] = heddle.read @b
// CHECK: %[[NEWB:.*]] = heddle.sub %[[B]],
// CHECK: heddle.write %[[NEWB]], @b
// CHECK: return %[[L]], %[[LR]], %[[NORM]]
module attributes {heddle.optimizer = {kind = "adamw", lr = [{kind = "constant", from = 1.0e-3, to = 1.0e-3}], steps = 100 : i64, decay = 0.1, clip = 1.0, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8}} {
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @b "parameter" "constant"(0.0, 0.0) stream 2 : !b
func.func @train(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}, %l: !s, %gw: !w, %gb: !b)
    -> (!s {heddle.name = "loss.lm"}, !w {heddle.name = "grad.w"}, !b {heddle.name = "grad.b"}) {
  return %l, %gw, %gb : !s, !w, !b
}
}
