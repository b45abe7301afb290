// What a loop saves for its backward, by cost: with 1 FLOP a byte nothing is computed again, with 100 the product is.
// RUN: heddle-opt %s --derive-backward | FileCheck %s --check-prefix=SAVED
// RUN: heddle-opt %s --derive-backward=recompute-up-to=1 | FileCheck %s --check-prefix=SAVED
// RUN: heddle-opt %s --derive-backward=recompute-up-to=100 | FileCheck %s --check-prefix=AGAIN

!x = !heddle.tensor<[B=2, D=8], f32>
!w = !heddle.tensor<[L=3, D=8, E=8], f32>
!v = !heddle.tensor<[D=8, E=8], f32>
!y = !heddle.tensor<[B=2, E=8], f32>
!i = !heddle.tensor<[], i32>
!s = !heddle.tensor<[], f32>

// The forward keeps the stack of x, and of the product before its tanh where that is saved.
// SAVED: heddle.repeat "h" over "L" = 3 {{.*}} -> (!heddle.tensor<[B=2, D=8], f32>, !heddle.tensor<[L=3, B=2, D=8], f32>, !heddle.tensor<[L=3, B=2, E=8], f32>)
// SAVED: heddle.repeat "h.backward"
// SAVED-COUNT-2: = heddle.contract
// SAVED-NOT: = heddle.contract
// AGAIN: heddle.repeat "h" over "L" = 3 {{.*}} -> (!heddle.tensor<[B=2, D=8], f32>, !heddle.tensor<[L=3, B=2, D=8], f32>)
// AGAIN: heddle.repeat "h.backward"
// AGAIN-COUNT-3: = heddle.contract
// AGAIN-NOT: = heddle.contract
module {
  heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !w
  func.func @train(%x: !x {heddle.name = "x"}) -> (!s {heddle.name = "loss.l"}) attributes {heddle.minimise = "l"} {
    %w = heddle.read @"h.{}.w" : !w
    %y = heddle.repeat "h" over "L" = 3 carry(%x) stack(%w) : (!x, !w) -> !x {
    ^bb0(%n: !i, %a: !x, %b: !v):
      %p = heddle.contract %a, %b over ["D"] : (!x, !v) -> !y
      %t = heddle.exp %p : (!y) -> !y
      %q = heddle.mul %p, %t : (!y, !y) -> !y
      %r = heddle.rename %q["E" -> "D"] : (!y) -> !x
      heddle.yield %r : !x
    }
    %l = heddle.reduce "sum" %y over ["B", "D"] : (!x) -> !s
    return %l : !s
  }
}
