// Scale, mask and softmax after its decomposition are one nest; the positions of the mask are computed in it, and the
// contraction before it is not touched.
// RUN: %heddle-opt %s --decompose-norms --cse --fuse-elementwise | FileCheck %s

!s = !heddle.tensor<[B=2, T=8, S=8], f32>
// CHECK-LABEL: @attend
// CHECK-NEXT: %[[S:.*]] = heddle.contract
// CHECK-NEXT: %[[P:.*]] = heddle.fused(%[[S]])
// CHECK: heddle.position
// CHECK: heddle.compare "le"
// CHECK: heddle.reduce "max"
// CHECK: heddle.exp
// CHECK: heddle.reduce "sum"
// CHECK: heddle.div
// CHECK-NEXT: heddle.yield
// CHECK-NEXT: }
// CHECK-NEXT: return %[[P]]
func.func @attend(%q: !heddle.tensor<[B=2, T=8, K=4], f32>, %k: !heddle.tensor<[B=2, S=8, K=4], f32>) -> !s {
  %s = heddle.contract %q, %k over ["K"] : (!heddle.tensor<[B=2, T=8, K=4], f32>, !heddle.tensor<[B=2, S=8, K=4], f32>) -> !s
  %ps = heddle.position : !heddle.tensor<[S=8], i32>
  %pt = heddle.position : !heddle.tensor<[T=8], i32>
  %m = heddle.compare "le" %ps, %pt : (!heddle.tensor<[S=8], i32>, !heddle.tensor<[T=8], i32>) -> !heddle.tensor<[T=8, S=8], i1>
  %inf = heddle.constant -inf : !heddle.tensor<[], f32>
  %ms = heddle.select %m, %s, %inf : (!heddle.tensor<[T=8, S=8], i1>, !s, !heddle.tensor<[], f32>) -> !s
  %p = heddle.softmax %ms over "S" : (!s) -> !s
  return %p : !s
}
