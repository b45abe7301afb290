// Softmax, norms and cross entropy become reductions and elementwise ops.
// RUN: %heddle-opt --decompose-norms --cse %s | FileCheck %s

!x = !heddle.tensor<[B=2, S=3], f32>
!r = !heddle.tensor<[B=2], f32>

// The maximum of a row of -inf is replaced by 0, its sum by 1: such a row gives 0.
// CHECK-LABEL: @softmax
// CHECK-DAG: %[[LOW:.*]] = heddle.constant -inf
// CHECK-DAG: %[[ZERO:.*]] = heddle.constant 0.0
// CHECK: %[[TOP:.*]] = heddle.reduce "max" %arg0 over ["S"]
// CHECK: %[[EMPTY:.*]] = heddle.compare "eq" %[[TOP]], %[[LOW]]
// CHECK: %[[MAX:.*]] = heddle.select %[[EMPTY]], %[[ZERO]], %[[TOP]]
// CHECK: %[[D:.*]] = heddle.sub %arg0, %[[MAX]]
// CHECK: %[[E:.*]] = heddle.exp %[[D]]
// CHECK: %[[SUM:.*]] = heddle.reduce "sum" %[[E]] over ["S"]
// CHECK: %[[NONE:.*]] = heddle.compare "eq" %[[SUM]], %[[ZERO]]
// CHECK: %[[SAFE:.*]] = heddle.select %[[NONE]], %{{.*}}, %[[SUM]]
// CHECK: heddle.div %[[E]], %[[SAFE]]
func.func @softmax(%x: !x) -> !x {
  %y = heddle.softmax %x over "S" : (!x) -> !x
  return %y : !x
}

// CHECK-LABEL: @layer_norm
// CHECK: %[[S:.*]] = heddle.reduce "sum" %arg0 over ["S"]
// CHECK: %[[M:.*]] = heddle.div %[[S]], %[[N:.*]] :
// CHECK: %[[C:.*]] = heddle.sub %arg0, %[[M]]
// CHECK: %[[Q:.*]] = heddle.mul %[[C]], %[[C]]
// CHECK: %[[QS:.*]] = heddle.reduce "sum" %[[Q]] over ["S"]
// CHECK: %[[V:.*]] = heddle.div %[[QS]], %[[N]]
// CHECK: %[[E:.*]] = heddle.add %[[V]]
// CHECK: %[[R:.*]] = heddle.rsqrt %[[E]]
// CHECK: heddle.mul %[[C]], %[[R]]
func.func @layer_norm(%x: !x) -> !x {
  %y = heddle.layer_norm %x over "S" eps 1.0e-5 : (!x) -> !x
  return %y : !x
}

// CHECK-LABEL: @rms_norm
// CHECK: %[[R:.*]] = heddle.rsqrt
// CHECK: heddle.mul %arg0, %[[R]]
func.func @rms_norm(%x: !x) -> !x {
  %y = heddle.rms_norm %x over "S" eps 1.0e-5 : (!x) -> !x
  return %y : !x
}

// CHECK-LABEL: @log_softmax
// CHECK: %[[D:.*]] = heddle.sub %arg0
// CHECK: %[[L:.*]] = heddle.log
// CHECK: heddle.sub %[[D]], %[[L]]
func.func @log_softmax(%x: !x) -> !x {
  %y = heddle.log_softmax %x over "S" : (!x) -> !x
  return %y : !x
}

// CHECK-LABEL: @cross_entropy
// CHECK: %[[D:.*]] = heddle.sub %arg0
// CHECK: %[[P:.*]] = heddle.position : <[S=3], i32>
// CHECK: %[[H:.*]] = heddle.compare "eq" %arg1, %[[P]]
// CHECK: %[[X:.*]] = heddle.select %[[H]], %[[D]]
// CHECK: %[[T:.*]] = heddle.reduce "sum" %[[X]] over ["S"]
// CHECK: %[[L:.*]] = heddle.log
// CHECK: heddle.sub %[[L]], %[[T]]
func.func @cross_entropy(%x: !x, %t: !heddle.tensor<[B=2], i32>) -> !r {
  %y = heddle.cross_entropy %x, %t over "S" : (!x, !heddle.tensor<[B=2], i32>) -> !r
  return %y : !r
}

// A result in another order of dims stays in that order.
// CHECK-LABEL: @reordered
// CHECK: heddle.broadcast %{{.*}} : (!heddle.tensor<[B=2, S=3], f32>) -> !heddle.tensor<[S=3, B=2], f32>
func.func @reordered(%x: !x) -> !heddle.tensor<[S=3, B=2], f32> {
  %y = heddle.softmax %x over "S" : (!x) -> !heddle.tensor<[S=3, B=2], f32>
  return %y : !heddle.tensor<[S=3, B=2], f32>
}
