// The update of a parameter and of its optimizer state is one nest that reads the gradient once.
// RUN: %heddle-opt %s --fuse-elementwise | FileCheck %s

!w = !heddle.tensor<[D=16, E=8], f32>
!c = !heddle.tensor<[], f32>
heddle.variable @p "parameter" "normal"(0.0, 0.02) stream 1 : !w
heddle.variable @m "optimizer" "constant"(0.0, 0.0) stream 0 : !w
heddle.variable @v "optimizer" "constant"(0.0, 0.0) stream 0 : !w
// CHECK-LABEL: @train
// CHECK: %[[P:.*]] = heddle.read @p
// CHECK: %[[F:.*]]:3 = heddle.fused(
// CHECK-NOT: heddle.fused
// CHECK: heddle.write %[[F]]#2, @p
// CHECK: heddle.write %[[F]]#0, @m
// CHECK: heddle.write %[[F]]#1, @v
func.func @train(%g: !w) {
  %p = heddle.read @p : !w
  %m = heddle.read @m : !w
  %v = heddle.read @v : !w
  %b = heddle.constant 0.9 : !c
  %m1 = heddle.mul %m, %b : (!w, !c) -> !w
  %m2 = heddle.add %m1, %g : (!w, !w) -> !w
  %gg = heddle.mul %g, %g : (!w, !w) -> !w
  %v1 = heddle.mul %v, %b : (!w, !c) -> !w
  %v2 = heddle.add %v1, %gg : (!w, !w) -> !w
  %vs = heddle.sqrt %v2 : (!w) -> !w
  %u = heddle.div %m2, %vs : (!w, !w) -> !w
  %p2 = heddle.sub %p, %u : (!w, !w) -> !w
  heddle.write %p2, @p : !w
  heddle.write %m2, @m : !w
  heddle.write %v2, @v : !w
  return
}
