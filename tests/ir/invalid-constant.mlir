// What the verifier of constant refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// constant_c1
func.func @f() {
  // expected-error@+1 {{value 1 : i32 does not fit elements of 'f32'}}
  %0 = "heddle.constant"() <{value = 1 : i32}> : () -> !heddle.tensor<[], f32>
  return
}

// -----

// constant_c1
func.func @f() {
  // expected-error@+1 {{does not fit elements of 'i32'}}
  %0 = "heddle.constant"() <{value = 1.0 : f64}> : () -> !heddle.tensor<[], i32>
  return
}

// -----

// constant_c1
func.func @f() {
  // expected-error@+1 {{does not fit elements of 'i1'}}
  %0 = "heddle.constant"() <{value = 1 : i32}> : () -> !heddle.tensor<[], i1>
  return
}

// -----

// a type that is no tensor
func.func @f() {
  // expected-error@+1 {{expected a heddle.tensor type}}
  %0 = heddle.constant 1.0 : f32
  return
}

// -----

// numbers that an i32 does not hold, as text
func.func @f() {
  // expected-error@+1 {{an element of i32 is a whole number from -2147483648 to 2147483647}}
  %0 = heddle.constant 2147483648 : !heddle.tensor<[], i32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{an element of i32 is a whole number}}
  %0 = heddle.constant 0.5 : !heddle.tensor<[], i32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{an element of i32 is a whole number}}
  %0 = heddle.constant nan : !heddle.tensor<[], i32>
  return
}

// -----

func.func @f() {
  %0 = heddle.constant -2147483648 : !heddle.tensor<[], i32>
  return
}
