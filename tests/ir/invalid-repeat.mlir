// What the verifier of repeat refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// repeat_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{block arguments are the index, the carried values and the slices}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{the first block argument is the index, an i32 scalar}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], f32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{a carried value is}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[B=3], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %b : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{a slice of}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[B=3], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c1: the layer axis leads
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[A=2, L=4], f32>) {
  // expected-error@+1 {{a slice of}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2, L=4], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c1: the layer axis has the size of the count
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{a slice of}}
  %0 = heddle.repeat "h" over "L" = 5 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c2
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{yields as many values as it has results}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a, %a : !heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c2
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{carried result 0 changes its type}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[B=3], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c2
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{yields}}
  %0 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %h : !heddle.tensor<[], i32>
  }
  return
}

// -----

// repeat_c3
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{count is at least 1}}
  %0 = heddle.repeat "h" over "L" = 0 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// repeat_c2: a collected result without the layer axis
func.func @f(%x: !heddle.tensor<[A=2], f32>, %w: !heddle.tensor<[L=4, A=2], f32>) {
  // expected-error@+1 {{yields}}
  %0:2 = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[L=4, A=2], f32>) -> (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>) {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[A=2], f32>, %b: !heddle.tensor<[A=2], f32>):
    heddle.yield %a, %b : !heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>
  }
  return
}
