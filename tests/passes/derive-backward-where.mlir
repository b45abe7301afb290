// where passes no gradient to the side not taken, and inf or NaN there has no effect: where a masked gradient is 0 it
// stays 0, whatever it is multiplied with.
// RUN: %heddle-opt --derive-backward %s | FileCheck %s

!x = !heddle.tensor<[B=2], f32>
!m = !heddle.tensor<[B=2], i1>
!s = !heddle.tensor<[], f32>
heddle.variable @x "parameter" "normal"(0.0, 1.0) stream 1 : !x

// CHECK-LABEL: @masked
// CHECK: %[[X:.*]] = heddle.read @x
// CHECK: heddle.reduce
// CHECK: %[[G:.*]] = heddle.select %arg0, %{{.*}}, %{{.*}}
// CHECK: %[[D:.*]] = heddle.div %[[G]], %[[X]]
// CHECK: %[[TAKEN:.*]] = heddle.compare "ne" %[[G]]
// CHECK: %[[R:.*]] = heddle.select %[[TAKEN]], %[[D]], %{{.*}}
// CHECK: return %{{.*}}, %[[R]]
func.func @masked(%m: !m) -> (!s {heddle.name = "loss"}) attributes {heddle.minimise = "loss"} {
  %x = heddle.read @x : !x
  %zero = heddle.constant 0.0 : !s
  %log = heddle.log %x : (!x) -> !x
  %y = heddle.select %m, %log, %zero : (!m, !x, !s) -> !x
  %l = heddle.reduce "sum" %y over ["B"] : (!x) -> !s
  return %l : !s
}

// Without a mask nothing is added.
// CHECK-LABEL: @plain
// CHECK-NOT: heddle.compare
func.func @plain() -> (!s {heddle.name = "loss"}) attributes {heddle.minimise = "loss"} {
  %x = heddle.read @x : !x
  %log = heddle.log %x : (!x) -> !x
  %l = heddle.reduce "sum" %log over ["B"] : (!x) -> !s
  return %l : !s
}
