// Reductions over different dims stand in different nests; those over the same dims of the same tensor share one, and
// take the product that only they need with them.
// RUN: %heddle-opt %s --fuse-elementwise | FileCheck %s

!x = !heddle.tensor<[B=4, T=8, D=16], f32>
!d = !heddle.tensor<[D=16], f32>
!r = !heddle.tensor<[B=4, T=8], f32>
// CHECK-LABEL: @backward
// CHECK: %[[Y:.*]] = heddle.fused(%arg0)
// CHECK: heddle.reduce "max"
// CHECK: %[[G:.*]]:2 = heddle.fused(%arg1, %[[Y]])
// CHECK: heddle.reduce "sum" {{.*}} over ["B", "T"]
// CHECK: heddle.mul
// CHECK: heddle.reduce "sum" {{.*}} over ["B", "T"]
// CHECK: return %[[G]]#0, %[[G]]#1
func.func @backward(%x: !x, %g: !x) -> (!d, !d) {
  %m = heddle.reduce "max" %x over ["D"] : (!x) -> !r
  %y = heddle.sub %x, %m : (!x, !r) -> !x
  %db = heddle.reduce "sum" %g over ["B", "T"] : (!x) -> !d
  %gy = heddle.mul %g, %y : (!x, !x) -> !x
  %dg = heddle.reduce "sum" %gy over ["B", "T"] : (!x) -> !d
  return %db, %dg : !d, !d
}
