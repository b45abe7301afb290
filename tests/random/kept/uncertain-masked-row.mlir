// The bound of softmax took a row that rounding may or may not mask (an argmax among numbers that nearly tie) for one that is
// masked for certain. Found by seed 93806.
// random-programs --replay tests/random/kept/uncertain-masked-row.mlir
module attributes {random.seed = 93806 : i64} {
  func.func @train(%arg0: !heddle.tensor<[A2=32, A1=33], f32> {heddle.name = "x1", random.high = 2.000000e+00 : f64, random.low = -2.000000e+00 : f64}, %arg1: !heddle.tensor<[A2=32], i32> {heddle.name = "target2", random.high = 3.200000e+01 : f64, random.low = 0.000000e+00 : f64}, %arg2: !heddle.tensor<[A2=32], f32> {heddle.name = "y0", random.high = 1.000000e+00 : f64, random.low = -1.000000e+00 : f64}, %arg3: !heddle.tensor<[AA=64], i32> {heddle.name = "y1", random.high = 0.000000e+00 : f64, random.low = 0.000000e+00 : f64}) -> (!heddle.tensor<[AA=64, A2=32], f32> {heddle.name = "out3"}) {
    %0 = heddle.cross_entropy %arg0, %arg1 over "A1" : (!heddle.tensor<[A2=32, A1=33], f32>, !heddle.tensor<[A2=32], i32>) -> !heddle.tensor<[A2=32], f32>
    %1 = heddle.erf %0 : (!heddle.tensor<[A2=32], f32>) -> !heddle.tensor<[A2=32], f32>
    %2 = heddle.argmax %1 over "A2" : (!heddle.tensor<[A2=32], f32>) -> !heddle.tensor<[], i32>
    %3 = heddle.compare "le" %2, %arg3 : (!heddle.tensor<[], i32>, !heddle.tensor<[AA=64], i32>) -> !heddle.tensor<[AA=64], i1>
    %4 = heddle.constant -inf : !heddle.tensor<[], f32>
    %5 = heddle.select %3, %arg2, %4 : (!heddle.tensor<[AA=64], i1>, !heddle.tensor<[A2=32], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[AA=64, A2=32], f32>
    %6 = heddle.softmax %5 over "A2" : (!heddle.tensor<[AA=64, A2=32], f32>) -> !heddle.tensor<[AA=64, A2=32], f32>
    return %6 : !heddle.tensor<[AA=64, A2=32], f32>
  }
}

