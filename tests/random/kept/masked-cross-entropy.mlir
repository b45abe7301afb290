// gradient: the loss was finite, its gradient was not: rows of NaN that `min` does not take got 0 * NaN through the
// cross entropy. Found by seed 12517.
// random-programs --replay tests/random/kept/masked-cross-entropy.mlir
module attributes {random.seed = 12517 : i64} {
  heddle.variable @w1 "parameter" "uniform"(-1.000000e+00, 1.000000e+00) stream 1 : !heddle.tensor<[D=33], f32>
  func.func @train(%arg0: !heddle.tensor<[A=9], i32> {heddle.name = "target5", random.high = 3.000000e+00 : f64, random.low = 0.000000e+00 : f64}, %arg1: !heddle.tensor<[E=4, A=9, B=7], f32> {heddle.name = "y5", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg2: !heddle.tensor<[], f32> {heddle.name = "y0", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg3: !heddle.tensor<[], f32> {heddle.name = "y3", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg4: !heddle.tensor<[B=7, C=7], f32> {heddle.name = "y2", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}) -> (!heddle.tensor<[], f32> {heddle.name = "loss.main"}) attributes {heddle.minimise = "main"} {
    %0 = heddle.read @w1 : <[D=33], f32>
    %1 = heddle.constant nan : !heddle.tensor<[], f32>
    %2 = heddle.mul %arg1, %1 : (!heddle.tensor<[E=4, A=9, B=7], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[E=4, A=9, B=7], f32>
    %3 = heddle.cross_entropy %2, %arg0 over "E" : (!heddle.tensor<[E=4, A=9, B=7], f32>, !heddle.tensor<[A=9], i32>) -> !heddle.tensor<[A=9, B=7], f32>
    %4 = heddle.min %3, %arg4 : (!heddle.tensor<[A=9, B=7], f32>, !heddle.tensor<[B=7, C=7], f32>) -> !heddle.tensor<[A=9, B=7, C=7], f32>
    %5 = heddle.reduce "sum" %4 over ["A", "B", "C"] : (!heddle.tensor<[A=9, B=7, C=7], f32>) -> !heddle.tensor<[], f32>
    %6 = heddle.add %5, %arg2 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %7 = heddle.add %6, %arg3 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %8 = heddle.reduce "sum" %0 over ["D"] : (!heddle.tensor<[D=33], f32>) -> !heddle.tensor<[], f32>
    %9 = heddle.constant 0.12121212121212122 : !heddle.tensor<[], f32>
    %10 = heddle.mul %8, %9 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    %11 = heddle.add %7, %10 : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
    return %11 : !heddle.tensor<[], f32>
  }
}

