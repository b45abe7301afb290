// Malformed optimizers and rules are refused.
// RUN: %heddle-opt --apply-optimizer --split-input-file --verify-diagnostics %s

// expected-error @+1 {{it is no dictionary}}
module attributes {heddle.optimizer = 3 : i64} {}

// -----

// expected-error @+1 {{name is no name}}
module attributes {heddle.optimizer = {name = "a.b"}} {}

// -----

// expected-error @+1 {{clip is no number from 0}}
module attributes {heddle.optimizer = {name = "sgd", clip = -1.0 : f64}} {}

// -----

// expected-error @+1 {{lr is no function of the module}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate}} {}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = []}} {
  // expected-error @+1 {{a learning rate is a function of $step, an i32, that gives lr, an f32}}
  func.func private @rate(%step: !heddle.tensor<[], f32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    return %step : !heddle.tensor<[], f32>
  }
}

// -----

// expected-error @+1 {{rules are missing}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
}

// -----

// expected-error @+1 {{a rule is {rule = @f, parameters = [@p, ...]}, where @f is a function}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
}

// -----

// expected-error @+1 {{there is no @train}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = []}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{the results of a rule are "parameter" and each of its states, of their type}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "other"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{"momentum" is no argument of a rule}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "momentum"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{a rule takes "gradient" and "parameter" and gives "parameter"}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{"state.m" has no heddle.init}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}, %m: !heddle.tensor<[rest=1], f32> {heddle.name = "state.m"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{"state.m" has no next value}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}, %m: !heddle.tensor<[rest=1], f32> {heddle.name = "state.m", heddle.init = 0.0 : f64}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  // expected-error @+1 {{all arguments of a rule but $step are f32 tensors of one dim, the same for all}}
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=2], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    // expected-error @+1 {{'heddle.softmax' is not elementwise}}
    %q = heddle.softmax %p over "rest" : (!heddle.tensor<[rest=1], f32>) -> !heddle.tensor<[rest=1], f32>
    return %q : !heddle.tensor<[rest=1], f32>
  }
}

// -----

// expected-error @+1 {{this is no parameter: @w}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = [@w]}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

// expected-error @+1 {{two rules have the parameter @w}}
module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = [@w, @w]}]}} {
  heddle.variable @w "parameter" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[D=3], f32>
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
  // expected-error @+1 {{this function is neither an entry nor a rule of the optimizer}}
  func.func private @spare() { return }
}

// -----

module {
  // expected-error @+1 {{this function is no entry, and there is no optimizer}}
  func.func private @spare() { return }
}

// -----

module attributes {heddle.optimizer = {name = "sgd", lr = @rate, rules = [{rule = @rule, parameters = []}]}} {
  // expected-error @+1 {{no rule has the parameter w}}
  heddle.variable @w "parameter" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[D=3], f32>
  func.func private @rate(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
  func.func private @rule(%p: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}, %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    return %p : !heddle.tensor<[rest=1], f32>
  }
  func.func @train(%g: !heddle.tensor<[D=3], f32>) -> (!heddle.tensor<[D=3], f32> {heddle.name = "grad.w"}) {
    return %g : !heddle.tensor<[D=3], f32>
  }
}
