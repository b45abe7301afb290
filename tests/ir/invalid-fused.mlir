// What the verifier of fused refuses. The numbers are those of ir/graph/HeddleOps.td.
// RUN: %heddle-opt %s -verify-diagnostics -split-input-file

// fused_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{block arguments have the operands' types}}
  %0 = heddle.fused(%x) : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[B=3], f32> {
  ^bb0(%a: !heddle.tensor<[B=3], f32>):
    heddle.yield %a : !heddle.tensor<[B=3], f32>
  }
  return
}

// -----

// fused_c1
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  // expected-error@+1 {{yields the results' types}}
  %0 = heddle.fused(%x) : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[B=3], f32> {
  ^bb0(%a: !heddle.tensor<[A=2], f32>):
    heddle.yield %a : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// fused_c2
func.func @f(%x: !heddle.tensor<[A=2], f32>) {
  %0 = heddle.fused(%x) : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%a: !heddle.tensor<[A=2], f32>):
    // expected-error@+1 {{cannot stand in heddle.fused}}
    %b = heddle.softmax %a over "A" : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32>
    heddle.yield %b : !heddle.tensor<[A=2], f32>
  }
  return
}

// -----

// isolated from above
func.func @f(%x: !heddle.tensor<[A=2], f32>, %y: !heddle.tensor<[A=2], f32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %0 = heddle.fused(%x) : (!heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32> {
  ^bb0(%a: !heddle.tensor<[A=2], f32>):
    // expected-error@+1 {{using value defined outside the region}}
    %b = heddle.add %a, %y : (!heddle.tensor<[A=2], f32>, !heddle.tensor<[A=2], f32>) -> !heddle.tensor<[A=2], f32>
    heddle.yield %b : !heddle.tensor<[A=2], f32>
  }
  return
}
