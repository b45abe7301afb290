// Split and merged axes become views, joined ones reads by computed positions.
// RUN: %heddle-opt --decompose-regroups %s | FileCheck %s

// A split moves nothing, nor does a merge of neighbours.
// CHECK-LABEL: @split
// CHECK-NEXT: heddle.regroup %arg0 ["Y"] to ["G", "P"]
// CHECK-NEXT: heddle.regroup %{{.*}} ["G", "P"] to ["N"]
// CHECK-NEXT: return
func.func @split(%x: !heddle.tensor<[B=2, Y=6], f32>) -> !heddle.tensor<[B=2, N=6], f32> {
  %0 = heddle.regroup %x ["Y"] to ["G", "P"] : (!heddle.tensor<[B=2, Y=6], f32>) -> !heddle.tensor<[B=2, G=2, P=3], f32>
  %1 = heddle.regroup %0 ["G", "P"] to ["N"] : (!heddle.tensor<[B=2, G=2, P=3], f32>) -> !heddle.tensor<[B=2, N=6], f32>
  return %1 : !heddle.tensor<[B=2, N=6], f32>
}

// Dims that lie apart are brought together, where the first of them stands; the result gets the order that it has to have.
// CHECK-LABEL: @merge
// CHECK-NEXT: %[[X:.*]] = heddle.broadcast %arg0 : {{.*}} -> !heddle.tensor<[B=4, P=3, G=2], f32>
// CHECK-NEXT: %[[N:.*]] = heddle.regroup %[[X]] ["P", "G"] to ["N"] : {{.*}} -> !heddle.tensor<[B=4, N=6], f32>
// CHECK-NEXT: %[[R:.*]] = heddle.broadcast %[[N]] : {{.*}} -> !heddle.tensor<[N=6, B=4], f32>
// CHECK-NEXT: return %[[R]]
func.func @merge(%x: !heddle.tensor<[G=2, B=4, P=3], f32>) -> !heddle.tensor<[N=6, B=4], f32> {
  %0 = heddle.regroup %x ["P", "G"] to ["N"] : (!heddle.tensor<[G=2, B=4, P=3], f32>) -> !heddle.tensor<[N=6, B=4], f32>
  return %0 : !heddle.tensor<[N=6, B=4], f32>
}

// A piece without an axis is read as it is; the others at a position clamped into them.
// CHECK-LABEL: @concat
// CHECK: %[[T:.*]] = heddle.position : <[T=4], i32>
// CHECK: %[[BEHIND:.*]] = heddle.sub %[[T]], %{{.*}}
// CHECK: heddle.min %[[BEHIND]]
// CHECK: %[[AT:.*]] = heddle.max
// CHECK: %[[X:.*]] = heddle.gather %arg1["N" = %[[AT]]]
// CHECK: %[[FIRST:.*]] = heddle.compare "lt" %[[T]], %{{.*}}
// CHECK: heddle.select %[[FIRST]], %arg0, %[[X]]
func.func @concat(%cls: !heddle.tensor<[B=2], f32>, %x: !heddle.tensor<[B=2, N=3], f32>) -> !heddle.tensor<[B=2, T=4], f32> {
  %0 = heddle.concat %cls, %x over ["", "N"] to "T" : (!heddle.tensor<[B=2], f32>, !heddle.tensor<[B=2, N=3], f32>) -> !heddle.tensor<[B=2, T=4], f32>
  return %0 : !heddle.tensor<[B=2, T=4], f32>
}
