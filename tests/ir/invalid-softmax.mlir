// What the verifier of softmax and log_softmax refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// softmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.softmax %x over "C" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// softmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand and result have one set of dims}}
  %0 = heddle.softmax %x over "B" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// log_softmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.log_softmax %x over "C" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// log_softmax_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand and result have one set of dims}}
  %0 = heddle.log_softmax %x over "B" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2], f32>
  return
}
