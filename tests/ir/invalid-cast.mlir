// What the verifier of cast refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// cast_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{must be float or int tensor}}
  %0 = heddle.cast %x : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], i1>
  return
}

// -----

// elementwise_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{operand 0 has dim "A", which the result lacks}}
  %0 = heddle.cast %x : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[], i32>
  return
}
