// What the verifier of rename refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// rename_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.rename %x["C" -> "D"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// rename_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{operand has dim "B" already}}
  %0 = heddle.rename %x["A" -> "B"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[B=3], f32>
  return
}

// -----

// rename_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result is the operand with "A" named "C"}}
  %0 = heddle.rename %x["A" -> "C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// rename_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result is the operand with "A" named "C"}}
  %0 = heddle.rename %x["A" -> "C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[C=2, B=3], i32>
  return
}

// -----

// rename_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result is the operand with "A" named "C"}}
  %0 = heddle.rename %x["A" -> "C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[B=3, C=2], f32>
  return
}
