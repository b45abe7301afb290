// The gradient of every trained parameter becomes a result; what reaches none is not computed.
// RUN: %heddle-opt --derive-backward %s | FileCheck %s

!x = !heddle.tensor<[B=2, D=3], f32>
!y = !heddle.tensor<[B=2, E=4], f32>
!w = !heddle.tensor<[D=3, E=4], f32>
!b = !heddle.tensor<[E=4], f32>
!s = !heddle.tensor<[], f32>
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @b "parameter" "constant"(0.0, 0.0) stream 2 : !b
heddle.variable @ice "parameter" "constant"(0.0, 0.0) stream 3 {frozen} : !b
heddle.variable @unused "parameter" "constant"(0.0, 0.0) stream 4 : !b

// CHECK: func.func @train(%[[X:.*]]: {{.*}}) -> ({{.*}} {heddle.name = "loss.lm"}, !heddle.tensor<[D=3, E=4], f32> {heddle.name = "grad.w"}, !heddle.tensor<[E=4], f32> {heddle.name = "grad.b"}) {
// CHECK: %[[ONE:.*]] = heddle.constant 1.0
// CHECK: %[[G:.*]] = heddle.broadcast %[[ONE]]
// CHECK: %[[GB:.*]] = heddle.reduce "sum" %[[G]] over ["B"] {{.*}} -> !heddle.tensor<[E=4], f32>
// CHECK-NOT: heddle.contract {{.*}} -> !heddle.tensor<[B=2, D=3], f32>
// CHECK: %[[GW:.*]] = heddle.contract %[[G]], %[[X]] over ["B"] {{.*}} -> !heddle.tensor<[D=3, E=4], f32>
// CHECK: return %{{.*}}, %[[GW]], %[[GB]]
func.func @train(%x: !x {heddle.name = "x"}) -> (!s {heddle.name = "loss.lm"}) attributes {heddle.minimise = "lm"} {
  %w = heddle.read @w : !w
  %b = heddle.read @b : !b
  %ice = heddle.read @ice : !b
  %xw = heddle.contract %x, %w over ["D"] : (!x, !w) -> !y
  %y = heddle.add %xw, %b : (!y, !b) -> !y
  %z = heddle.add %y, %ice : (!y, !b) -> !y
  %l = heddle.reduce "sum" %z over ["B", "E"] : (!y) -> !s
  return %l : !s
}

// With heddle.input_gradients, f32 arguments too, and zeros for what the loss does not reach.
// CHECK: func.func @run({{.*}}) -> ({{.*}} {heddle.name = "loss"}, {{.*}} {heddle.name = "grad.w"}, {{.*}} {heddle.name = "grad.x"}, {{.*}} {heddle.name = "grad.z"}) {
// CHECK: heddle.contract %{{.*}}, %{{.*}} over ["E"] {{.*}} -> !heddle.tensor<[B=2, D=3], f32>
// CHECK: heddle.constant 0.0{{.*}} : !heddle.tensor<[B=2, D=3], f32>
func.func @run(%x: !x {heddle.name = "x"}, %z: !x {heddle.name = "z"}) -> (!s {heddle.name = "loss"})
    attributes {heddle.minimise = "loss", heddle.input_gradients} {
  %w = heddle.read @w : !w
  %xw = heddle.contract %x, %w over ["D"] : (!x, !w) -> !y
  %l = heddle.reduce "sum" %xw over ["B", "E"] : (!y) -> !s
  return %l : !s
}

// Contributions to one value are summed; a gradient keeps the order of its value's dims.
// CHECK-LABEL: @twice
// CHECK: heddle.add %{{.*}} : (!heddle.tensor<[D=3, E=4], f32>, !heddle.tensor<[D=3, E=4], f32>)
// CHECK-NOT: heddle.write
func.func @twice(%x: !heddle.tensor<[E=4, D=3], f32>) -> (!s {heddle.name = "loss"}) attributes {heddle.minimise = "loss"} {
  %w = heddle.read @w : !w
  %a = heddle.mul %x, %w : (!heddle.tensor<[E=4, D=3], f32>, !w) -> !heddle.tensor<[E=4, D=3], f32>
  %c = heddle.mul %a, %w : (!heddle.tensor<[E=4, D=3], f32>, !w) -> !heddle.tensor<[E=4, D=3], f32>
  %l = heddle.reduce "sum" %c over ["D", "E"] : (!heddle.tensor<[E=4, D=3], f32>) -> !s
  return %l : !s
}
