// What the verifier of cross-entropy refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// cross_entropy_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %t: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.cross_entropy %x, %t over "C" : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// cross_entropy_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %t: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{the result has the operand's dims without "B"}}
  %0 = heddle.cross_entropy %x, %t over "B" : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// cross_entropy_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %t: !heddle.tensor<[A=2, B=3], i32>) {
  // expected-error@+1 {{target has dim "B", which the result lacks}}
  %0 = heddle.cross_entropy %x, %t over "B" : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2, B=3], i32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// cross_entropy_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %t: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{must be int tensor}}
  %0 = heddle.cross_entropy %x, %t over "B" : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32>
  return
}
