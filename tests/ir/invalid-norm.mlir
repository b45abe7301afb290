// What the verifier of layer_norm and rms_norm refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// layer_norm_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.layer_norm %x over "C" eps 1.0e-5 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// layer_norm_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand and result have one set of dims}}
  %0 = heddle.layer_norm %x over "B" eps 1.0e-5 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=4], f32>
  return
}

// -----

// layer_norm_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{eps is at least 0, not -1}}
  %0 = heddle.layer_norm %x over "B" eps -1.0 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// layer_norm_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{eps is at least 0, not nan}}
  %0 = heddle.layer_norm %x over "B" eps 0x7FF8000000000000 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// rms_norm_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.rms_norm %x over "C" eps 1.0e-5 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// rms_norm_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand and result have one set of dims}}
  %0 = heddle.rms_norm %x over "B" eps 1.0e-5 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=4], f32>
  return
}

// -----

// rms_norm_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{eps is at least 0, not -1}}
  %0 = heddle.rms_norm %x over "B" eps -1.0 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// rms_norm_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{eps is at least 0, not nan}}
  %0 = heddle.rms_norm %x over "B" eps 0x7FF8000000000000 : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}
