// pass kernel: 'memref.load' operand #0 must be memref, but got 'index': the gradient of a gather by a loop's own index adds
// at that index, which is no buffer. Found by seed 10612.
// random-programs --replay tests/random/kept/scatter-at-loop-index.mlir
module attributes {random.seed = 10612 : i64} {
  heddle.variable @w "parameter" "uniform"(-1.0, 1.0) stream 0 : !heddle.tensor<[A=5, B=3], f32>
  func.func @train(%x: !heddle.tensor<[B=3], f32> {heddle.name = "x", random.low = -1.0 : f64, random.high = 1.0 : f64}) -> (!heddle.tensor<[], f32> {heddle.name = "loss.main"}) attributes {heddle.input_gradients, heddle.minimise = "main"} {
    %w = heddle.read @w : <[A=5, B=3], f32>
    %y = heddle.repeat "h" over "L" = 4 carry(%x) stack() : (!heddle.tensor<[B=3], f32>) -> !heddle.tensor<[B=3], f32> {
    ^bb0(%h: !heddle.tensor<[], i32>, %c: !heddle.tensor<[B=3], f32>):
      %g = heddle.gather %w["A" = %h] : (!heddle.tensor<[A=5, B=3], f32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[B=3], f32>
      %p = heddle.mul %g, %c : (!heddle.tensor<[B=3], f32>, !heddle.tensor<[B=3], f32>) -> !heddle.tensor<[B=3], f32>
      %s = heddle.sin %p : (!heddle.tensor<[B=3], f32>) -> !heddle.tensor<[B=3], f32>
      heddle.yield %s : !heddle.tensor<[B=3], f32>
    }
    %l = heddle.reduce "sum" %y over ["B"] : (!heddle.tensor<[B=3], f32>) -> !heddle.tensor<[], f32>
    return %l : !heddle.tensor<[], f32>
  }
}
