// Nesterov momentum: buffer = mu * buffer + g, then g + mu * buffer; decay is added to the gradient.
// RUN: %heddle-opt --apply-optimizer --cse %s | FileCheck %s

!w = !heddle.tensor<[D=3, E=4], f32>
!b = !heddle.tensor<[E=4], f32>
!s = !heddle.tensor<[], f32>

// CHECK: heddle.variable @momentum.buffer.w "optimizer"
// CHECK: func.func @train(%{{.*}}, %{{.*}}, %[[GW:.*]]: {{.*}}, %[[GB:.*]]: {{.*}})
// CHECK-NOT: heddle.min
// CHECK: %[[P:.*]] = heddle.read @w
// CHECK: %[[D:.*]] = heddle.mul %[[P]], %
// CHECK: %[[G:.*]] = heddle.add %[[GW]], %[[D]]
// CHECK: %[[OLD:.*]] = heddle.read @momentum.buffer.w
// CHECK: %[[KEPT:.*]] = heddle.mul %[[OLD]], %[[MU:.*]] :
// CHECK: %[[NEW:.*]] = heddle.add %[[KEPT]], %[[G]]
// CHECK: heddle.write %[[NEW]], @momentum.buffer.w
// CHECK: %[[AHEAD:.*]] = heddle.mul %[[NEW]], %[[MU]]
// CHECK: heddle.add %[[G]], %[[AHEAD]]
module attributes {heddle.optimizer = {kind = "momentum", momentum = 0.9, nesterov = true, lr = [{kind = "constant", from = 0.1, to = 0.1}], steps = 100 : i64, decay = 0.01, clip = 0.0}} {
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @b "parameter" "constant"(0.0, 0.0) stream 2 : !b
func.func @train(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}, %l: !s, %gw: !w, %gb: !b)
    -> (!s {heddle.name = "loss.lm"}, !w {heddle.name = "grad.w"}, !b {heddle.name = "grad.b"}) {
  return %l, %gw, %gb : !s, !w, !b
}
}
