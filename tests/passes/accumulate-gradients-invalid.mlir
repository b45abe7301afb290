// Micro-batches are a loop around all others: where these are as deep as a plan can be, there is no room for it.
// RUN: not %heddle-opt --accumulate-gradients %s 2>&1 | FileCheck %s
// CHECK: error: micro-batches are a loop around all others, and loops nest at most 4 deep
!x = !heddle.tensor<[T=2], f32>
!i = !heddle.tensor<[], i32>
func.func @train(%x: !x {heddle.name = "data.x"}) -> (!x {heddle.name = "loss.l"}) attributes {heddle.accumulate = 2} {
  %a = heddle.repeat "a" over "A" = 2 carry(%x) stack() : (!x) -> !x {
  ^bb0(%ia: !i, %xa: !x):
    %b = heddle.repeat "b" over "B" = 2 carry(%xa) stack() : (!x) -> !x {
    ^bb0(%ib: !i, %xb: !x):
      %c = heddle.repeat "c" over "C" = 2 carry(%xb) stack() : (!x) -> !x {
      ^bb0(%ic: !i, %xc: !x):
        %d = heddle.repeat "d" over "D" = 2 carry(%xc) stack() : (!x) -> !x {
        ^bb0(%id: !i, %xd: !x):
          %y = heddle.mul %xd, %xd : (!x, !x) -> !x
          heddle.yield %y : !x
        }
        heddle.yield %d : !x
      }
      heddle.yield %c : !x
    }
    heddle.yield %b : !x
  }
  return %a : !x
}
