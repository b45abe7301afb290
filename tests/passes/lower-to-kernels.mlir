// An entry becomes a list of calls; kernels that are the same exist once.
// RUN: heddle-opt %s --plan-memory --lower-to-kernels=target=avx2 | FileCheck %s

!x = !heddle.tensor<[B=2, D=8], f32>
!w = !heddle.tensor<[L=3, D=8, E=8], f32>
!v = !heddle.tensor<[D=8, E=8], f32>
!y = !heddle.tensor<[B=2, E=8], f32>
!i = !heddle.tensor<[], i32>

// CHECK: heddle.target = "avx2"
// CHECK: heddle.entry @train
// CHECK-SAME: #heddle.buffer<"x", <[B=2, D=8], f32>
// CHECK-SAME: flops 768
// CHECK: heddle.call @[[COPY:.*]] tiles 1
// CHECK: heddle.loop 3
// CHECK-NEXT: heddle.call @[[PRODUCT:.*]] tiles 1 [#heddle.arg<"workspace", {{[0-9]+}}, [0]>, #heddle.arg<"variables", 0, [256]>
// CHECK: heddle.entry @eval
// CHECK: heddle.loop 3
// CHECK-NEXT: heddle.call @[[PRODUCT]] tiles 1
// CHECK: func.func @[[COPY]](%{{.*}}: memref<16xf32>, %{{.*}}: memref<16xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: memref<1xf32>)
// CHECK: func.func @[[PRODUCT]](%{{.*}}: memref<16xf32>, %{{.*}}: memref<64xf32>, %{{.*}}: memref<16xf32>, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: memref<{{[0-9]+}}xf32>)
// CHECK-SAME: heddle.arg_names
// CHECK-SAME: heddle.bytes = 384 : i64, heddle.flops = 256 : i64
// CHECK-NOT: func.func @{{.*}}memref<64xf32>
module {
  heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !w
  func.func @train(%x: !x {heddle.name = "x"}) -> (!x {heddle.name = "out"}) {
    %w = heddle.read @"h.{}.w" : !w
    %y = heddle.repeat "h" over "L" = 3 carry(%x) stack(%w) : (!x, !w) -> !x {
    ^bb0(%h: !i, %a: !x, %b: !v):
      %p = heddle.contract %a, %b over ["D"] : (!x, !v) -> !y
      %r = heddle.rename %p["E" -> "D"] : (!y) -> !x
      heddle.yield %r : !x
    }
    return %y : !x
  }
  func.func @eval(%x: !x {heddle.name = "x"}) -> (!x {heddle.name = "out"}) {
    %w = heddle.read @"h.{}.w" : !w
    %y = heddle.repeat "h" over "L" = 3 carry(%x) stack(%w) : (!x, !w) -> !x {
    ^bb0(%h: !i, %a: !x, %b: !v):
      %p = heddle.contract %a, %b over ["D"] : (!x, !v) -> !y
      %r = heddle.rename %p["E" -> "D"] : (!y) -> !x
      heddle.yield %r : !x
    }
    return %y : !x
  }
}
