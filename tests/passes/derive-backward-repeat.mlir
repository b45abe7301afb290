// A repeat is differentiated as a loop: it runs the other way, carries gradients of carried and captured values and
// collects those of slices. Saved are only values that cannot be had more cheaply.
// RUN: %heddle-opt --derive-backward --cse %s | FileCheck %s

!x = !heddle.tensor<[B=2, D=8], f32>
!m = !heddle.tensor<[B=2, D=8], i1>
!i = !heddle.tensor<[], i32>
!s = !heddle.tensor<[], f32>
!w = !heddle.tensor<[D=8, E=8], f32>
!ws = !heddle.tensor<[L=4, D=8, E=8], f32>
!g = !heddle.tensor<[D=8], f32>
heddle.variable @x "parameter" "normal"(0.0, 0.02) stream 1 : !x
heddle.variable @gain "parameter" "constant"(1.0, 0.0) stream 3 : !g
heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 0.02) stream 2 {repeats = 1 : i64} : !ws

// CHECK: heddle.name = "grad.h.{}.w", heddle.repeats = 1
// The forward loop collects x and tanh's result, neither the mask nor the scaled norm.
// CHECK: %[[F:.*]]:3 = heddle.repeat "h" over "L" = 4 carry
// CHECK: heddle.yield %{{.*}}, %{{.*}}, %{{.*}} :
// The gradient of the gain is carried as a sum from 0.
// CHECK: %[[ZERO:.*]] = heddle.constant 0.0{{.*}} : !heddle.tensor<[D=8], f32>
// CHECK: %[[B:.*]]:3 = heddle.repeat "h.backward" over "L" = 4 reverse carry(%{{.*}}, %[[ZERO]]) stack(%[[F]]#2, %{{.*}}, %[[F]]#1)
// CHECK: ^bb0(%[[INDEX:.*]]: !heddle.tensor<[], i32>, %{{.*}}: {{.*}}, %[[SUM:.*]]: !heddle.tensor<[D=8], f32>,
// CHECK: heddle.bernoulli %arg0, %arg1 indices(%[[INDEX]]) keep 9.0{{.*}} stream 7
// CHECK: %[[TERM:.*]] = heddle.reduce "sum" %{{.*}} over ["B"]
// CHECK: %[[NEXT:.*]] = heddle.add %[[SUM]], %[[TERM]]
// CHECK: heddle.yield %{{.*}}, %[[NEXT]], %{{.*}} :
// CHECK: return %{{.*}}, %[[B]]#0, %[[B]]#1, %[[B]]#2
func.func @train(%seed: !heddle.tensor<[word=2], i32>, %step: !i) -> (!s {heddle.name = "loss"}) attributes {heddle.minimise = "loss"} {
  %x = heddle.read @x : !x
  %gain = heddle.read @gain : !g
  %w = heddle.read @"h.{}.w" : !ws
  %y = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!x, !ws) -> !x {
  ^bb0(%h: !i, %a: !x, %b: !w):
    %n = heddle.layer_norm %a over "D" eps 1.0e-5 : (!x) -> !x
    %p = heddle.mul %n, %gain : (!x, !g) -> !x
    %c = heddle.contract %p, %b over ["D"] : (!x, !w) -> !heddle.tensor<[B=2, E=8], f32>
    %r = heddle.rename %c["E" -> "D"] : (!heddle.tensor<[B=2, E=8], f32>) -> !x
    %t = heddle.tanh %r : (!x) -> !x
    %m = heddle.bernoulli %seed, %step indices(%h) keep 0.9 stream 7 order ["B", "D"] : (!heddle.tensor<[word=2], i32>, !i, !i) -> !m
    %zero = heddle.constant 0.0 : !s
    %d = heddle.select %m, %t, %zero : (!m, !x, !s) -> !x
    %o = heddle.add %a, %d : (!x, !x) -> !x
    heddle.yield %o : !x
  }
  %l = heddle.reduce "sum" %y over ["B", "D"] : (!x) -> !s
  return %l : !s
}
