// @train of one micro-batch becomes a loop over three, behind one that adds up the counts.
// RUN: %heddle-opt --accumulate-gradients %s | FileCheck %s

// CHECK-LABEL: func.func @train(
// CHECK-SAME: %[[X:.*]]: !heddle.tensor<["$micro"=3, B=2], f32> {heddle.name = "data.x"}
// CHECK-SAME: %[[SEED:.*]]: !heddle.tensor<[word=2], i32> {heddle.name = "$seed"}, %[[STEP:.*]]: !heddle.tensor<[], i32> {heddle.name = "$step"})
// CHECK-NOT: heddle.accumulate
// CHECK: %[[W:.*]] = heddle.read @w
// CHECK: %[[COUNT:.*]] = heddle.repeat "micro" over "$micro" = 3 carry(%{{.*}}) stack(%[[X]])
// CHECK: heddle.add
// CHECK: %[[SUMS:.*]]:2 = heddle.repeat "micro" over "$micro" = 3 carry(%{{.*}}, %{{.*}}) stack(%[[X]])
// CHECK-NEXT: ^bb0(%[[MICRO:.*]]: !heddle.tensor<[], i32>
// CHECK: heddle.bernoulli %[[SEED]], %[[STEP]] indices(%[[MICRO]])
// CHECK: heddle.div %{{.*}}, %[[COUNT]]
// CHECK: return %[[SUMS]]#0, %[[SUMS]]#1
// CHECK-NOT: @train.counts
heddle.variable @w "parameter" "constant"(1.0, 0.0) stream 1 : !heddle.tensor<[], f32>
func.func @train.counts(%x: !heddle.tensor<[B=2], f32> {heddle.name = "data.x"}) -> (!heddle.tensor<[], f32> {heddle.name = "count.0"}) {
  %0 = heddle.reduce "sum" %x over ["B"] : (!heddle.tensor<[B=2], f32>) -> !heddle.tensor<[], f32>
  return %0 : !heddle.tensor<[], f32>
}
func.func @train(%x: !heddle.tensor<[B=2], f32> {heddle.name = "data.x"}, %seed: !heddle.tensor<[word=2], i32> {heddle.name = "$seed"}, %step: !heddle.tensor<[], i32> {heddle.name = "$step"}, %micro: !heddle.tensor<[], i32> {heddle.name = "$micro"}, %count: !heddle.tensor<[], f32> {heddle.name = "count.0"}) -> (!heddle.tensor<[], f32> {heddle.name = "loss.l"}, !heddle.tensor<[], f32> {heddle.name = "grad.w"}) attributes {heddle.accumulate = 3} {
  %w = heddle.read @w : !heddle.tensor<[], f32>
  %mask = heddle.bernoulli %seed, %step indices(%micro) keep 0.5 stream 7 order ["B"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[B=2], i1>
  %zero = heddle.constant 0.0 : !heddle.tensor<[], f32>
  %kept = heddle.select %mask, %x, %zero : (!heddle.tensor<[B=2], i1>, !heddle.tensor<[B=2], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[B=2], f32>
  %sum = heddle.reduce "sum" %kept over ["B"] : (!heddle.tensor<[B=2], f32>) -> !heddle.tensor<[], f32>
  %grad = heddle.div %sum, %count : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
  %loss = heddle.mul %grad, %w : (!heddle.tensor<[], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[], f32>
  return %loss, %grad : !heddle.tensor<[], f32>, !heddle.tensor<[], f32>
}
