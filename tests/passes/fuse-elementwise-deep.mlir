// Values of positions are computed in every nest that uses them only while they are a few ops: a long chain, however its
// values are shared, is asked and computed in time proportional to its length.
// RUN: %heddle-opt %s --fuse-elementwise | FileCheck %s

!i = !heddle.tensor<[T=8], i32>
// CHECK-LABEL: @chain
// CHECK: heddle.fused
// CHECK-COUNT-24: heddle.add
// CHECK-NOT: heddle.add
func.func @chain() -> !i {
  %0 = heddle.position : <[T=8], i32>
  %1 = heddle.add %0, %0 : (!i, !i) -> !i
  %2 = heddle.add %1, %1 : (!i, !i) -> !i
  %3 = heddle.add %2, %2 : (!i, !i) -> !i
  %4 = heddle.add %3, %3 : (!i, !i) -> !i
  %5 = heddle.add %4, %4 : (!i, !i) -> !i
  %6 = heddle.add %5, %5 : (!i, !i) -> !i
  %7 = heddle.add %6, %6 : (!i, !i) -> !i
  %8 = heddle.add %7, %7 : (!i, !i) -> !i
  %9 = heddle.add %8, %8 : (!i, !i) -> !i
  %10 = heddle.add %9, %9 : (!i, !i) -> !i
  %11 = heddle.add %10, %10 : (!i, !i) -> !i
  %12 = heddle.add %11, %11 : (!i, !i) -> !i
  %13 = heddle.add %12, %12 : (!i, !i) -> !i
  %14 = heddle.add %13, %13 : (!i, !i) -> !i
  %15 = heddle.add %14, %14 : (!i, !i) -> !i
  %16 = heddle.add %15, %15 : (!i, !i) -> !i
  %17 = heddle.add %16, %16 : (!i, !i) -> !i
  %18 = heddle.add %17, %17 : (!i, !i) -> !i
  %19 = heddle.add %18, %18 : (!i, !i) -> !i
  %20 = heddle.add %19, %19 : (!i, !i) -> !i
  %21 = heddle.add %20, %20 : (!i, !i) -> !i
  %22 = heddle.add %21, %21 : (!i, !i) -> !i
  %23 = heddle.add %22, %22 : (!i, !i) -> !i
  %24 = heddle.add %23, %23 : (!i, !i) -> !i
  return %24 : !i
}
