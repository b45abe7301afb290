// What the verifier of concat refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// concat_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{names 2 axes for 1 pieces}}
  %0 = heddle.concat %x over ["A", "A"] to "T" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[T=2, B=3], f32>
  return
}

// -----

// concat_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{a piece has no dim "C"}}
  %0 = heddle.concat %x over ["C"] to "T" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[T=2, B=3], f32>
  return
}

// -----

// concat_c1
func.func @f(%x: !heddle.tensor<[A=2, T=3], f32>) {
  // expected-error@+1 {{a piece has dim "T" of the result}}
  %0 = heddle.concat %x over ["A"] to "T" : (!heddle.tensor<[A=2, T=3], f32>) -> !heddle.tensor<[T=2], f32>
  return
}

// -----

// concat_c2
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{the result has no dim "T"}}
  %0 = heddle.concat %x over ["A"] to "T" : (!heddle.tensor<[A=2, B=3], f32>) -> !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// concat_c2: a piece without a dim of the others
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>, %y: !heddle.tensor<[C=2], f32>) {
  // expected-error@+1 {{the result has the other dims of every piece and their element type}}
  %0 = heddle.concat %x, %y over ["A", "C"] to "T" : (!heddle.tensor<[A=2, B=3], f32>, !heddle.tensor<[C=2], f32>) -> !heddle.tensor<[T=4, B=3], f32>
  return
}

// -----

// concat_c2: another type
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[C=2], i32>) {
  // expected-error@+1 {{the result has the other dims of every piece and their element type}}
  %0 = heddle.concat %x, %y over ["A", "C"] to "T" : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[C=2], i32>) -> !heddle.tensor<[T=4], f32>
  return
}

// -----

// concat_c3
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[], f32>) {
  // expected-error@+1 {{the pieces have 3 positions, not 4}}
  %0 = heddle.concat %x, %y over ["A", ""] to "T" : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[T=4], f32>
  return
}
