// What a loop carries and a product adds to: the sum lies where the carried value did, and nothing is copied.
// RUN: %heddle-opt %s --plan-memory --split-input-file | FileCheck %s

!x = !heddle.tensor<[T=8, D=4], f32>
!xs = !heddle.tensor<[M=3, T=8, D=4], f32>
!g = !heddle.tensor<[T=8, F=16], f32>
!gs = !heddle.tensor<[M=3, T=8, F=16], f32>
!w = !heddle.tensor<[D=4, F=16], f32>
!b = !heddle.tensor<[F=16], f32>
!i = !heddle.tensor<[], i32>

// CHECK-LABEL: func.func @product
// CHECK: heddle.repeat "micro"
// CHECK: ^bb0(%{{.*}}, %[[SUM:.*]]: !heddle.tensor<[D=4, F=16], f32>, %[[X:.*]]: {{.*}}, %[[G:.*]]: !heddle.tensor<[T=8, F=16], f32>):
// CHECK: %[[NEXT:.*]] = heddle.contract %[[X]], %[[G]] over ["T"] onto(%[[SUM]]) {heddle.args = [{{.*}}, {{.*}}, [[AT:#heddle.arg<"workspace", [0-9]+, \[0\]>]], [[AT]]]}
// CHECK-NEXT: heddle.yield %[[NEXT]]
func.func @product(%xs: !xs {heddle.name = "x"}, %gs: !gs {heddle.name = "g"}) -> (!w {heddle.name = "w"}) {
  %zero = heddle.fused() : () -> !w {
    %c = heddle.constant 0.0 : !w
    heddle.yield %c : !w
  }
  %dw = heddle.repeat "micro" over "M" = 3 carry(%zero) stack(%xs, %gs) : (!w, !xs, !gs) -> !w {
  ^bb0(%i: !i, %sum: !w, %x: !x, %g: !g):
    %next = heddle.contract %x, %g over ["T"] onto(%sum) : (!x, !g, !w) -> !w
    heddle.yield %next : !w
  }
  return %dw : !w
}

// What is scattered onto that lies there as well.
// CHECK-LABEL: func.func @tied
// CHECK: heddle.repeat
// CHECK: heddle.contract {{.*}}, [[AT:#heddle.arg<"workspace", [0-9]+]], [0]>]} :
// CHECK: heddle.scatter_add {{.*}} {heddle.args = [{{.*}}, {{.*}}, [[AT]]>, [[AT]]>]}
func.func @tied(%xs: !xs {heddle.name = "x"}, %gs: !gs {heddle.name = "g"}, %u: !heddle.tensor<[N=5, F=16], f32> {heddle.name = "u"}, %i: !heddle.tensor<[N=5], i32> {heddle.name = "i"}) -> (!w {heddle.name = "w"}) {
  %zero = heddle.fused() : () -> !w {
    %c = heddle.constant 0.0 : !w
    heddle.yield %c : !w
  }
  %dw = heddle.repeat "block" over "M" = 3 carry(%zero) stack(%xs, %gs) : (!w, !xs, !gs) -> !w {
  ^bb0(%k: !i, %sum: !w, %x: !x, %g: !g):
    %next = heddle.contract %x, %g over ["T"] onto(%sum) : (!x, !g, !w) -> !w
    heddle.yield %next : !w
  }
  %all = heddle.scatter_add %u["D" = %i] onto(%dw) : (!heddle.tensor<[N=5, F=16], f32>, !heddle.tensor<[N=5], i32>, !w) -> !w
  return %all : !w
}

