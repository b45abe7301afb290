// What keeps a program from computing one position is said at its place, and nothing is changed.
// RUN: %heddle-opt --derive-decoding --split-input-file --verify-diagnostics %s | FileCheck %s
// CHECK-NOT: @decode
// CHECK-NOT: "cache"

!ids = !heddle.tensor<[B=1, T=4], i32>
!e = !heddle.tensor<[V=9, D=8], f32>
!x = !heddle.tensor<[B=1, T=4, D=8], f32>
!k = !heddle.tensor<[B=1, S=4, D=8], f32>
!s = !heddle.tensor<[B=1, T=4, S=4], f32>
!l = !heddle.tensor<[B=1, T=4, V=9], f32>
heddle.variable @e "parameter" "normal"(0.0, 1.0) stream 1 : !e
// expected-remark@+1 {{each token of a sample computes all positions: it is not shown that `T` leaves out later positions of `S`}}
func.func @sample(%ids: !ids {heddle.name = "data.ids"}) -> (!l {heddle.name = "logits"}) {
  %e = heddle.read @e : !e
  %x = heddle.gather %e["V" = %ids] : (!e, !ids) -> !x
  %k = heddle.rename %x["T" -> "S"] : (!x) -> !k
  %s = heddle.contract %x, %k over ["D"] : (!x, !k) -> !s
  %pt = heddle.position : <[T=4], i32>
  %ps = heddle.position : <[S=4], i32>
  %one = heddle.constant 1 : !heddle.tensor<[], i32>
  %later = heddle.add %pt, %one : (!heddle.tensor<[T=4], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[T=4], i32>
  // One position too many.
  %le = heddle.compare "le" %ps, %later : (!heddle.tensor<[S=4], i32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[S=4, T=4], i1>
  %none = heddle.constant -inf : !heddle.tensor<[], f32>
  %open = heddle.select %le, %s, %none : (!heddle.tensor<[S=4, T=4], i1>, !s, !heddle.tensor<[], f32>) -> !s
  %p = heddle.softmax %open over "S" : (!s) -> !s
  // expected-note@+1 {{here}}
  %y = heddle.contract %p, %k over ["S"] : (!s, !k) -> !x
  %logits = heddle.contract %y, %e over ["D"] : (!x, !e) -> !l
  return %logits : !l
}

// -----
!ids = !heddle.tensor<[B=1, T=4], i32>
!e = !heddle.tensor<[V=9, D=8], f32>
!x = !heddle.tensor<[B=1, T=4, D=8], f32>
!l = !heddle.tensor<[B=1, T=4, V=9], f32>
heddle.variable @e "parameter" "normal"(0.0, 1.0) stream 1 : !e
// expected-remark@+1 {{each token of a sample computes all positions: another position of `S` is read}}
func.func @sample(%ids: !ids {heddle.name = "data.ids"}) -> (!l {heddle.name = "logits"}) {
  %e = heddle.read @e : !e
  %x = heddle.gather %e["V" = %ids] : (!e, !ids) -> !x
  %s = heddle.rename %x["T" -> "S"] : (!x) -> !heddle.tensor<[B=1, S=4, D=8], f32>
  %pt = heddle.position : <[T=4], i32>
  %one = heddle.constant 1 : !heddle.tensor<[], i32>
  %zero = heddle.constant 0 : !heddle.tensor<[], i32>
  %before = heddle.sub %pt, %one : (!heddle.tensor<[T=4], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[T=4], i32>
  %clamped = heddle.max %before, %zero : (!heddle.tensor<[T=4], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[T=4], i32>
  // expected-note@+1 {{here}}
  %shifted = heddle.gather %s["S" = %clamped] : (!heddle.tensor<[B=1, S=4, D=8], f32>, !heddle.tensor<[T=4], i32>) -> !x
  %logits = heddle.contract %shifted, %e over ["D"] : (!x, !e) -> !l
  return %logits : !l
}
