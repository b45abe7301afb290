// RUN: %heddle-opt %s --add-onto | FileCheck %s

!x = !heddle.tensor<[B=2, T=8], f32>
!w = !heddle.tensor<[T=8, F=16], f32>
!b = !heddle.tensor<[F=16], f32>
!y = !heddle.tensor<[B=2, F=16], f32>

// A bias, then the residual stream, whichever side they stand on.
// CHECK-LABEL: @linear
// CHECK: %[[Y:.*]] = heddle.contract %arg0, %arg1 over ["T"] onto(%arg2, %arg3)
// CHECK-NOT: heddle.add
// CHECK: return %[[Y]]
func.func @linear(%x: !x, %w: !w, %b: !b, %r: !y) -> !y {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.add %p, %b : (!y, !b) -> !y
  %s = heddle.add %r, %q : (!y, !y) -> !y
  return %s : !y
}
// Of two products the later one is added to the earlier.
// CHECK-LABEL: @sum
// CHECK: %[[P:.*]] = heddle.contract %arg0, %arg2
// CHECK: heddle.contract %arg1, %arg2 over ["T"] onto(%[[P]])
// CHECK-NOT: heddle.add
func.func @sum(%x: !x, %z: !x, %w: !w) -> !y {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.contract %z, %w over ["T"] : (!x, !w) -> !y
  %s = heddle.add %p, %q : (!y, !y) -> !y
  return %s : !y
}
// What is read elsewhere too keeps its own value; so does a product that meets a nest which the addition can join; a bias of
// rows has no vectors to load.
// CHECK-LABEL: @kept
// CHECK-COUNT-3: heddle.add
// CHECK-NOT: onto
func.func @kept(%x: !x, %w: !w, %r: !y, %a: !heddle.tensor<[B=2], f32>) -> (!y, !y, !y, !y) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %s = heddle.add %p, %r : (!y, !y) -> !y
  %q = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %e = heddle.exp %r : (!y) -> !y
  %t = heddle.add %q, %e : (!y, !y) -> !y
  %o = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %u = heddle.add %o, %a : (!y, !heddle.tensor<[B=2], f32>) -> !y
  return %p, %s, %t, %u : !y, !y, !y, !y
}
// The gradient of an embedding whose table is the output layer too, in place.
// CHECK-LABEL: @tied
// CHECK: %[[P:.*]] = heddle.contract
// CHECK: heddle.scatter_add %arg2["T" = %arg3] onto(%[[P]])
// CHECK-NOT: heddle.add
func.func @tied(%x: !x, %y: !y, %u: !heddle.tensor<[N=5, F=16], f32>, %i: !heddle.tensor<[N=5], i32>) -> !w {
  %p = heddle.contract %x, %y over ["B"] : (!x, !y) -> !w
  %s = heddle.scatter_add %u["T" = %i] : (!heddle.tensor<[N=5, F=16], f32>, !heddle.tensor<[N=5], i32>) -> !w
  %g = heddle.add %p, %s : (!w, !w) -> !w
  return %g : !w
}
// The same of a product that was summed up block by block.
// CHECK-LABEL: @tied_blocks
// CHECK: %[[P:.*]] = heddle.repeat
// CHECK: heddle.contract %{{.*}}, %{{.*}} over ["B"] onto(%{{.*}})
// CHECK: heddle.scatter_add %{{.*}}["T" = %{{.*}}] onto(%[[P]])
func.func @tied_blocks(%xs: !heddle.tensor<[R=2, B=2, T=3], f32>, %ys: !heddle.tensor<[R=2, B=2, F=16], f32>, %zero: !heddle.tensor<[T=3, F=16], f32>, %u: !heddle.tensor<[N=5, F=16], f32>, %i: !heddle.tensor<[N=5], i32>) -> !heddle.tensor<[T=3, F=16], f32> {
  %p = heddle.repeat "block" over "R" = 2 carry(%zero) stack(%xs, %ys) : (!heddle.tensor<[T=3, F=16], f32>, !heddle.tensor<[R=2, B=2, T=3], f32>, !heddle.tensor<[R=2, B=2, F=16], f32>) -> !heddle.tensor<[T=3, F=16], f32> {
  ^bb0(%r: !heddle.tensor<[], i32>, %sum: !heddle.tensor<[T=3, F=16], f32>, %x: !heddle.tensor<[B=2, T=3], f32>, %y: !heddle.tensor<[B=2, F=16], f32>):
    %part = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[B=2, T=3], f32>, !heddle.tensor<[B=2, F=16], f32>) -> !heddle.tensor<[T=3, F=16], f32>
    %next = heddle.add %sum, %part : (!heddle.tensor<[T=3, F=16], f32>, !heddle.tensor<[T=3, F=16], f32>) -> !heddle.tensor<[T=3, F=16], f32>
    heddle.yield %next : !heddle.tensor<[T=3, F=16], f32>
  }
  %s = heddle.scatter_add %u["T" = %i] : (!heddle.tensor<[N=5, F=16], f32>, !heddle.tensor<[N=5], i32>) -> !heddle.tensor<[T=3, F=16], f32>
  %g = heddle.add %p, %s : (!heddle.tensor<[T=3, F=16], f32>, !heddle.tensor<[T=3, F=16], f32>) -> !heddle.tensor<[T=3, F=16], f32>
  return %g : !heddle.tensor<[T=3, F=16], f32>
}