// With a column sum, in the slice of a layer; and of a variable's old value comes the new one.
// CHECK-LABEL: func.func @layers
// CHECK: heddle.repeat "micro"
// CHECK: heddle.repeat "layers"
// CHECK: %[[NEXT:.*]]:2 = heddle.fused(%{{.*}}, %{{.*}}, %{{.*}}) attributes {heddle.args = [{{.*}}, {{.*}}, [[AT:#heddle.arg<"workspace", [0-9]+, \[0, 256\]>]], [[AT]], #heddle.arg<{{[^>]*}}>]}
// CHECK: heddle.yield %[[NEXT]]#0, %[[NEXT]]#1
// CHECK-NOT: heddle.fused
// CHECK: heddle.yield %{{.*}}, %{{.*}}
func.func @layers(%xs: !xs {heddle.name = "x"}, %gs: !gs {heddle.name = "g"}) -> (!heddle.tensor<[L=2, D=4, F=16], f32> {heddle.name = "w"}, !heddle.tensor<[M=3, L=2, F=16], f32> {heddle.name = "b"}) {
  %zero = heddle.fused() : () -> !heddle.tensor<[L=2, D=4, F=16], f32> {
    %c = heddle.constant 0.0 : !heddle.tensor<[L=2, D=4, F=16], f32>
    heddle.yield %c : !heddle.tensor<[L=2, D=4, F=16], f32>
  }
  %dw:2 = heddle.repeat "micro" over "M" = 3 carry(%zero) stack(%xs, %gs) : (!heddle.tensor<[L=2, D=4, F=16], f32>, !xs, !gs) -> (!heddle.tensor<[L=2, D=4, F=16], f32>, !heddle.tensor<[M=3, L=2, F=16], f32>) {
  ^bb0(%i: !i, %sums: !heddle.tensor<[L=2, D=4, F=16], f32>, %x: !x, %g: !g):
    %next:2 = heddle.repeat "layers" over "L" = 2 reverse carry() stack(%sums) : (!heddle.tensor<[L=2, D=4, F=16], f32>) -> (!heddle.tensor<[L=2, D=4, F=16], f32>, !heddle.tensor<[L=2, F=16], f32>) {
    ^bb0(%l: !i, %sum: !w):
      %both:2 = heddle.fused(%x, %g, %sum) : (!x, !g, !w) -> (!w, !b) {
      ^bb0(%x0: !x, %g0: !g, %sum0: !w):
        %p = heddle.contract %x0, %g0 over ["T"] onto(%sum0) : (!x, !g, !w) -> !w
        %s = heddle.reduce "sum" %g0 over ["T"] : (!g) -> !b
        heddle.yield %p, %s : !w, !b
      }
      heddle.yield %both#0, %both#1 : !w, !b
    }
    heddle.yield %next#0, %next#1 : !heddle.tensor<[L=2, D=4, F=16], f32>, !heddle.tensor<[L=2, F=16], f32>
  }
  return %dw#0, %dw#1 : !heddle.tensor<[L=2, D=4, F=16], f32>, !heddle.tensor<[M=3, L=2, F=16], f32>
}

// -----

!x = !heddle.tensor<[T=8, D=4], f32>
!xs = !heddle.tensor<[M=3, T=8, D=4], f32>
!v = !heddle.tensor<[D=4, F=4], f32>
!y = !heddle.tensor<[T=8, F=4], f32>
!i = !heddle.tensor<[], i32>

