// warmup(100) then cosine(3e-4, 3e-5) over 2000 steps, as ops on the step.
// RUN: %heddle-opt --apply-optimizer --cse %s | FileCheck %s

!w = !heddle.tensor<[D=3, E=4], f32>
!b = !heddle.tensor<[E=4], f32>
!s = !heddle.tensor<[], f32>

// CHECK: func.func @train(%[[STEP:.*]]: {{.*}} {heddle.name = "$step"},
// CHECK: %[[W:.*]] = heddle.constant 100 :
// CHECK: %[[LEFT:.*]] = heddle.sub %[[STEP]], %[[W]]
// CHECK: heddle.constant 1.9{{0*}}e+03
// CHECK: heddle.min
// CHECK: heddle.cos
// CHECK: %[[COSINE:.*]] = heddle.add
// CHECK: %[[RISING:.*]] = heddle.compare "le" %[[STEP]], %[[W]]
// CHECK: heddle.select %[[RISING]], %{{.*}}, %{{.*}}
module attributes {heddle.optimizer = {kind = "sgd", lr = [{kind = "warmup", steps = 100 : i64}, {kind = "cosine", from = 3.0e-4, to = 3.0e-5}], steps = 2000 : i64}} {
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @b "parameter" "constant"(0.0, 0.0) stream 2 : !b
func.func @train(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}, %l: !s, %gw: !w, %gb: !b)
    -> (!s {heddle.name = "loss.lm"}, !w {heddle.name = "grad.w"}, !b {heddle.name = "grad.b"}) {
  return %l, %gw, %gb : !s, !w, !b
}
}
