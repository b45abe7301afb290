// Entries that cannot be differentiated are refused.
// RUN: %heddle-opt --derive-backward --split-input-file --verify-diagnostics %s

!s = !heddle.tensor<[], f32>
// expected-error @+1 {{no result is named "lm" or "loss.lm"}}
func.func @no_loss(%x: !s) -> (!s {heddle.name = "loss.ml"}) attributes {heddle.minimise = "lm"} {
  return %x : !s
}

// -----

!x = !heddle.tensor<[B=2], f32>
// expected-error @+1 {{only an f32 scalar can be minimised}}
func.func @not_a_scalar(%x: !x) -> (!x {heddle.name = "loss.lm"}) attributes {heddle.minimise = "lm"} {
  return %x : !x
}

// -----

!s = !heddle.tensor<[], f32>
// expected-error @+1 {{the loss "lm" depends on no parameter that is trained}}
func.func @no_parameter(%x: !s) -> (!s {heddle.name = "loss.lm"}) attributes {heddle.minimise = "lm"} {
  return %x : !s
}

// -----

!s = !heddle.tensor<[], f32>
heddle.variable @w "parameter" "constant"(0.0, 0.0) stream 1 : !s
func.func @fused() -> (!s {heddle.name = "loss.lm"}) attributes {heddle.minimise = "lm"} {
  %w = heddle.read @w : !s
  // expected-error @+1 {{has no gradient; derive backward before fusing}}
  %f = heddle.fused(%w) : (!s) -> !s {
  ^bb0(%a: !s):
    %n = heddle.neg %a : (!s) -> !s
    heddle.yield %n : !s
  }
  return %f : !s
}
