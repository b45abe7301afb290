// What is a softmax, and what looks like one.
// RUN: %heddle-opt %s --raise-softmax | FileCheck %s

!x = !heddle.tensor<[T=4, S=8], f32>
!m = !heddle.tensor<[T=4, S=8], i1>
!r = !heddle.tensor<[T=4], f32>
!k = !heddle.tensor<[S=8], f32>
!c = !heddle.tensor<[], f32>
!p = !heddle.tensor<[T=4], i1>
!v = !heddle.tensor<[S=8, D=2], f32>
!o = !heddle.tensor<[T=4, D=2], f32>

// What stands in the sum and above it need not be one value.
// CHECK-LABEL: @plain
// CHECK-NEXT: %[[P:.*]] = heddle.softmax %arg0 over "S"
// CHECK-NEXT: return %[[P]]
func.func @plain(%x: !x) -> !x {
  %e = heddle.exp %x : (!x) -> !x
  %f = heddle.exp %x : (!x) -> !x
  %z = heddle.reduce "sum" %f over ["S"] : (!x) -> !r
  %y = heddle.div %e, %z : (!x, !r) -> !x
  return %y : !x
}

// The form that decompose-norms writes.
// CHECK-LABEL: @guarded
// CHECK-NEXT: %[[P:.*]] = heddle.softmax %arg0 over "S"
// CHECK-NEXT: return %[[P]]
func.func @guarded(%x: !x) -> !x {
  %zero = heddle.constant 0.0 : !c
  %one = heddle.constant 1.0 : !c
  %low = heddle.constant -inf : !c
  %m = heddle.reduce "max" %x over ["S"] : (!x) -> !r
  %b = heddle.compare "eq" %m, %low : (!r, !c) -> !p
  %n = heddle.select %b, %zero, %m : (!p, !c, !r) -> !r
  %s = heddle.sub %x, %n : (!x, !r) -> !x
  %e = heddle.exp %s : (!x) -> !x
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %d = heddle.compare "eq" %z, %zero : (!r, !c) -> !p
  %g = heddle.select %d, %one, %z : (!p, !c, !r) -> !r
  %y = heddle.div %e, %g : (!x, !r) -> !x
  return %y : !x
}

// exp(x) where a mask holds, 0 elsewhere.
// CHECK-LABEL: @masked
// CHECK: %[[L:.*]] = heddle.constant -inf
// CHECK: %[[S:.*]] = heddle.select %arg1, %arg0, %[[L]]
// CHECK: heddle.softmax %[[S]] over "S"
func.func @masked(%x: !x, %m: !m) -> !x {
  %zero = heddle.constant 0.0 : !c
  %e = heddle.exp %x : (!x) -> !x
  %f = heddle.select %m, %e, %zero : (!m, !x, !c) -> !x
  %z = heddle.reduce "sum" %f over ["S"] : (!x) -> !r
  %y = heddle.div %f, %z : (!x, !r) -> !x
  return %y : !x
}

// The mask above the sum alone is one of the weights.
// CHECK-LABEL: @dropped
// CHECK: %[[P:.*]] = heddle.softmax %arg0 over "S"
// CHECK: heddle.select %arg1, %[[P]], %{{.*}}
func.func @dropped(%x: !x, %m: !m) -> !x {
  %zero = heddle.constant 0.0 : !c
  %e = heddle.exp %x : (!x) -> !x
  %f = heddle.select %m, %e, %zero : (!m, !x, !c) -> !x
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %y = heddle.div %f, %z : (!x, !r) -> !x
  return %y : !x
}

// The division after the product.
// CHECK-LABEL: @product
// CHECK-NEXT: %[[P:.*]] = heddle.softmax %arg0 over "S"
// CHECK-NEXT: %[[O:.*]] = heddle.contract %[[P]], %arg1 over ["S"]
// CHECK-NEXT: return %[[O]]
func.func @product(%x: !x, %v: !v) -> !o {
  %e = heddle.exp %x : (!x) -> !x
  %u = heddle.contract %e, %v over ["S"] : (!x, !v) -> !o
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %y = heddle.div %u, %z : (!o, !r) -> !o
  return %y : !o
}

// CHECK-LABEL: @logarithm
// CHECK-NEXT: %[[P:.*]] = heddle.log_softmax %arg0 over "S"
// CHECK-NEXT: return %[[P]]
func.func @logarithm(%x: !x) -> !x {
  %m = heddle.reduce "max" %x over ["S"] : (!x) -> !r
  %s = heddle.sub %x, %m : (!x, !r) -> !x
  %e = heddle.exp %s : (!x) -> !x
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %l = heddle.log %z : (!r) -> !r
  %y = heddle.sub %s, %l : (!x, !r) -> !x
  return %y : !x
}

// A number subtracted along the axis of the softmax is no shift.
// CHECK-LABEL: @bias
// CHECK: %[[S:.*]] = heddle.sub %arg0, %arg1
// CHECK: heddle.softmax %[[S]]
func.func @bias(%x: !x, %k: !k) -> !x {
  %s = heddle.sub %x, %k : (!x, !k) -> !x
  %y = heddle.softmax %s over "S" : (!x) -> !x
  return %y : !x
}

// Nor is what has a gradient of its own, which must stay 0 where it is written so.
// CHECK-LABEL: @parameter
// CHECK: %[[S:.*]] = heddle.sub %arg0, %arg1
// CHECK: heddle.softmax %[[S]]
func.func @parameter(%x: !x, %r: !r) -> !x {
  %s = heddle.sub %x, %r : (!x, !r) -> !x
  %y = heddle.softmax %s over "S" : (!x) -> !x
  return %y : !x
}

// None of these is one: another sum, another axis, a summand more, another logarithm.
// CHECK-LABEL: @others
// CHECK-NOT: softmax
// CHECK: return
func.func @others(%x: !x, %w: !x) -> (!x, !x, !x, !x) {
  %one = heddle.constant 1.0 : !c
  %e = heddle.exp %x : (!x) -> !x
  %f = heddle.exp %w : (!x) -> !x
  %zf = heddle.reduce "sum" %f over ["S"] : (!x) -> !r
  %a = heddle.div %e, %zf : (!x, !r) -> !x
  %zt = heddle.reduce "max" %e over ["S"] : (!x) -> !r
  %b = heddle.div %e, %zt : (!x, !r) -> !x
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %z1 = heddle.add %z, %one : (!r, !c) -> !r
  %c = heddle.div %e, %z1 : (!x, !r) -> !x
  %l = heddle.log %z : (!r) -> !r
  %d = heddle.sub %w, %l : (!x, !r) -> !x
  return %a, %b, %c, %d : !x, !x, !x, !x
}

// The sum has a gradient here, and would have none inside of the stop_grad.
// CHECK-LABEL: @stopped
// CHECK-NOT: softmax
// CHECK: return
func.func @stopped(%x: !x) -> !x {
  %e = heddle.exp %x : (!x) -> !x
  %f = heddle.stop_grad %e : (!x) -> !x
  %z = heddle.reduce "sum" %e over ["S"] : (!x) -> !r
  %y = heddle.div %f, %z : (!x, !r) -> !x
  return %y : !x
}