// Not where the product also reads it otherwise, where more is added or done, or where it is read again: then it is copied.
// CHECK-LABEL: func.func @read_twice
// CHECK: heddle.repeat
// CHECK: %[[NEXT:.*]] = heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEXT]])
// CHECK: heddle.yield %[[COPY]]
func.func @read_twice(%start: !heddle.tensor<[T=4, D=4], f32> {heddle.name = "s"}, %v: !v {heddle.name = "v"}) -> (!heddle.tensor<[T=4, D=4], f32> {heddle.name = "r"}) {
  %r = heddle.repeat "again" over "M" = 3 carry(%start) stack() : (!heddle.tensor<[T=4, D=4], f32>) -> !heddle.tensor<[T=4, D=4], f32> {
  ^bb0(%i: !i, %s: !heddle.tensor<[T=4, D=4], f32>):
    %f = heddle.rename %s["D" -> "F"] : (!heddle.tensor<[T=4, D=4], f32>) -> !heddle.tensor<[T=4, F=4], f32>
    %next = heddle.contract %f, %v over ["F"] onto(%s) : (!heddle.tensor<[T=4, F=4], f32>, !v, !heddle.tensor<[T=4, D=4], f32>) -> !heddle.tensor<[T=4, D=4], f32>
    heddle.yield %next : !heddle.tensor<[T=4, D=4], f32>
  }
  return %r : !heddle.tensor<[T=4, D=4], f32>
}
// CHECK-LABEL: func.func @with_bias
// CHECK: heddle.repeat
// CHECK: %[[NEXT:.*]] = heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEXT]])
// CHECK: heddle.yield %[[COPY]]
func.func @with_bias(%start: !y {heddle.name = "s"}, %xs: !xs {heddle.name = "x"}, %v: !v {heddle.name = "v"}, %b: !heddle.tensor<[F=4], f32> {heddle.name = "b"}) -> (!y {heddle.name = "r"}) {
  %r = heddle.repeat "again" over "M" = 3 carry(%start) stack(%xs) : (!y, !xs) -> !y {
  ^bb0(%i: !i, %s: !y, %x: !x):
    %next = heddle.contract %x, %v over ["D"] onto(%b, %s) : (!x, !v, !heddle.tensor<[F=4], f32>, !y) -> !y
    heddle.yield %next : !y
  }
  return %r : !y
}
// CHECK-LABEL: func.func @scaled
// CHECK: heddle.repeat
// CHECK: %[[NEXT:.*]] = heddle.fused
// CHECK: heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEXT]])
// CHECK: heddle.yield %[[COPY]]
func.func @scaled(%start: !y {heddle.name = "s"}, %xs: !xs {heddle.name = "x"}, %v: !v {heddle.name = "v"}) -> (!y {heddle.name = "r"}) {
  %r = heddle.repeat "again" over "M" = 3 carry(%start) stack(%xs) : (!y, !xs) -> !y {
  ^bb0(%i: !i, %s: !y, %x: !x):
    %next = heddle.fused(%x, %v, %s) : (!x, !v, !y) -> !y {
    ^bb0(%x0: !x, %v0: !v, %s0: !y):
      %p = heddle.contract %x0, %v0 over ["D"] onto(%s0) : (!x, !v, !y) -> !y
      %q = heddle.mul %p, %p : (!y, !y) -> !y
      heddle.yield %q : !y
    }
    heddle.yield %next : !y
  }
  return %r : !y
}
// CHECK-LABEL: func.func @read_again
// CHECK: heddle.repeat
// CHECK: %[[NEXT:.*]] = heddle.contract
// CHECK: heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEXT]])
// CHECK: heddle.yield %[[COPY]]
func.func @read_again(%start: !y {heddle.name = "s"}, %xs: !xs {heddle.name = "x"}, %v: !v {heddle.name = "v"}) -> (!y {heddle.name = "r"}, !heddle.tensor<[M=3, F=4, D=4], f32> {heddle.name = "t"}) {
  %r:2 = heddle.repeat "again" over "M" = 3 carry(%start) stack(%xs) : (!y, !xs) -> (!y, !heddle.tensor<[M=3, F=4, D=4], f32>) {
  ^bb0(%i: !i, %s: !y, %x: !x):
    %next = heddle.contract %x, %v over ["D"] onto(%s) : (!x, !v, !y) -> !y
    %t = heddle.contract %s, %x over ["T"] : (!y, !x) -> !heddle.tensor<[F=4, D=4], f32>
    heddle.yield %next, %t : !y, !heddle.tensor<[F=4, D=4], f32>
  }
  return %r#0, %r#1 : !y, !heddle.tensor<[M=3, F=4, D=4], f32>
}
// A product of so few rows that it is streamed keeps its sums in memory from the start.
// CHECK-LABEL: func.func @streamed
// CHECK: heddle.repeat
// CHECK: %[[NEXT:.*]] = heddle.contract
// CHECK: %[[COPY:.*]] = heddle.fused(%[[NEXT]])
// CHECK: heddle.yield %[[COPY]]
func.func @streamed(%start: !heddle.tensor<[V=256], f32> {heddle.name = "s"}, %x: !heddle.tensor<[D=8], f32> {heddle.name = "x"}, %w: !heddle.tensor<[D=8, V=256], f32> {heddle.name = "w"}) -> (!heddle.tensor<[V=256], f32> {heddle.name = "r"}) {
  %r = heddle.repeat "again" over "M" = 3 carry(%start) stack() : (!heddle.tensor<[V=256], f32>) -> !heddle.tensor<[V=256], f32> {
  ^bb0(%i: !i, %s: !heddle.tensor<[V=256], f32>):
    %next = heddle.contract %x, %w over ["D"] onto(%s) : (!heddle.tensor<[D=8], f32>, !heddle.tensor<[D=8, V=256], f32>, !heddle.tensor<[V=256], f32>) -> !heddle.tensor<[V=256], f32>
    heddle.yield %next : !heddle.tensor<[V=256], f32>
  }
  return %r : !heddle.tensor<[V=256], f32>
}

// -----

!v = !heddle.tensor<[D=4], f32>
!vs = !heddle.tensor<[L=2, D=4], f32>
!i = !heddle.tensor<[], i32>
// Nor does what an inner loop collects lie over what its own copies still read: a turn's old element, carried to the next one.
// CHECK-LABEL: func.func @carried_to_the_next
// CHECK: heddle.repeat "micro"
// CHECK: %[[R:.*]]:2 = heddle.repeat "layers"
// CHECK: %[[NEXT:.*]] = heddle.fused
// CHECK: heddle.yield %{{.*}}, %[[NEXT]]
// CHECK: %[[COPY:.*]] = heddle.fused(%[[R]]#1)
// CHECK: heddle.yield %[[COPY]]
func.func @carried_to_the_next(%start: !vs {heddle.name = "s"}, %x: !v {heddle.name = "x"}) -> (!vs {heddle.name = "r"}) {
  %r = heddle.repeat "micro" over "M" = 3 carry(%start) stack() : (!vs) -> !vs {
  ^bb0(%m: !i, %states: !vs):
    %next:2 = heddle.repeat "layers" over "L" = 2 carry(%x) stack(%states) : (!v, !vs) -> (!v, !vs) {
    ^bb0(%l: !i, %d: !v, %e: !v):
      %n = heddle.fused(%e, %d) : (!v, !v) -> !v {
      ^bb0(%e0: !v, %d0: !v):
        %sum = heddle.add %e0, %d0 : (!v, !v) -> !v
        heddle.yield %sum : !v
      }
      heddle.yield %e, %n : !v, !v
    }
    heddle.yield %next#1 : !vs
  }
  return %r : !vs
}
