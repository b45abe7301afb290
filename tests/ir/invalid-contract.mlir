// What the verifier of contract refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// contract_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{sums over at least one dim}}
  %0 = heddle.contract %x, %y over [] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2, B=3, C=4], f32>
  return
}

// -----

// contract_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{cannot go over "A"}}
  %0 = heddle.contract %x, %y over ["A"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[B=3, C=4], f32>
  return
}

// -----

// contract_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{cannot go over "C"}}
  %0 = heddle.contract %x, %y over ["C"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// contract_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{dim "B" is named twice}}
  %0 = heddle.contract %x, %y over ["B", "B"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2, C=4], f32>
  return
}

// -----

// contract_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=4, C=4], f32>) {
  // expected-error@+1 {{dim "B" has two sizes}}
  %0 = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=4, C=4], f32>) -> !heddle.tensor<[A=2, C=4], f32>
  return
}

// -----

// contract_c1: a batch dim
func.func @f(%x: !heddle.tensor<[D=5, A=2, B=3], f32>, %y: !heddle.tensor<[D=6, B=3, C=4], f32>) {
  // expected-error@+1 {{dim "D" has two sizes}}
  %0 = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[D=5, A=2, B=3], f32>, !heddle.tensor<[D=6, B=3, C=4], f32>) -> !heddle.tensor<[D=5, A=2, C=4], f32>
  return
}

// -----

// contract_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{the result's dims are those of both operands without the summed ones}}
  %0 = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2, B=3, C=4], f32>
  return
}

// -----

// contract_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{the result's dims are those of both operands without the summed ones}}
  %0 = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2], f32>
  return
}

// -----

// contract_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>) {
  // expected-error@+1 {{the result's dims are those of both operands without the summed ones}}
  %0 = heddle.contract %x, %y over ["B"] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>) -> !heddle.tensor<[A=2, C=5], f32>
  return
}

// -----

// contract_c3
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[B=3, C=4], f32>, %z: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{the dims of '!heddle.tensor<[A=2], f32>' are not the last of the result's}}
  %0 = heddle.contract %x, %y over ["B"] onto(%z) : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=3, C=4], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2, C=4], f32>
  return
}
