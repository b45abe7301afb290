// A random mask whose elements are numbered along the vectors: one draw has the words of four of them, which two rounds of
// interleaving put in order.
// RUN: %heddle-opt %s --plan-memory --lower-to-kernels=target=avx2 --canonicalize --cse --split-input-file | FileCheck %s

!x = !heddle.tensor<[T=6, D=80], f32>
!m = !heddle.tensor<[T=6, D=80], i1>
!s = !heddle.tensor<[word=2], i32>
!i = !heddle.tensor<[], i32>
// T and D are one axis, of 480 elements: 15 groups of four vectors.
// CHECK-LABEL: func.func @dropped_y
// CHECK: scf.for %[[AT:.*]] = %{{.*}} to %{{.*}} step %c32
// CHECK: %[[NUMBER:.*]] = arith.divui %[[AT]], %c4
// CHECK-COUNT-20: arith.mului_extended
// CHECK-COUNT-4: vector.interleave
// CHECK-COUNT-4: arith.cmpi ult
// CHECK-NOT: arith.mului_extended
// CHECK-COUNT-4: vector.store
func.func @dropped(%x: !x {heddle.name = "x"}, %seed: !s {heddle.name = "$seed"}, %step: !i {heddle.name = "$step"}) -> (!x {heddle.name = "y"}) {
  %y = heddle.fused(%x, %seed, %step) : (!x, !s, !i) -> !x {
  ^bb0(%x0: !x, %seed0: !s, %step0: !i):
    %m = heddle.bernoulli %seed0, %step0 keep 0.9 stream 7 order ["T", "D"] : (!s, !i) -> !m
    %o = heddle.constant 0.0 : !heddle.tensor<[], f32>
    %z = heddle.select %m, %x0, %o : (!m, !x, !heddle.tensor<[], f32>) -> !x
    heddle.yield %z : !x
  } loc("y")
  return %y : !x
}

// -----

!x = !heddle.tensor<[T=6, D=42], f32>
!m = !heddle.tensor<[D=42, T=6], i1>
!s = !heddle.tensor<[word=2], i32>
!i = !heddle.tensor<[], i32>
// Numbered the other way, every vector has its own draw.
// CHECK-LABEL: func.func @across_y
// CHECK-NOT: vector.interleave
func.func @across(%x: !x {heddle.name = "x"}, %seed: !s {heddle.name = "$seed"}, %step: !i {heddle.name = "$step"}) -> (!x {heddle.name = "y"}) {
  %y = heddle.fused(%x, %seed, %step) : (!x, !s, !i) -> !x {
  ^bb0(%x0: !x, %seed0: !s, %step0: !i):
    %m = heddle.bernoulli %seed0, %step0 keep 0.9 stream 7 order ["D", "T"] : (!s, !i) -> !m
    %o = heddle.constant 0.0 : !heddle.tensor<[], f32>
    %z = heddle.select %m, %x0, %o : (!m, !x, !heddle.tensor<[], f32>) -> !x
    heddle.yield %z : !x
  } loc("y")
  return %y : !x
}
