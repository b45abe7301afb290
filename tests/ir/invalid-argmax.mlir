// What the verifier of argmax refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// argmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.argmax %x over "C" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], i32>
  return
}

// -----

// argmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result has the operand's dims without "B"}}
  %0 = heddle.argmax %x over "B" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[B=3], i32>
  return
}
