// Malformed optimizers are refused.
// RUN: %heddle-opt --apply-optimizer --split-input-file --verify-diagnostics %s

// expected-error @+1 {{kind is not sgd, momentum, adam or adamw}}
module attributes {heddle.optimizer = {kind = "lion"}} {}

// -----

// expected-error @+1 {{adam needs eps}}
module attributes {heddle.optimizer = {kind = "adam", lr = [], steps = 1 : i64, beta1 = 0.9, beta2 = 0.9}} {}

// -----

// expected-error @+1 {{there is no @train}}
module attributes {heddle.optimizer = {kind = "sgd", lr = [], steps = 1 : i64}} {}

// -----

module attributes {heddle.optimizer = {kind = "sgd", lr = [{kind = "warmup", steps = 3 : i64}], steps = 9 : i64}} {
  // expected-error @+1 {{lr is no schedule}}
  func.func @train() { return }
}
