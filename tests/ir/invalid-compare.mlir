// What the verifier of compare refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// compare_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{predicate 'lower' is not eq, ne, lt, le, gt or ge}}
  %0 = heddle.compare "lower" %x, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], i1>
  return
}

// -----

// compare_c2
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{operands need one element type}}
  %0 = heddle.compare "lt" %x, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2], i1>
  return
}

// -----

// compare_c2
func.func @f(%x: !heddle.tensor<[A=2], i1>, %y: !heddle.tensor<[A=2], i1>) {
  // expected-error@+1 {{bools have no order}}
  %0 = heddle.compare "lt" %x, %y : (!heddle.tensor<[A=2], i1>, !heddle.tensor<[A=2], i1>) -> !heddle.tensor<[A=2], i1>
  return
}

// -----

// elementwise_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[B=3], f32>) {
  // expected-error@+1 {{operand 1 has dim "B", which the result lacks}}
  %0 = heddle.compare "lt" %x, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[B=3], f32>) -> !heddle.tensor<[A=2], i1>
  return
}
