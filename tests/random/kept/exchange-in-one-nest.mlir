// jit: train/grad.y1 was 0: one nest gives both carried values their new ones, each where the other lies, and had stored the
// first before it read the second. Found by seed 14327.
// random-programs --replay tests/random/kept/exchange-in-one-nest.mlir
module attributes {random.seed = 14327 : i64} {
  func.func @train(%arg0: !heddle.tensor<[E=16], f32> {heddle.name = "y0", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg1: !heddle.tensor<[P=3, E=16], f32> {heddle.name = "y1", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg2: !heddle.tensor<[], f32> {heddle.name = "y2", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}) -> (!heddle.tensor<[], f32> {heddle.name = "loss.main"}) attributes {heddle.input_gradients, heddle.minimise = "main"} {
    %0 = heddle.repeat "loop7" over "P" = 3 carry(%arg0) stack(%arg1) : (!heddle.tensor<[E=16], f32>, !heddle.tensor<[P=3, E=16], f32>) -> !heddle.tensor<[E=16], f32> {
    ^bb0(%arg3: !heddle.tensor<[], i32>, %arg4: !heddle.tensor<[E=16], f32>, %arg5: !heddle.tensor<[E=16], f32>):
      %5:2 = heddle.repeat "loop6" over "N" = 1 carry(%arg4, %arg5) stack() : (!heddle.tensor<[E=16], f32>, !heddle.tensor<[E=16], f32>) -> (!heddle.tensor<[E=16], f32>, !heddle.tensor<[E=16], f32>) {
      ^bb0(%arg6: !heddle.tensor<[], i32>, %arg7: !heddle.tensor<[E=16], f32>, %arg8: !heddle.tensor<[E=16], f32>):
        %6 = heddle.sub %arg7, %arg8 : (!heddle.tensor<[E=16], f32>, !heddle.tensor<[E=16], f32>) -> !heddle.tensor<[E=16], f32>
        %7 = heddle.constant 2.500000e-01 : !heddle.tensor<[], f32>
        %8 = heddle.mul %6, %7 : (!heddle.tensor<[E=16], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[E=16], f32>
        heddle.yield %arg8, %8 : !heddle.tensor<[E=16], f32>, !heddle.tensor<[E=16], f32>
      }
      heddle.yield %5#0 : !heddle.tensor<[E=16], f32>
    }
    %1 = heddle.reduce "sum" %0 over ["E"] : (!heddle.tensor<[E=16], f32>) -> !heddle.tensor<[], f32>
    %2 = heddle.constant 1.250000e-01 : !heddle.tensor<[], f32>
    %3 = heddle.mul %1, %2 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %4 = heddle.add %3, %arg2 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    return %4 : !heddle.tensor<[], f32>
  }
}

