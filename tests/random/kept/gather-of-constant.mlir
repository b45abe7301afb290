// pass kernel crashed: a gather whose source every nest can compute for itself had that source in its own nest, where
// nothing lies in memory. Found by seed 1007.
// random-programs --replay tests/random/kept/gather-of-constant.mlir
module attributes {random.seed = 7 : i64} {
  func.func @eval(%i: !heddle.tensor<[A=4], i32> {heddle.name = "i", random.low = 0.0 : f64, random.high = 2.0 : f64}) -> (!heddle.tensor<[A=4], f32> {heddle.name = "out"}, !heddle.tensor<[A=4], i32> {heddle.name = "at"}, !heddle.tensor<[D=3], i32> {heddle.name = "all"}) {
    %c = heddle.constant -0.9 : !heddle.tensor<[D=3], f32>
    %x = heddle.gather %c["D" = %i] : (!heddle.tensor<[D=3], f32>, !heddle.tensor<[A=4], i32>) -> !heddle.tensor<[A=4], f32>
    %p = heddle.position : <[D=3], i32>
    %n = heddle.neg %p : (!heddle.tensor<[D=3], i32>) -> !heddle.tensor<[D=3], i32>
    %q = heddle.gather %n["D" = %i] : (!heddle.tensor<[D=3], i32>, !heddle.tensor<[A=4], i32>) -> !heddle.tensor<[A=4], i32>
    %s = heddle.add %n, %p : (!heddle.tensor<[D=3], i32>, !heddle.tensor<[D=3], i32>) -> !heddle.tensor<[D=3], i32>
    return %x, %q, %s : !heddle.tensor<[A=4], f32>, !heddle.tensor<[A=4], i32>, !heddle.tensor<[D=3], i32>
  }
}
