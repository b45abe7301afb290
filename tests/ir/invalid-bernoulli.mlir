// What the verifier of bernoulli refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// bernoulli_c1
func.func @f(%s: !heddle.tensor<[word=3], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{seed has two elements}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A", "B"] : (!heddle.tensor<[word=3], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c1
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[A=2], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{step is a scalar}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A", "B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[A=2], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c1
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[A=2], i32>) {
  // expected-error@+1 {{indices are scalars}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A", "B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[A=2], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c2
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{keep lies between 0 and 1, not 1}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 1.0 stream 1 order ["A", "B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c2
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{keep lies between 0 and 1, not 0}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.0 stream 1 order ["A", "B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c2
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{keep lies between 0 and 1, not nan}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0x7FF8000000000000 stream 1 order ["A", "B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c3
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{order holds the result's dims, each once}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c3
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{order holds the result's dims, each once}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A", "A"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}

// -----

// bernoulli_c3
func.func @f(%s: !heddle.tensor<[word=2], i32>, %t: !heddle.tensor<[], i32>, %h: !heddle.tensor<[], i32>) {
  // expected-error@+1 {{order holds the result's dims, each once}}
  %0 = heddle.bernoulli %s, %t indices(%h) keep 0.9 stream 1 order ["A", "C"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[A=2, B=3], i1>
  return
}
