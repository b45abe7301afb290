// jit: train/grad.w0 was 0: the gradients of two carried values, exchanged in one nest. Found by seed 13406.
// random-programs --replay tests/random/kept/exchange-of-gradients.mlir
module attributes {random.seed = 13406 : i64} {
  heddle.variable @w0 "parameter" "uniform"(-1.000000e+00, 1.000000e+00) stream 0 : !heddle.tensor<[D=5, B=33, E=5], f32>
  func.func @train(%arg0: !heddle.tensor<[], f32> {heddle.name = "y0", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg1: !heddle.tensor<[], f32> {heddle.name = "y1", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}) -> (!heddle.tensor<[], f32> {heddle.name = "loss.main"}) attributes {heddle.minimise = "main"} {
    %0 = heddle.read @w0 : <[D=5, B=33, E=5], f32>
    %1 = heddle.rename %0["B" -> "B2"] : (!heddle.tensor<[D=5, B=33, E=5], f32>) -> !heddle.tensor<[D=5, B2=33, E=5], f32>
    %2 = heddle.reduce "max" %1 over ["B2", "E"] : (!heddle.tensor<[D=5, B2=33, E=5], f32>) -> !heddle.tensor<[D=5], f32>
    %3:2 = heddle.repeat "loop5" over "M" = 1 carry(%2, %2) stack() : (!heddle.tensor<[D=5], f32>, !heddle.tensor<[D=5], f32>) -> (!heddle.tensor<[D=5], f32>, !heddle.tensor<[D=5], f32>) {
    ^bb0(%arg2: !heddle.tensor<[], i32>, %arg3: !heddle.tensor<[D=5], f32>, %arg4: !heddle.tensor<[D=5], f32>):
      %9 = heddle.constant 5.000000e-01 : !heddle.tensor<[], f32>
      %10 = heddle.mul %arg4, %9 : (!heddle.tensor<[D=5], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[D=5], f32>
      %11 = heddle.constant 5.000000e-01 : !heddle.tensor<[], f32>
      %12 = heddle.mul %arg3, %11 : (!heddle.tensor<[D=5], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[D=5], f32>
      %13 = heddle.add %12, %10 : (!heddle.tensor<[D=5], f32>, !heddle.tensor<[D=5], f32>) -> !heddle.tensor<[D=5], f32>
      heddle.yield %13, %arg3 : !heddle.tensor<[D=5], f32>, !heddle.tensor<[D=5], f32>
    }
    %4 = heddle.reduce "sum" %3#1 over ["D"] : (!heddle.tensor<[D=5], f32>) -> !heddle.tensor<[], f32>
    %5 = heddle.constant 8.000000e-01 : !heddle.tensor<[], f32>
    %6 = heddle.mul %4, %5 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %7 = heddle.add %6, %arg1 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %8 = heddle.add %7, %arg0 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    return %8 : !heddle.tensor<[], f32>
  }
}

