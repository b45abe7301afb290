// What the verifier of elementwise ops refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// elementwise_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{operand 0 has dim "B", which the result lacks}}
  %0 = heddle.add %x, %y : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// elementwise_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[A=3], f32>) {
  // expected-error@+1 {{operand 1 has "A"=3, the result "A"=2}}
  %0 = heddle.add %x, %y : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// same_element_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{operands and result need one element type, not 'i32' and 'f32'}}
  %0 = heddle.add %x, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// same_element_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{operands and result need one element type, not 'f32' and 'i32'}}
  %0 = heddle.mul %x, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], i32>
  return
}

// -----

// floats only
func.func @f(%x: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{must be float tensor}}
  %0 = heddle.exp %x : (!heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2], i32>
  return
}

// -----

// bools only
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{must be bool tensor}}
  %0 = heddle.not %x : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32>
  return
}
