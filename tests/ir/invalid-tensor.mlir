// What the verifier of the tensor type refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// tensor_c1
// expected-error@+1 {{element type must be f32, i32 or i1, not 'f64'}}
func.func private @f(!heddle.tensor<[A=2], f64>)

// -----

// tensor_c1
// expected-error@+1 {{element type must be f32, i32 or i1, not 'i64'}}
func.func private @f(!heddle.tensor<[A=2], i64>)

// -----

// tensor_c2
// expected-error@+1 {{size of "A" must be at least 1, not 0}}
func.func private @f(!heddle.tensor<[A=0], f32>)

// -----

// tensor_c2
// expected-error@+1 {{size of "A" must be at least 1, not -3}}
func.func private @f(!heddle.tensor<[A=-3], f32>)

// -----

// tensor_c2
// expected-error@+1 {{the product of the sizes passes 2^62}}
func.func private @f(!heddle.tensor<[A=2147483648, B=2147483648, C=2], f32>)

// -----

// tensor_c3
// expected-error@+1 {{dim "A" stands twice}}
func.func private @f(!heddle.tensor<[A=2, B=3, A=2], f32>)
