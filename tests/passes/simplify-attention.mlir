// The region of attention keeps its form where a condition is a constant, or all scores are one number.
// RUN: %heddle-opt --simplify %s | FileCheck %s

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
!n = !heddle.tensor<[], f32>
!c = !heddle.tensor<[], i1>

// CHECK-LABEL: @condition
// CHECK: %[[S:.*]] = heddle.select
// CHECK: heddle.sub %[[S]]
// CHECK: %[[P:.*]] = heddle.div
// CHECK: heddle.select %{{.*}}, %[[P]]
func.func @condition(%q: !q, %k: !k) -> !q {
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %never = heddle.constant false : !c
    %fill = heddle.constant -1.5 : !n
    %product = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %s = heddle.select %never, %product, %fill : (!c, !s, !n) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    %w = heddle.select %never, %p, %fill : (!c, !s, !n) -> !s
    %o = heddle.contract %w, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return %0#0 : !q
}

// CHECK-LABEL: @number
// CHECK: %[[S:.*]] = heddle.constant -1.5
// CHECK: heddle.reduce "max" %[[S]]
// CHECK: heddle.sub %[[S]]
func.func @number(%q: !q, %k: !k) -> !q {
  %0:3 = heddle.attention over "S" rows ["T"](%k) : (!k) -> (!q, !r, !r) {
  ^bb0(%b: !k):
    %fill = heddle.constant -1.5 : !n
    %s = heddle.broadcast %fill : (!n) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    %o = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return %0#0 : !q
}
