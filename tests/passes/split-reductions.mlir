// RUN: %heddle-opt %s --split-reductions | FileCheck %s

// The sum of squares of a parameter: first rows, then their sum.
// CHECK-LABEL: @all
// CHECK: %[[R:.*]] = heddle.reduce "sum" %arg0 over ["F"] : {{.*}} -> !heddle.tensor<[L=4, D=128], f32>
// CHECK: heddle.reduce "sum" %[[R]] over ["L", "D"]
func.func @all(%x: !heddle.tensor<[L=4, D=128, F=512], f32>) -> !heddle.tensor<[], f32> {
  %s = heddle.reduce "sum" %x over ["L", "D", "F"] : (!heddle.tensor<[L=4, D=128, F=512], f32>) -> !heddle.tensor<[], f32>
  return %s : !heddle.tensor<[], f32>
}
// Enough columns to share as it is.
// CHECK-LABEL: @wide
// CHECK: heddle.reduce "sum" %arg0 over ["B", "T"]
func.func @wide(%x: !heddle.tensor<[B=12, T=64, F=16384], f32>) -> !heddle.tensor<[F=16384], f32> {
  %s = heddle.reduce "sum" %x over ["B", "T"] : (!heddle.tensor<[B=12, T=64, F=16384], f32>) -> !heddle.tensor<[F=16384], f32>
  return %s : !heddle.tensor<[F=16384], f32>
}
// The gradient of a bias, whose rows would lie in strips far apart: batch by batch, by whole rows.
// CHECK-LABEL: @bias
// CHECK: %[[R:.*]] = heddle.reduce "sum" %arg0 over ["T"] : {{.*}} -> !heddle.tensor<[B=12, F=2048], f32>
// CHECK: heddle.reduce "sum" %[[R]] over ["B"]
func.func @bias(%x: !heddle.tensor<[B=12, T=64, F=2048], f32>) -> !heddle.tensor<[F=2048], f32> {
  %s = heddle.reduce "sum" %x over ["B", "T"] : (!heddle.tensor<[B=12, T=64, F=2048], f32>) -> !heddle.tensor<[F=2048], f32>
  return %s : !heddle.tensor<[F=2048], f32>
}
