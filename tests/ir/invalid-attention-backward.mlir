// What the verifier of attention_backward refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
// attention_backward_c1
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{block arguments have the operands' types}}
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k) : (!q, !k) -> !q {
  ^bb0(%a: !q):
    heddle.yield %a : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
// attention_backward_c1
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{yields the results' types}}
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k) : (!q, !k) -> !q {
  ^bb0(%a: !q, %b: !k):
    heddle.yield %b : !k
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!p = !heddle.tensor<[part=2, T=2, K=3], f32>
!r = !heddle.tensor<[part=3, T=2, K=3], f32>
// attention_backward_c1
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{does not begin with the 2 parts of "part"}}
  %0:2 = heddle.attention_backward over "S" rows ["T"](%q, %k) : (!q, !k) -> (!p, !r) {
  ^bb0(%a: !q, %b: !k):
    heddle.yield %a, %a : !q, !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_backward_c2
func.func @f(%q: !q, %k: !k) {
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k) : (!q, !k) -> !q {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    // expected-error@+1 {{cannot stand in heddle.attention_backward}}
    %p = heddle.softmax %s over "S" : (!s) -> !s
    %g = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %g : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_backward_c3
func.func @f(%q: !q, %k: !k) {
  // expected-error@+1 {{is of rows and keys, and no input is of this type}}
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k) : (!q, !k) -> !s {
  ^bb0(%a: !q, %b: !k):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    heddle.yield %s : !s
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_backward_c4
func.func @f(%q: !q, %k: !k, %m: !r, %z: !r) {
  // expected-error@+1 {{the row's largest score, its last input but one, is used in exp(score - largest) alone}}
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k, %m, %z) : (!q, !k, !r, !r) -> !q {
  ^bb0(%a: !q, %b: !k, %c: !r, %d: !r):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %e = heddle.exp %s : (!s) -> !s
    %p = heddle.div %e, %d : (!s, !r) -> !s
    %g = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %g : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
!b = !heddle.tensor<[S=2], f32>
// attention_backward_c4
func.func @f(%k: !k, %bias: !b, %m: !r, %z: !r) {
  // expected-error@+1 {{the score has all axes of exp(score - largest)}}
  %0 = heddle.attention_backward over "S" rows ["T"](%k, %bias, %m, %z) : (!k, !b, !r, !r) -> !q {
  ^bb0(%b: !k, %s: !b, %c: !r, %d: !r):
    %t = heddle.sub %s, %c : (!b, !r) -> !s
    %e = heddle.exp %t : (!s) -> !s
    %p = heddle.div %e, %d : (!s, !r) -> !s
    %g = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %g : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
// attention_backward_c5
func.func @f(%q: !q, %k: !k, %m: !r, %z: !r) {
  // expected-error@+1 {{axis "S" of rows is one of the rows' sums, and not that of the keys}}
  %0 = heddle.attention_backward over "S" rows ["S"](%q, %k, %m, %z) : (!q, !k, !r, !r) -> !q {
  ^bb0(%a: !q, %b: !k, %c: !r, %d: !r):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %x = heddle.sub %s, %c : (!s, !r) -> !s
    %e = heddle.exp %x : (!s) -> !s
    %p = heddle.div %e, %d : (!s, !r) -> !s
    %g = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    heddle.yield %g : !q
  }
  return
}

// -----

!q = !heddle.tensor<[T=2, K=3], f32>
!k = !heddle.tensor<[S=2, K=3], f32>
!r = !heddle.tensor<[T=2], f32>
!s = !heddle.tensor<[T=2, S=2], f32>
!b = !heddle.tensor<[N=2], f32>
func.func @f(%q: !q, %k: !k, %n: !b, %m: !r, %z: !r) {
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k, %n, %m, %z) : (!q, !k, !b, !r, !r) -> !b {
  ^bb0(%a: !q, %b: !k, %bias: !b, %c: !r, %d: !r):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %x = heddle.sub %s, %c : (!s, !r) -> !s
    %e = heddle.exp %x : (!s) -> !s
    %p = heddle.div %e, %d : (!s, !r) -> !s
    %i = heddle.position : <[S=2], i32>
    %j = heddle.broadcast %i : (!heddle.tensor<[S=2], i32>) -> !heddle.tensor<[T=2, S=2], i32>
    // expected-error@+1 {{adds onto nothing in heddle.attention_backward}}
    %g = heddle.scatter_add %p["N" = %j] onto(%bias) : (!s, !heddle.tensor<[T=2, S=2], i32>, !b) -> !b
    heddle.yield %g : !b
  }
  return
}
