// What the verifier of select refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// select_c1
func.func @f(%c: !heddle.tensor<[A=2], i1>, %x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{x, y and the result need one element type}}
  %0 = heddle.select %c, %x, %y : (!heddle.tensor<[A=2], i1>, !heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// select_c1
func.func @f(%c: !heddle.tensor<[A=2], i1>, %x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{x, y and the result need one element type}}
  %0 = heddle.select %c, %x, %y : (!heddle.tensor<[A=2], i1>, !heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], i32>
  return
}

// -----

// elementwise_c1
func.func @f(%c: !heddle.tensor<[A=2], i1>, %x: !heddle.tensor<[], f32>, %y: !heddle.tensor<[], f32>) {
  // expected-error@+1 {{operand 0 has dim "A", which the result lacks}}
  %0 = heddle.select %c, %x, %y : (!heddle.tensor<[A=2], i1>, !heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
  return
}
