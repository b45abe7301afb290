// A gather reads its source at any place: a source that every nest could compute for itself becomes a nest of its own,
// and is still computed by those that read it element by element.
// RUN: %heddle-opt %s --fuse-elementwise | FileCheck %s

!i = !heddle.tensor<[A=4], i32>
!d = !heddle.tensor<[D=3], i32>
// CHECK-LABEL: @source_is_free
// CHECK: %[[N:.*]] = heddle.fused()
// CHECK-NEXT: heddle.position : <[D=3], i32>
// CHECK-NEXT: heddle.neg
// CHECK: heddle.fused(%[[N]], %{{.*}})
// CHECK-NEXT: ^bb0(%[[X:.*]]: !heddle.tensor<[D=3], i32>, %{{.*}}):
// CHECK-NEXT: heddle.gather %[[X]]
func.func @source_is_free(%i: !i) -> (!i, !d) {
  %p = heddle.position : <[D=3], i32>
  %n = heddle.neg %p : (!d) -> !d
  %q = heddle.gather %n["D" = %i] : (!d, !i) -> !i
  %s = heddle.add %n, %p : (!d, !d) -> !d
  return %q, %s : !i, !d
}
