// What the verifier of scatter-add refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// scatter_add_c1
func.func @f(%u: !heddle.tensor<[T=4, B=3], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{the result has no dim "A"}}
  %0 = heddle.scatter_add %u["A" = %i] : (!heddle.tensor<[T=4, B=3], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[B=3], f32>
  return
}

// -----

// scatter_add_c1
func.func @f(%u: !heddle.tensor<[A=2, B=3], f32>, %i: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{updates and index have no dim "A"}}
  %0 = heddle.scatter_add %u["A" = %i] : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// scatter_add_c2
func.func @f(%u: !heddle.tensor<[T=4], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{dims of updates are those of the index and of the result without the axis}}
  %0 = heddle.scatter_add %u["A" = %i] : (!heddle.tensor<[T=4], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// scatter_add_c2
func.func @f(%u: !heddle.tensor<[T=4, B=3, C=2], f32>, %i: !heddle.tensor<[T=4], i32>) {
  // expected-error@+1 {{dims of updates are those of the index and of the result without the axis}}
  %0 = heddle.scatter_add %u["A" = %i] : (!heddle.tensor<[T=4, B=3, C=2], f32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// scatter_add_c3
func.func @f(%u: !heddle.tensor<[T=4, B=3], f32>, %i: !heddle.tensor<[T=4], i32>, %x: !heddle.tensor<[B=3, A=2], f32>) {
  // expected-error@+1 {{adds onto '!heddle.tensor<[A=2, B=3], f32>'}}
  %0 = heddle.scatter_add %u["A" = %i] onto(%x) : (!heddle.tensor<[T=4, B=3], f32>, !heddle.tensor<[T=4], i32>, !heddle.tensor<[B=3, A=2], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}
