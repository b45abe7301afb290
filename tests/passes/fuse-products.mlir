// RUN: %heddle-opt %s --split-input-file --fuse-products | FileCheck %s

!x = !heddle.tensor<[B=2, T=8], f32>
!w = !heddle.tensor<[T=8, F=16], f32>
!v = !heddle.tensor<[F=16, T=8], f32>
!y = !heddle.tensor<[B=2, F=16], f32>

// An activation, beside the sum that backward needs; the product of the next layer reads it from memory.
// CHECK-LABEL: @activation
// CHECK: %[[H:.*]]:2 = heddle.fused(%arg0, %arg1)
// CHECK-NEXT: ^bb0(%[[X:.*]]: {{.*}}, %[[W:[^:]*]]: {{.*}}):
// CHECK-NEXT: %[[P:.*]] = heddle.contract %[[X]], %[[W]]
// CHECK: %[[E:.*]] = heddle.tanh %[[P]]
// CHECK: heddle.yield %[[P]], %[[E]]
// CHECK: heddle.contract %[[H]]#1, %arg2
// CHECK: return %[[H]]#0
func.func @activation(%x: !x, %w: !w, %v: !v) -> (!y, !x) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %h = heddle.tanh %p : (!y) -> !y
  %o = heddle.contract %h, %v over ["F"] : (!y, !v) -> !x
  return %p, %o : !y, !x
}
// -----
!x = !heddle.tensor<[B=2, T=8], f32>
!w = !heddle.tensor<[T=8, F=16], f32>
!y = !heddle.tensor<[B=2, F=16], f32>
// A derivative: what it needs of the saved sum moves in, and with it the activation that a gradient of weights reads. A mask of
// numbers that are stored, and one of each row.
// CHECK-LABEL: @derivative
// CHECK: heddle.fused
// CHECK: heddle.contract
// CHECK: heddle.yield
// CHECK-NOT: heddle.tanh
// CHECK: return
func.func @derivative(%x: !x, %w: !w, %s: !y, %r: !heddle.tensor<[B=2], f32>) -> (!y, !y) {
  %one = heddle.constant 1.0 : !heddle.tensor<[], f32>
  %h = heddle.tanh %s : (!y) -> !y
  %hh = heddle.mul %h, %h : (!y, !y) -> !y
  %d = heddle.sub %one, %hh : (!heddle.tensor<[], f32>, !y) -> !y
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.mul %p, %d : (!y, !y) -> !y
  %g = heddle.mul %q, %r : (!y, !heddle.tensor<[B=2], f32>) -> !y
  return %g, %h : !y, !y
}
// -----
!x = !heddle.tensor<[B=2, T=8], f32>
!w = !heddle.tensor<[T=8, F=16], f32>
!y = !heddle.tensor<[B=2, F=16], f32>
// What only a nest reads is left to it: the squares of a norm.
// CHECK-LABEL: @squares
// CHECK-NOT: heddle.fused
func.func @squares(%x: !x, %w: !w) -> (!y, !heddle.tensor<[B=2], f32>) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.mul %p, %p : (!y, !y) -> !y
  %s = heddle.reduce "sum" %q over ["F"] : (!y) -> !heddle.tensor<[B=2], f32>
  return %p, %s : !y, !heddle.tensor<[B=2], f32>
}
// A value on the way to one that is stored, which a nest reads too: to store it would cost more than is saved.
// CHECK-LABEL: @shared
// CHECK-NOT: heddle.fused
func.func @shared(%x: !x, %w: !w, %b: !y) -> (!y, !heddle.tensor<[B=2], f32>) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %t = heddle.tanh %p : (!y) -> !y
  %h = heddle.mul %t, %b : (!y, !y) -> !y
  %s = heddle.reduce "sum" %t over ["F"] : (!y) -> !heddle.tensor<[B=2], f32>
  return %h, %s : !y, !heddle.tensor<[B=2], f32>
}
// A nest that must read the product does all of it: both results depend on the row's sum, one of them through the other.
// CHECK-LABEL: @update
// CHECK-NOT: heddle.fused
func.func @update(%x: !x, %w: !w, %m: !y) -> (!y, !y) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %n = heddle.add %m, %p : (!y, !y) -> !y
  %s = heddle.reduce "sum" %p over ["F"] : (!y) -> !heddle.tensor<[B=2], f32>
  %u = heddle.mul %p, %s : (!y, !heddle.tensor<[B=2], f32>) -> !y
  return %n, %u : !y, !y
}
// An operand in another order, a random mask, positions; an operand that needs the product's result; results of another type.
// CHECK-LABEL: @others
// CHECK-NOT: heddle.fused
func.func @others(%x: !x, %w: !w, %t: !heddle.tensor<[F=16, B=2], f32>, %seed: !heddle.tensor<[word=2], i32>, %step: !heddle.tensor<[], i32>)
    -> (!y, !y, !heddle.tensor<[B=2, F=16], i1>) {
  %p = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.mul %p, %t : (!y, !heddle.tensor<[F=16, B=2], f32>) -> !y
  %p2 = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %keep = heddle.bernoulli %seed, %step indices() keep 9.000000e-01 stream 0 order ["B", "F"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[B=2, F=16], i1>
  %zero = heddle.constant 0.0 : !heddle.tensor<[], f32>
  %d = heddle.select %keep, %p2, %zero : (!heddle.tensor<[B=2, F=16], i1>, !y, !heddle.tensor<[], f32>) -> !y
  %p3 = heddle.contract %x, %w over ["T"] : (!x, !w) -> !y
  %c = heddle.compare "gt" %p3, %zero : (!y, !heddle.tensor<[], f32>) -> !heddle.tensor<[B=2, F=16], i1>
  return %q, %d, %c : !y, !y, !heddle.tensor<[B=2, F=16], i1>
}
// The product's own operand is made of what follows from what it would take in.
// CHECK-LABEL: @before
// CHECK: %[[H:.*]] = heddle.tanh %arg2
// CHECK: %[[R:.*]] = heddle.reduce "sum" %[[H]]
// CHECK: %[[X:.*]] = heddle.mul %arg0, %[[R]]
// CHECK: heddle.fused(%[[X]], %arg1, %[[H]])
func.func @before(%x: !x, %w: !w, %s: !y) -> (!y, !y) {
  %h = heddle.tanh %s : (!y) -> !y
  %r = heddle.reduce "sum" %h over ["F"] : (!y) -> !heddle.tensor<[B=2], f32>
  %z = heddle.mul %x, %r : (!x, !heddle.tensor<[B=2], f32>) -> !x
  %p = heddle.contract %z, %w over ["T"] : (!x, !w) -> !y
  %q = heddle.mul %p, %h : (!y, !y) -> !y
  return %q, %h : !y, !y
}
// -----
!x = !heddle.tensor<[B=2, T=8, D=32], f32>
!g = !heddle.tensor<[B=2, T=8, F=16], f32>
!w = !heddle.tensor<[D=32, F=16], f32>
!b = !heddle.tensor<[F=16], f32>
// The gradient of a bias is the sum of what the gradient of its weight packs, also where all else is left to a nest.
// CHECK-LABEL: @bias
// CHECK: %[[ALL:.*]]:2 = heddle.fused(%arg0, %arg1)
// CHECK-NEXT: ^bb0(%[[X:.*]]: {{.*}}, %[[G:[^:]*]]: {{.*}}):
// CHECK-NEXT: %[[P:.*]] = heddle.contract %[[X]], %[[G]]
// CHECK-NEXT: %[[S:.*]] = heddle.reduce "sum" %[[G]]
// CHECK-NEXT: heddle.yield %[[P]], %[[S]]
// CHECK: heddle.mul %[[ALL]]#0, %[[ALL]]#0
// CHECK: return %[[ALL]]#0, %[[ALL]]#1
func.func @bias(%x: !x, %g: !g) -> (!w, !b, !heddle.tensor<[], f32>) {
  %s = heddle.reduce "sum" %g over ["T", "B"] : (!g) -> !b
  %p = heddle.contract %x, %g over ["B", "T"] : (!x, !g) -> !w
  %q = heddle.mul %p, %p : (!w, !w) -> !w
  %n = heddle.reduce "sum" %q over ["D", "F"] : (!w) -> !heddle.tensor<[], f32>
  return %p, %s, %n : !w, !b, !heddle.tensor<[], f32>
}
// An epilogue that reads another bias.
// CHECK-LABEL: @both
// CHECK: %[[ALL:.*]]:2 = heddle.fused(%arg0, %arg1, %arg2)
// CHECK: heddle.contract
// CHECK-NEXT: %[[A:.*]] = heddle.add
// CHECK-NEXT: %[[S:.*]] = heddle.reduce
// CHECK-NEXT: heddle.yield %[[A]], %[[S]]
func.func @both(%x: !x, %g: !g, %b: !b) -> (!w, !b) {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!g) -> !b
  %p = heddle.contract %x, %g over ["B", "T"] : (!x, !g) -> !w
  %u = heddle.add %p, %b : (!w, !b) -> !w
  return %u, %s : !w, !b
}
// An epilogue that needs the sum goes first.
// CHECK-LABEL: @later
// CHECK: heddle.reduce
// CHECK: heddle.fused
// CHECK-NOT: heddle.reduce
// CHECK: return
func.func @later(%x: !x, %g: !g, %b: !b) -> (!w, !b) {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!g) -> !b
  %p = heddle.contract %x, %g over ["B", "T"] : (!x, !g) -> !w
  %u = heddle.add %p, %s : (!w, !b) -> !w
  return %u, %s : !w, !b
}
// The operand whose rows the result has; a sum over less; the largest; a sum that the product needs; few rows, of which
// none are packed.
// CHECK-LABEL: @othersums
// CHECK-NOT: heddle.fused
func.func @othersums(%x: !x, %g: !g) -> (!w, !heddle.tensor<[D=32], f32>, !heddle.tensor<[T=8, F=16], f32>, !b) {
  %s = heddle.reduce "sum" %x over ["B", "T"] : (!x) -> !heddle.tensor<[D=32], f32>
  %q = heddle.reduce "sum" %g over ["B"] : (!g) -> !heddle.tensor<[T=8, F=16], f32>
  %m = heddle.reduce "max" %g over ["B", "T"] : (!g) -> !b
  %p = heddle.contract %x, %g over ["B", "T"] : (!x, !g) -> !w
  return %p, %s, %q, %m : !w, !heddle.tensor<[D=32], f32>, !heddle.tensor<[T=8, F=16], f32>, !b
}
// The sum over several products, too.
// CHECK-LABEL: @several
// CHECK-NOT: heddle.fused
func.func @several(%x: !x, %g: !g) -> (!heddle.tensor<[B=2, D=32, F=16], f32>, !b) {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!g) -> !b
  %p = heddle.contract %x, %g over ["T"] : (!x, !g) -> !heddle.tensor<[B=2, D=32, F=16], f32>
  return %p, %s : !heddle.tensor<[B=2, D=32, F=16], f32>, !b
}
// CHECK-LABEL: @needed
// CHECK-NOT: heddle.fused
func.func @needed(%g: !g) -> !heddle.tensor<[S=16, F=16], f32> {
  %s = heddle.reduce "sum" %g over ["B", "T"] : (!g) -> !b
  %d = heddle.sub %g, %s : (!g, !b) -> !g
  %r = heddle.rename %d ["F" -> "S"] : (!g) -> !heddle.tensor<[B=2, T=8, S=16], f32>
  %p = heddle.contract %r, %g over ["B", "T"] : (!heddle.tensor<[B=2, T=8, S=16], f32>, !g) -> !heddle.tensor<[S=16, F=16], f32>
  return %p : !heddle.tensor<[S=16, F=16], f32>
}
// CHECK-LABEL: @fewrows
// CHECK-NOT: heddle.fused
func.func @fewrows(%x: !heddle.tensor<[B=16, D=3], f32>, %g: !heddle.tensor<[B=16, F=256], f32>) -> (!heddle.tensor<[D=3, F=256], f32>, !heddle.tensor<[F=256], f32>) {
  %p = heddle.contract %x, %g over ["B"] : (!heddle.tensor<[B=16, D=3], f32>, !heddle.tensor<[B=16, F=256], f32>) -> !heddle.tensor<[D=3, F=256], f32>
  %s = heddle.reduce "sum" %g over ["B"] : (!heddle.tensor<[B=16, F=256], f32>) -> !heddle.tensor<[F=256], f32>
  return %p, %s : !heddle.tensor<[D=3, F=256], f32>, !heddle.tensor<[F=256], f32>
}
