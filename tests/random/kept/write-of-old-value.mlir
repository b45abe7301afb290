// unfused: train/@state was the new value of @w, not the old one: the optimizer writes over @w before the copy for @state
// was taken. Found by seed 10711.
// random-programs --replay tests/random/kept/write-of-old-value.mlir
module attributes {heddle.optimizer = {clip = 0.0 : f64, lr = @optimizer.lr, name = "sgd", rules = [{parameters = [@w], rule = @optimizer.0}]}, random.seed = 10711 : i64} {
  heddle.variable @w "parameter" "uniform"(-1.0, 1.0) stream 0 : !heddle.tensor<[A=3], f32>
  heddle.variable @state "state" "uniform"(-1.0, 1.0) stream 1 : !heddle.tensor<[A=3], f32>
  func.func @train() -> (!heddle.tensor<[], f32> {heddle.name = "loss.main"}) attributes {heddle.minimise = "main"} {
    %w = heddle.read @w : <[A=3], f32>
    %s = heddle.read @state : <[A=3], f32>
    %p = heddle.mul %w, %s : (!heddle.tensor<[A=3], f32>, !heddle.tensor<[A=3], f32>) -> !heddle.tensor<[A=3], f32>
    %q = heddle.sin %p : (!heddle.tensor<[A=3], f32>) -> !heddle.tensor<[A=3], f32>
    %l = heddle.reduce "sum" %q over ["A"] : (!heddle.tensor<[A=3], f32>) -> !heddle.tensor<[], f32>
    heddle.write %w, @state : <[A=3], f32>
    return %l : !heddle.tensor<[], f32>
  }
  func.func private @optimizer.0(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}, %w: !heddle.tensor<[rest=1], f32> {heddle.name = "parameter"},
      %g: !heddle.tensor<[rest=1], f32> {heddle.name = "gradient"}) -> (!heddle.tensor<[rest=1], f32> {heddle.name = "parameter"}) {
    %r = heddle.constant 1.0e-01 : !heddle.tensor<[], f32>
    %c = heddle.mul %r, %g : (!heddle.tensor<[], f32>, !heddle.tensor<[rest=1], f32>) -> !heddle.tensor<[rest=1], f32>
    %n = heddle.sub %w, %c : (!heddle.tensor<[rest=1], f32>, !heddle.tensor<[rest=1], f32>) -> !heddle.tensor<[rest=1], f32>
    return %n : !heddle.tensor<[rest=1], f32>
  }
  func.func private @optimizer.lr(%step: !heddle.tensor<[], i32> {heddle.name = "$step"}) -> (!heddle.tensor<[], f32> {heddle.name = "lr"}) {
    %r = heddle.constant 1.0e-01 : !heddle.tensor<[], f32>
    return %r : !heddle.tensor<[], f32>
  }
}
