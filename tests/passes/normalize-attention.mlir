// Only what lies between the products of an attention is changed, and only where nothing else needs it as it was.
// RUN: %heddle-opt %s --normalize-attention | FileCheck %s

!q = !heddle.tensor<[T=4, K=3], f32>
!k = !heddle.tensor<[S=8, K=3], f32>
!ku = !heddle.tensor<[U=8, K=3], f32>
!s = !heddle.tensor<[T=4, S=8], f32>
!u = !heddle.tensor<[T=4, U=8], f32>
!b = !heddle.tensor<[T=4, S=8, K=3], f32>
!w = !heddle.tensor<[K=3, J=3], f32>
!qj = !heddle.tensor<[T=4, J=3], f32>

// A renamed score is a product with renamed keys.
// CHECK-LABEL: @score
// CHECK-NEXT: %[[K:.*]] = heddle.rename %arg1["U" -> "S"]
// CHECK-NEXT: %[[S:.*]] = heddle.contract %arg0, %[[K]] over ["K"]
// CHECK-NEXT: heddle.softmax %[[S]]
func.func @score(%q: !q, %k: !ku) -> !s {
  %x = heddle.contract %q, %k over ["K"] : (!q, !ku) -> !u
  %s = heddle.rename %x["U" -> "S"] : (!u) -> !s
  %p = heddle.softmax %s over "S" : (!s) -> !s
  return %p : !s
}

// So are renamed weights: their softmax goes over the new name.
// CHECK-LABEL: @weights
// CHECK-NEXT: %[[K:.*]] = heddle.rename %arg1["S" -> "U"]
// CHECK-NEXT: %[[S:.*]] = heddle.contract %arg0, %[[K]] over ["K"]
// CHECK-NEXT: heddle.softmax %[[S]] over "U"
func.func @weights(%q: !q, %k: !k) -> !u {
  %x = heddle.contract %q, %k over ["K"] : (!q, !k) -> !s
  %p = heddle.softmax %x over "S" : (!s) -> !s
  %r = heddle.rename %p["S" -> "U"] : (!s) -> !u
  return %r : !u
}

// A score that something else reads keeps its name, and so do the keys, which are no scores.
// CHECK-LABEL: @kept
// CHECK: %[[X:.*]] = heddle.contract
// CHECK-NEXT: heddle.rename %[[X]]["U" -> "S"]
// CHECK-LABEL: @keys
// CHECK: %[[X:.*]] = heddle.contract
// CHECK-NEXT: heddle.rename %[[X]]["J" -> "K"]
func.func @kept(%q: !q, %k: !ku) -> (!s, !u) {
  %x = heddle.contract %q, %k over ["K"] : (!q, !ku) -> !u
  %s = heddle.rename %x["U" -> "S"] : (!u) -> !s
  %p = heddle.softmax %s over "S" : (!s) -> !s
  return %p, %x : !s, !u
}
func.func @keys(%q: !q, %w: !w, %k: !k) -> !s {
  %x = heddle.contract %q, %w over ["K"] : (!q, !w) -> !qj
  %r = heddle.rename %x["J" -> "K"] : (!qj) -> !q
  %s = heddle.contract %r, %k over ["K"] : (!q, !k) -> !s
  %p = heddle.softmax %s over "S" : (!s) -> !s
  return %p : !s
}

// The summed axis of a product cannot get the name: the operands have it.
// CHECK-LABEL: @taken
// CHECK: heddle.rename %{{.*}}["T" -> "K"]
func.func @taken(%q: !q, %k: !k) -> !heddle.tensor<[K=4, S=8], f32> {
  %x = heddle.contract %q, %k over ["K"] : (!q, !k) -> !s
  %r = heddle.rename %x["T" -> "K"] : (!s) -> !heddle.tensor<[K=4, S=8], f32>
  %p = heddle.softmax %r over "S" : (!heddle.tensor<[K=4, S=8], f32>) -> !heddle.tensor<[K=4, S=8], f32>
  return %p : !heddle.tensor<[K=4, S=8], f32>
}

// Scaled products by position are products by position, scaled.
// CHECK-LABEL: @gather
// CHECK: %[[C:.*]] = heddle.contract
// CHECK-NEXT: %[[G:.*]] = heddle.gather %[[C]]["U" = %arg2]
// CHECK-NEXT: %[[M:.*]] = heddle.mul %[[G]], %arg3
// CHECK-NEXT: heddle.softmax %[[M]]
func.func @gather(%q: !q, %k: !ku, %i: !heddle.tensor<[T=4, S=8], i32>, %c: !heddle.tensor<[], f32>) -> !s {
  %x = heddle.contract %q, %k over ["K"] : (!q, !ku) -> !u
  %y = heddle.mul %x, %c : (!u, !heddle.tensor<[], f32>) -> !u
  %s = heddle.gather %y["U" = %i] : (!u, !heddle.tensor<[T=4, S=8], i32>) -> !s
  %p = heddle.softmax %s over "S" : (!s) -> !s
  return %p : !s
}

// The sum of weights * values over the keys is a contraction; sums of other products stay.
// CHECK-LABEL: @sum
// CHECK-NEXT: %[[P:.*]] = heddle.softmax
// CHECK-NEXT: %[[O:.*]] = heddle.contract %[[P]], %arg1 over ["S"]
// CHECK-NEXT: %[[M:.*]] = heddle.mul %[[O]], %arg2
// CHECK-NEXT: heddle.reduce "sum" %[[M]] over ["K"]
func.func @sum(%s: !s, %v: !k, %q: !q) -> !heddle.tensor<[T=4], f32> {
  %p = heddle.softmax %s over "S" : (!s) -> !s
  %m = heddle.mul %p, %v : (!s, !k) -> !b
  %o = heddle.reduce "sum" %m over ["S"] : (!b) -> !q
  %n = heddle.mul %o, %q : (!q, !q) -> !q
  %y = heddle.reduce "sum" %n over ["K"] : (!q) -> !heddle.tensor<[T=4], f32>
  return %y : !heddle.tensor<[T=4], f32>
}
