// jit: eval/out[17] was -0.311, not 1.366: columns of a product were stored side by side, though the last dim that they
// run along has size 1 and lies behind another. Found by seed 1016.
// random-programs --replay tests/random/kept/contract-into-trailing-one.mlir
module attributes {random.seed = 5 : i64} {
  func.func @eval(%g: !heddle.tensor<[M=2, C=1, D=3], f32> {heddle.name = "g", random.low = -1.0 : f64, random.high = 1.0 : f64}, %x: !heddle.tensor<[E=17, D=3], f32> {heddle.name = "x", random.low = -1.0 : f64, random.high = 1.0 : f64}) -> (!heddle.tensor<[M=2, E=17, C=1], f32> {heddle.name = "out"}) {
    %r = heddle.contract %g, %x over ["D"] : (!heddle.tensor<[M=2, C=1, D=3], f32>, !heddle.tensor<[E=17, D=3], f32>) -> !heddle.tensor<[M=2, E=17, C=1], f32>
    return %r : !heddle.tensor<[M=2, E=17, C=1], f32>
  }
}
