// Constants are folded, neutral operands dropped, equal things computed once; what has no use goes.
// RUN: %heddle-opt --simplify %s | FileCheck %s

!x = !heddle.tensor<[B=2, D=3], f32>
!r = !heddle.tensor<[B=2], f32>
!s = !heddle.tensor<[], f32>
!i = !heddle.tensor<[], i32>

// CHECK-LABEL: @fold
// CHECK: %[[C:.*]] = heddle.constant 1.25{{0*}}e-01
// CHECK: heddle.mul %arg0, %[[C]]
func.func @fold(%x: !x) -> !x {
  %k = heddle.constant 64.0 : !s
  %h = heddle.constant -0.5 : !s
  %f = heddle.pow %k, %h : (!s, !s) -> !s
  %y = heddle.mul %x, %f : (!x, !s) -> !x
  return %y : !x
}

// CHECK-LABEL: @neutral
// CHECK-NEXT: return %arg0
func.func @neutral(%x: !x) -> !x {
  %0 = heddle.constant 0.0 : !s
  %1 = heddle.constant 1.0 : !s
  %a = heddle.add %0, %x : (!s, !x) -> !x
  %b = heddle.mul %a, %1 : (!x, !s) -> !x
  %c = heddle.sub %b, %0 : (!x, !s) -> !x
  %d = heddle.neg %c : (!x) -> !x
  %e = heddle.neg %d : (!x) -> !x
  %f = heddle.div %e, %1 : (!x, !s) -> !x
  return %f : !x
}

// x * 0 is not 0: x may be inf.
// CHECK-LABEL: @times_zero
// CHECK: heddle.mul
func.func @times_zero(%x: !x) -> !x {
  %0 = heddle.constant 0.0 : !s
  %y = heddle.mul %x, %0 : (!x, !s) -> !x
  return %y : !x
}

// x / 0 is neither x nor a product with 1 / 0: of an x that is 0 it is NaN.
// CHECK-LABEL: @by_zero
// CHECK: heddle.div %arg0
func.func @by_zero(%x: !x) -> !x {
  %0 = heddle.constant 0.0 : !s
  %y = heddle.div %x, %0 : (!x, !s) -> !x
  return %y : !x
}

// Quotients of constants are floored, and remainders take the divisor's sign.
// CHECK-LABEL: @floored
// CHECK-DAG: %[[Q:.*]] = heddle.constant -4 : !heddle.tensor<[], i32>
// CHECK-DAG: %[[R:.*]] = heddle.constant 1 : !heddle.tensor<[], i32>
// CHECK-DAG: %[[M:.*]] = heddle.constant -5{{.*}}e-01 : !heddle.tensor<[], f32>
// CHECK-DAG: %[[Z:.*]] = heddle.constant 0 : !heddle.tensor<[], i32>
// CHECK: return %[[Q]], %[[R]], %[[M]], %[[Z]]
func.func @floored() -> (!i, !i, !s, !i) {
  %a = heddle.constant -7 : !i
  %b = heddle.constant 2 : !i
  %0 = heddle.constant 0 : !i
  %x = heddle.constant 3.5 : !s
  %y = heddle.constant -2.0 : !s
  %q = heddle.floordiv %a, %b : (!i, !i) -> !i
  %r = heddle.mod %a, %b : (!i, !i) -> !i
  %m = heddle.mod %x, %y : (!s, !s) -> !s
  %z = heddle.floordiv %a, %0 : (!i, !i) -> !i
  return %q, %r, %m, %z : !i, !i, !s, !i
}

// CHECK-LABEL: @broadcasts
// CHECK-NEXT: %[[Y:.*]] = heddle.mul %arg0, %arg1 : (!heddle.tensor<[B=2, D=3], f32>, !heddle.tensor<[B=2], f32>)
// CHECK-NEXT: return %[[Y]]
func.func @broadcasts(%x: !x, %r: !r) -> !x {
  %b = heddle.broadcast %r : (!r) -> !x
  %y = heddle.mul %x, %b : (!x, !x) -> !x
  return %y : !x
}

