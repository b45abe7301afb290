// What the verifier of position refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// position_c1
func.func @f() {
  // expected-error@+1 {{result has exactly one dim, the axis}}
  %0 = heddle.position : !heddle.tensor<[A=2, B=3], i32>
  return
}

// -----

// position_c1
func.func @f() {
  // expected-error@+1 {{result has exactly one dim, the axis}}
  %0 = heddle.position : !heddle.tensor<[], i32>
  return
}

// -----

// position_c1
func.func @f() {
  // expected-error@+1 {{must be int tensor}}
  %0 = heddle.position : !heddle.tensor<[A=2], f32>
  return
}
