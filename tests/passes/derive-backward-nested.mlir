// A loop in a loop: the inner one's stacks are saved once more by the outer one, and a value captured by both gets the
// sum over all iterations.
// RUN: %heddle-opt --derive-backward --cse %s | FileCheck %s

!x = !heddle.tensor<[B=2], f32>
!xs = !heddle.tensor<[M=3, B=2], f32>
!ws = !heddle.tensor<[L=4, M=3, B=2], f32>
!i = !heddle.tensor<[], i32>
!s = !heddle.tensor<[], f32>
heddle.variable @"o.{}.i.{}.w" "parameter" "normal"(0.0, 0.02) stream 1 {repeats = 2 : i64} : !ws
heddle.variable @c "parameter" "normal"(0.0, 0.02) stream 2 : !x

// The inner loop collects its carried value; the outer one stacks that stack.
// CHECK: heddle.name = "grad.o.{}.i.{}.w", heddle.repeats = 2
// CHECK: heddle.repeat "o" over "L" = 4 carry
// CHECK: heddle.repeat "i" over "M" = 3 carry{{.*}} -> (!heddle.tensor<[B=2], f32>, !heddle.tensor<[M=3, B=2], f32>
// CHECK: heddle.repeat "o.backward" over "L" = 4 reverse carry
// CHECK: heddle.repeat "i.backward" over "M" = 3 reverse carry
// CHECK: return
func.func @train(%x: !x {heddle.name = "x"}) -> (!s {heddle.name = "loss"})
    attributes {heddle.minimise = "loss", heddle.input_gradients} {
  %w = heddle.read @"o.{}.i.{}.w" : !ws
  %c = heddle.read @c : !x
  %y:2 = heddle.repeat "o" over "L" = 4 carry(%x) stack(%w) : (!x, !ws) -> (!x, !heddle.tensor<[L=4, B=2], f32>) {
  ^bb0(%l: !i, %a: !x, %v: !xs):
    %e = heddle.exp %a : (!x) -> !x
    %z:2 = heddle.repeat "i" over "M" = 3 carry(%a) stack(%v) : (!x, !xs) -> (!x, !xs) {
    ^bb0(%m: !i, %b: !x, %u: !x):
      %p = heddle.mul %b, %u : (!x, !x) -> !x
      %q = heddle.add %p, %c : (!x, !x) -> !x
      %r = heddle.tanh %q : (!x) -> !x
      %t = heddle.mul %r, %e : (!x, !x) -> !x
      heddle.yield %t, %r : !x, !x
    }
    %n = heddle.reduce "sum" %z#1 over ["M"] : (!xs) -> !x
    %o = heddle.mul %n, %z#0 : (!x, !x) -> !x
    heddle.yield %o, %n : !x, !x
  }
  %k = heddle.reduce "sum" %y#1 over ["L"] : (!heddle.tensor<[L=4, B=2], f32>) -> !x
  %j = heddle.mul %k, %y#0 : (!x, !x) -> !x
  %loss = heddle.reduce "sum" %j over ["B"] : (!x) -> !s
  return %loss : !s
}
