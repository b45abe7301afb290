// What the verifier of regroup refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// regroup_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{goes from at least one dim}}
  %0 = heddle.regroup %x [] to ["C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3, C=1], f32>
  return
}

// -----

// regroup_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{has no such dim}}
  %0 = heddle.regroup %x ["D"] to ["C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3, C=1], f32>
  return
}

// -----

// regroup_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{dim "A" is named twice}}
  %0 = heddle.regroup %x ["A", "A"] to ["C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[B=3, C=4], f32>
  return
}

// -----

// regroup_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{goes to at least one dim}}
  %0 = heddle.regroup %x ["A"] to [] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[B=3], f32>
  return
}

// -----

// regroup_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{dim "A" stands on both sides}}
  %0 = heddle.regroup %x ["A", "B"] to ["A", "C"] : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=3, C=2], f32>
  return
}

// -----

// regroup_c2
func.func @f(%x: !heddle.tensor<[A=4, B=3], f32>) {
  // expected-error@+1 {{the result has the operand's other dims and its element type}}
  %0 = heddle.regroup %x ["A"] to ["C", "D"] : (!heddle.tensor<[A=4, B=3], f32>) -> !heddle.tensor<[C=2, D=2], f32>
  return
}

// -----

// regroup_c2
func.func @f(%x: !heddle.tensor<[A=4, B=3], f32>) {
  // expected-error@+1 {{the result has the operand's other dims and its element type}}
  %0 = heddle.regroup %x ["A"] to ["C", "D"] : (!heddle.tensor<[A=4, B=3], f32>) -> !heddle.tensor<[C=2, D=2, B=3], i32>
  return
}

// -----

// regroup_c3
func.func @f(%x: !heddle.tensor<[A=4, B=3], f32>) {
  // expected-error@+1 {{regroups 12 positions as 10}}
  %0 = heddle.regroup %x ["A", "B"] to ["N"] : (!heddle.tensor<[A=4, B=3], f32>) -> !heddle.tensor<[N=10], f32>
  return
}

// -----

// regroup_c3
func.func @f(%x: !heddle.tensor<[A=65536, B=65536], f32>) {
  // expected-error@+1 {{regroups 4294967296 positions, more than 2147483647}}
  %0 = heddle.regroup %x ["A", "B"] to ["N"] : (!heddle.tensor<[A=65536, B=65536], f32>) -> !heddle.tensor<[N=4294967296], f32>
  return
}
