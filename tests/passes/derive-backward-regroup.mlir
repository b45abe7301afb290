// The gradient of a split is a merge, that of a joined piece a slice.
// RUN: %heddle-opt --derive-backward %s | FileCheck %s

heddle.variable @w "parameter" "constant"(0.0, 0.0) stream 1 : !heddle.tensor<[Y=6], f32>
heddle.variable @v "parameter" "constant"(0.0, 0.0) stream 2 : !heddle.tensor<[P=3], f32>

// CHECK-LABEL: @train
// CHECK: heddle.gather %[[G:.*]]["T" = %{{.*}}] : {{.*}} -> !heddle.tensor<[G=2, P=3], f32>
// CHECK: heddle.regroup %{{.*}} ["G", "P"] to ["Y"]
// CHECK-NOT: scatter_add
func.func @train() -> (!heddle.tensor<[], f32> {heddle.name = "loss.l"}) attributes {heddle.minimise = "loss.l"} {
  %w = heddle.read @w : !heddle.tensor<[Y=6], f32>
  %v = heddle.read @v : !heddle.tensor<[P=3], f32>
  %0 = heddle.regroup %w ["Y"] to ["G", "P"] : (!heddle.tensor<[Y=6], f32>) -> !heddle.tensor<[G=2, P=3], f32>
  %1 = heddle.concat %0, %v over ["G", ""] to "T" : (!heddle.tensor<[G=2, P=3], f32>, !heddle.tensor<[P=3], f32>) -> !heddle.tensor<[T=3, P=3], f32>
  %2 = heddle.mul %1, %1 : (!heddle.tensor<[T=3, P=3], f32>, !heddle.tensor<[T=3, P=3], f32>) -> !heddle.tensor<[T=3, P=3], f32>
  %3 = heddle.reduce "sum" %2 over ["T", "P"] : (!heddle.tensor<[T=3, P=3], f32>) -> !heddle.tensor<[], f32>
  return %3 : !heddle.tensor<[], f32>
}
