// What the verifier of attention refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
// attention_c1
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{block arguments have the operands' types}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !q):
    %s = heddle.contract %a, %b over ["K"] : (!q, !q) -> !r
    heddle.yield %a, %s, %s : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
// attention_c1
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{yields the results' types}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    heddle.yield %a : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c2
func.func @f(%q: !q, %k: !k) {
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    // expected-error@+1 {{cannot stand in heddle.attention}}
    %p = heddle.softmax %s over "S" : (!s) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %o = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %m : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{has three results: the sum of values, a row's largest score and its sum}}
  %0 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> !q {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %o = heddle.contract %s, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{a result has the axis of keys "S"}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!s, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    heddle.yield %s, %m, %m : !s, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{its first result is a contraction over "S"}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    heddle.yield %a, %m, %m : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{its last result is the sum over "S" of exp(score - its second result)}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %e = heddle.exp %s : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %o = heddle.contract %e, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{the probability is exp(score - largest), divided once}}
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %o = heddle.contract %e, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
!b = !heddle.tensor<[S=2], f32>
// attention_c3
func.func @f(%q: !q, %k: !k, %bias: !b, %most: !r) {
  // expected-error@+1 {{the score has all axes of exp(score - largest)}}
  %0:3 = heddle.attention over "S" rows ["T"](%k, %bias, %most) : (!k, !b, !r) -> (!q, !r, !r) {
  ^bb0(%b: !k, %s: !b, %m: !r):
    %d = heddle.sub %s, %m : (!b, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    %o = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c4
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{there is an axis of rows}}
  %0:3 = heddle.attention over "S" rows [](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    %o = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_c4
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{axis "K" of rows is one of the rows' sums, and not that of the keys}}
  %0:3 = heddle.attention over "S" rows ["K"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    %o = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
func.func @f(%q: !q, %k: !k) {
  %0:3 = heddle.attention over "S" rows ["T"](%q, %k) : (!q, !k) -> (!q, !r, !r) {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %m = heddle.reduce "max" %s over ["S"] : (!s) -> !r
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %z = heddle.reduce "sum" %e over ["S"] : (!s) -> !r
    %p = heddle.div %e, %z : (!s, !r) -> !s
    // expected-error@+1 {{adds onto nothing in heddle.attention}}
    %o = heddle.contract %p, %b over ["S"] onto(%a) : (!s, !k, !q) -> !q
    heddle.yield %o, %m, %z : !q, !r, !r
  }
  return
}
