// What the verifier of gather refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// gather_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{operand has no dim "C"}}
  %0 = heddle.gather %x["C" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[T=4, B=3], f32>
  return
}

// -----

// gather_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{the index itself has dim "A"}}
  %0 = heddle.gather %x["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// gather_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{the result's dims are the operand's without the axis and the index's}}
  %0 = heddle.gather %x["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[T=4, A=2, B=3], f32>
  return
}

// -----

// gather_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{the result's dims are the operand's without the axis and the index's}}
  %0 = heddle.gather %x["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[T=4], f32>
  return
}

// -----

// gather_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{the result's dims are the operand's without the axis and the index's}}
  %0 = heddle.gather %x["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[T=4, B=3], i32>
  return
}

// -----

// gather_c2: a shared dim of another size
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[B=4], i32>) {
  // expected-error@+1 {{index has "B"=4, the result "B"=3}}
  %0 = heddle.gather %x["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[B=4], i32>) -> !heddle.tensor<[B=3], f32>
  return
}
