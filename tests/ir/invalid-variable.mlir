// What the verifier of variable, read and write refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// variable_c1
// expected-error@+1 {{kind 'weight' is not parameter, optimizer, state or cache}}
heddle.variable @w "weight" "normal"(0.0, 0.02) stream 1 : !heddle.tensor<[A=2], f32>

// -----

// variable_c1
// expected-error@+1 {{init 'zeros' is not constant, normal or uniform}}
heddle.variable @w "parameter" "zeros"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2], f32>

// -----

// variable_c2
// expected-error@+1 {{repeats lies between 0 and the rank}}
heddle.variable @"h.{}.{}.w" "parameter" "normal"(0.0, 0.02) stream 1 {repeats = 2 : i64} : !heddle.tensor<[A=2], f32>

// -----

// variable_c2
// expected-error@+1 {{repeats lies between 0 and the rank}}
heddle.variable @w "parameter" "normal"(0.0, 0.02) stream 1 {repeats = -1 : i64} : !heddle.tensor<[A=2], f32>

// -----

// variable_c2
// expected-error@+1 {{the name holds as many {} as repeats, 1}}
heddle.variable @"h.w" "parameter" "normal"(0.0, 0.02) stream 1 {repeats = 1 : i64} : !heddle.tensor<[A=2], f32>

// -----

// read_c1
func.func @f() {
  // expected-error@+1 {{no variable @w}}
  %0 = heddle.read @w : !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// read_c1
heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2, B=3], f32>
func.func @f() {
  // expected-error@+1 {{variable @w is}}
  %0 = heddle.read @w : !heddle.tensor<[A=2, B=4], f32>
  return
}

// -----

// read_c1
heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2, B=3], f32>
func.func @f() {
  // expected-error@+1 {{variable @w is}}
  %0 = heddle.read @w : !heddle.tensor<[A=2, B=3], i32>
  return
}

// -----

// read_c1: a read is a view, so its dims keep their order
heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2, B=3], f32>
func.func @f() {
  // expected-error@+1 {{variable @w is}}
  %0 = heddle.read @w : !heddle.tensor<[B=3, A=2], f32>
  return
}

// -----

// write_c1: so is a write
heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2, B=3], f32>
func.func @f(%x: !heddle.tensor<[B=3, A=2], f32>) {
  // expected-error@+1 {{variable @w is}}
  heddle.write %x, @w : !heddle.tensor<[B=3, A=2], f32>
  return
}

// -----

// write_c1
func.func @f(%x: !heddle.tensor<[A=2, B=3], f32>) {
  // expected-error@+1 {{no variable @w}}
  heddle.write %x, @w : !heddle.tensor<[A=2, B=3], f32>
  return
}

// -----

// write_c1
heddle.variable @w "state" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[A=2, B=3], f32>
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{variable @w is}}
  heddle.write %x, @w : !heddle.tensor<[A=2], f32>
  return
}