// CHECK-LABEL: @products
// CHECK-NEXT: %[[A:.*]] = heddle.mul %arg0, %arg0
// CHECK-NEXT: %[[B:.*]] = heddle.mul %[[A]], %arg0
// CHECK-NEXT: return %[[B]]
func.func @products(%x: !x) -> !x {
  %3 = heddle.constant 3.0 : !s
  %y = heddle.pow %x, %3 : (!x, !s) -> !x
  return %y : !x
}

// CHECK-LABEL: @renamed_back
// CHECK-NEXT: return %arg0
func.func @renamed_back(%x: !x) -> !x {
  %a = heddle.rename %x["D" -> "E"] : (!x) -> !heddle.tensor<[B=2, E=3], f32>
  %b = heddle.rename %a["E" -> "D"] : (!heddle.tensor<[B=2, E=3], f32>) -> !x
  return %b : !x
}

// CHECK-LABEL: @same
// CHECK-NEXT: %[[E:.*]] = heddle.exp %arg0
// CHECK-NEXT: heddle.mul %[[E]], %[[E]]
func.func @same(%x: !x) -> !x {
  %a = heddle.exp %x : (!x) -> !x
  %b = heddle.exp %x : (!x) -> !x
  %unused = heddle.log %x : (!x) -> !x
  %y = heddle.mul %a, %b : (!x, !x) -> !x
  return %y : !x
}

// A sum of constants is one; ints wrap.
// CHECK-LABEL: @sums
// CHECK-DAG: heddle.constant 3.0{{.*}} : !heddle.tensor<[B=2], f32>
// CHECK-DAG: heddle.constant -2147483648 : !heddle.tensor<[], i32>
func.func @sums() -> (!r, !heddle.tensor<[], i32>) {
  %x = heddle.constant 1.0 : !x
  %r = heddle.reduce "sum" %x over ["D"] : (!x) -> !r
  %i = heddle.constant 2147483647 : !heddle.tensor<[], i32>
  %1 = heddle.constant 1 : !heddle.tensor<[], i32>
  %w = heddle.add %i, %1 : (!heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[], i32>
  return %r, %w : !r, !heddle.tensor<[], i32>
}

// Of the terms of a sum that are equal along a dim, one is taken as often.
// CHECK-LABEL: @equal_terms
// CHECK-DAG: %[[N:.*]] = heddle.constant 3.0{{.*}} : !heddle.tensor<[], f32>
// CHECK-DAG: %[[S:.*]] = heddle.reduce "sum" %arg0 over ["B"] : (!heddle.tensor<[B=2, D=5], f32>) -> !heddle.tensor<[D=5], f32>
// CHECK: heddle.mul %[[S]], %[[N]]
// The greatest of them is one that is no NaN.
// CHECK: heddle.reduce "max" %{{.*}} over ["V"]
func.func @equal_terms(%x: !heddle.tensor<[B=2, D=5], f32>) -> (!heddle.tensor<[D=5], f32>, !heddle.tensor<[B=2, D=5], f32>) {
  %wide = heddle.broadcast %x : (!heddle.tensor<[B=2, D=5], f32>) -> !heddle.tensor<[B=2, D=5, V=3], f32>
  %sum = heddle.reduce "sum" %wide over ["B", "V"] : (!heddle.tensor<[B=2, D=5, V=3], f32>) -> !heddle.tensor<[D=5], f32>
  %max = heddle.reduce "max" %wide over ["V"] : (!heddle.tensor<[B=2, D=5, V=3], f32>) -> !heddle.tensor<[B=2, D=5], f32>
  return %sum, %max : !heddle.tensor<[D=5], f32>, !heddle.tensor<[B=2, D=5], f32>
}
