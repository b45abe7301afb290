// Slices and collected results without use go; constants and masks stand in the loop that uses them, not outside of it.
// RUN: %heddle-opt --simplify %s | FileCheck %s

!x = !heddle.tensor<[B=2], f32>
!xs = !heddle.tensor<[L=4, B=2], f32>
!s = !heddle.tensor<[], f32>

// CHECK-LABEL: @loop
// CHECK-NEXT: %[[Y:.*]] = heddle.repeat "h" over "L" = 4 carry(%arg0) stack(%arg2) : {{.*}} -> !heddle.tensor<[B=2], f32>
// CHECK: ^bb0
// CHECK: heddle.constant 5.0
// CHECK: heddle.yield %{{.*}} : !heddle.tensor<[B=2], f32>
func.func @loop(%x: !x, %a: !xs, %b: !xs) -> !x {
  %half = heddle.constant 0.5 : !s
  %y:2 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%a, %b) : (!x, !xs, !xs) -> (!x, !xs) {
  ^bb0(%i: !heddle.tensor<[], i32>, %c: !x, %u: !x, %v: !x):
    %d = heddle.mul %c, %half : (!x, !s) -> !x
    %e = heddle.add %d, %v : (!x, !x) -> !x
    heddle.yield %e, %d : !x, !x
  }
  return %y#0 : !x
}

// CHECK-LABEL: @mask
// CHECK-NEXT: heddle.repeat "h" over "L" = 4 carry(%arg0)
// CHECK: %[[T:.*]] = heddle.position : <[B=2], i32>
// CHECK: %[[M:.*]] = heddle.compare "eq" %[[T]], %{{.*}}
// CHECK: heddle.select %[[M]]
func.func @mask(%x: !x) -> !x {
  %t = heddle.position : <[B=2], i32>
  %1 = heddle.constant 1 : !heddle.tensor<[], i32>
  %m = heddle.compare "eq" %t, %1 : (!heddle.tensor<[B=2], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[B=2], i1>
  %y = heddle.repeat "h" over "L" = 4 carry(%x) stack() : (!x) -> !x {
  ^bb0(%i: !heddle.tensor<[], i32>, %c: !x):
    %n = heddle.neg %c : (!x) -> !x
    %e = heddle.select %m, %c, %n : (!heddle.tensor<[B=2], i1>, !x, !x) -> !x
    heddle.yield %e : !x
  }
  return %y : !x
}
