// Values that are cheap to compute come into the body of a repeat and through renames; a random mask is computed where
// it is used. What is read by the entry's return becomes a nest of its own.
// RUN: %heddle-opt %s --fuse-elementwise | FileCheck %s

!x = !heddle.tensor<[T=8, D=16], f32>
!i = !heddle.tensor<[], i32>
!c = !heddle.tensor<[], f32>
// CHECK-LABEL: @layers
// CHECK-NEXT: %[[C:.*]] = heddle.fused()
// CHECK-NEXT: heddle.constant 5.0
// CHECK: heddle.repeat
// CHECK-NEXT: ^bb0(%[[H:.*]]: !heddle.tensor<[], i32>, %[[A:.*]]: !heddle.tensor<[T=8, D=16], f32>):
// CHECK-NEXT: heddle.fused(%arg1, %arg2, %[[H]], %[[A]])
// CHECK-NOT: heddle.rename
// CHECK: heddle.bernoulli
// CHECK: heddle.constant 5.0
// CHECK: heddle.position : <[T=8], i32>
// CHECK-NOT: heddle.fused
// CHECK: heddle.yield
// CHECK: return %{{.*}}, %[[C]]
func.func @layers(%x: !x, %seed: !heddle.tensor<[word=2], i32>, %step: !i) -> (!x, !c) {
  %half = heddle.constant 5.000000e-01 : !c
  %pos = heddle.position : !heddle.tensor<[S=8], i32>
  %y = heddle.repeat "h" over "L" = 4 carry(%x) stack() : (!x) -> !x {
  ^bb0(%h: !i, %a: !x):
    %k = heddle.bernoulli %seed, %step indices(%h) keep 0.9 stream 7 order ["T", "D"] : (!heddle.tensor<[word=2], i32>, !i, !i) -> !heddle.tensor<[T=8, D=16], i1>
    %d = heddle.select %k, %a, %half : (!heddle.tensor<[T=8, D=16], i1>, !x, !c) -> !x
    %f = heddle.cast %pos : (!heddle.tensor<[S=8], i32>) -> !heddle.tensor<[S=8], f32>
    %t = heddle.rename %f["S" -> "T"] : (!heddle.tensor<[S=8], f32>) -> !heddle.tensor<[T=8], f32>
    %o = heddle.mul %d, %t : (!x, !heddle.tensor<[T=8], f32>) -> !x
    heddle.yield %o : !x
  }
  return %y, %half : !x, !c
}
