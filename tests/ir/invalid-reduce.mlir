// What the verifier of reduce refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// reduce_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{kind 'mean' is not sum, max or min}}
  %0 = heddle.reduce "mean" %x over ["B"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// reduce_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{cannot go over "C"}}
  %0 = heddle.reduce "sum" %x over ["C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// reduce_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{dim "B" is named twice}}
  %0 = heddle.reduce "sum" %x over ["B", "B"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// reduce_c3
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result has the operand's other dims and its element type}}
  %0 = heddle.reduce "sum" %x over ["B"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// reduce_c3
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result has the operand's other dims and its element type}}
  %0 = heddle.reduce "max" %x over ["B"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], i32>
  return
}
