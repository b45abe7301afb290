// unfused: train/@state was the new value of @w, not the old one: the optimizer writes over @w before the copy for @state
// was taken. Found by seed 10711.
// random-programs --replay tests/random/kept/write-of-old-value.mlir
module attributes {heddle.optimizer = {kind = "sgd", lr = [{from = 1.0e-01 : f64, kind = "constant", to = 1.0e-01 : f64}], steps = 2000 : i64}, random.seed = 10711 : i64} {
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
}
