// interpreter fused: floor(layer_norm(x)) is 0 or -1 where the norm is 0 but for rounding. The bound, the size of the jump,
// was scaled to double as if it had none: a mistake of the test. Found by seed 12525.
// random-programs --replay tests/random/kept/floor-of-zero.mlir
module attributes {random.seed = 12525 : i64} {
  func.func @sample(%arg0: !heddle.tensor<[A=127, D=15], f32> {heddle.name = "x0", random.grid = 2.500000e-01 : f64, random.high = 2.000000e+00 : f64, random.low = -2.000000e+00 : f64}) -> (!heddle.tensor<[A=127, D=15], f32> {heddle.name = "out2"}) {
    %0 = heddle.layer_norm %arg0 over "D" eps 1.000000e-02 : (!heddle.tensor<[A=127, D=15], f32>) -> !heddle.tensor<[A=127, D=15], f32>
    %1 = heddle.floor %0 : (!heddle.tensor<[A=127, D=15], f32>) -> !heddle.tensor<[A=127, D=15], f32>
    return %1 : !heddle.tensor<[A=127, D=15], f32>
  }
}

