// Logits, their loss and its gradient, a block of rows at a time.
// RUN: %heddle-opt %s '--block-logits=rows=4 elements=1' --split-input-file | FileCheck %s
// RUN: %heddle-opt %s '--block-logits=rows=4 elements=500' --split-input-file | FileCheck %s --check-prefix=LARGE
// RUN: %heddle-opt %s --block-logits --split-input-file | FileCheck %s --check-prefix=SMALL
// Nothing here is as large as the pass wants by itself.
// SMALL-NOT: "block"

!x = !heddle.tensor<[B=4, T=2, D=3], f32>
!y = !heddle.tensor<[B=4, T=2], i32>
!w = !heddle.tensor<[V=50, D=3], f32>
!b = !heddle.tensor<[V=50], f32>
!l = !heddle.tensor<[B=4, T=2, V=50], f32>
!t = !heddle.tensor<[B=4, T=2, V=50], i1>
!r = !heddle.tensor<[B=4, T=2], f32>
!s = !heddle.tensor<[], f32>

// Of each row its loss and its gradient are collected; the gradients of weights and bias are carried. What only blocks need,
// like the positions of targets, goes along; the weights of rows, computed from data behind the product, come before it.
// LARGE-LABEL: @loss
// LARGE-NOT: "block"
// CHECK-LABEL: func.func @loss(
// CHECK-SAME: %[[X:[^:]*]]: !heddle.tensor<[B=4, T=2, D=3], f32>, %[[Y:[^:]*]]: {{[^,]*}}, {{[^,]*}}, {{.*}}%[[W:[^:]*]]: !heddle.tensor<[V=50, D=3], f32>
// CHECK-DAG: %[[MASK:.*]] = heddle.cast
// CHECK-DAG: %[[ZERO_W:.*]] = heddle.constant 0.000000e+00 : !heddle.tensor<[V=50, D=3], f32>
// CHECK-DAG: %[[ZERO_B:.*]] = heddle.constant 0.000000e+00 : !heddle.tensor<[V=50], f32>
// CHECK-DAG: heddle.regroup %[[X]] ["B"] to ["$block", "B$"] : ({{.*}}) -> !heddle.tensor<["$block"=2, B$=2, T=2, D=3], f32>
// CHECK-DAG: heddle.regroup %[[MASK]] ["B"] to ["$block", "B$"]
// CHECK: %[[R:.*]]:4 = heddle.repeat "block" over "$block" = 2 carry(%{{.*}}, %{{.*}}) stack(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK: heddle.rename %{{.*}}["B$" -> "B"] : (!heddle.tensor<[B$=2, T=2, D=3], f32>) -> !heddle.tensor<[B=2, T=2, D=3], f32>
// CHECK: heddle.position : <[V=50], i32>
// CHECK: heddle.contract %{{.*}}, %[[W]] over ["D"] {{.*}} -> !heddle.tensor<[B=2, T=2, V=50], f32>
// CHECK: heddle.cross_entropy
// CHECK: heddle.contract {{.*}} -> !heddle.tensor<[B=2, T=2, D=3], f32>
// CHECK: %[[DW:.*]] = heddle.contract %{{.*}} over ["B", "T"] {{.*}} -> !heddle.tensor<[V=50, D=3], f32>
// CHECK: %[[DB:.*]] = heddle.reduce "sum" %{{.*}} over ["B", "T"]
// CHECK: heddle.add %{{.*}}, %[[DW]]
// CHECK: heddle.add %{{.*}}, %[[DB]]
// CHECK: heddle.yield %{{.*}} : !heddle.tensor<[V=50, D=3], f32>, !heddle.tensor<[V=50], f32>, !heddle.tensor<[B$=2, T=2], f32>, !heddle.tensor<[B$=2, T=2, D=3], f32>
// CHECK: heddle.regroup %[[R]]#2 ["$block", "B$"] to ["B"] : {{.*}} -> !heddle.tensor<[B=4, T=2], f32>
// CHECK: heddle.regroup %[[R]]#3 ["$block", "B$"] to ["B"]
// CHECK: return %{{.*}}, %{{.*}}, %[[R]]#0, %[[R]]#1
func.func @loss(%x: !x, %y: !y, %keep: !heddle.tensor<[B=4, T=2], i1>, %w: !w, %b: !b) -> (!s, !x, !w, !b) {
  %p = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %logits = heddle.add %p, %b : (!l, !b) -> !l
  %each = heddle.cross_entropy %logits, %y over "V" : (!l, !y) -> !r
  %loss = heddle.reduce "sum" %each over ["B", "T"] : (!r) -> !s
  %mask = heddle.cast %keep : (!heddle.tensor<[B=4, T=2], i1>) -> !r
  %probabilities = heddle.softmax %logits over "V" : (!l) -> !l
  %at = heddle.position : <[V=50], i32>
  %is = heddle.compare "eq" %y, %at : (!y, !heddle.tensor<[V=50], i32>) -> !t
  %one = heddle.constant 1.0 : !s
  %less = heddle.sub %probabilities, %one : (!l, !s) -> !l
  %g = heddle.select %is, %less, %probabilities : (!t, !l, !l) -> !l
  %dl = heddle.mul %g, %mask : (!l, !r) -> !l
  %dx = heddle.contract %dl, %w over ["V"] : (!l, !w) -> !x
  %dw = heddle.contract %dl, %x over ["B", "T"] : (!l, !x) -> !w
  %db = heddle.reduce "sum" %dl over ["B", "T"] : (!l) -> !b
  return %loss, %dx, %dw, %db : !s, !x, !w, !b
}

// -----

!x = !heddle.tensor<[B=1, T=12, D=3], f32>
!y = !heddle.tensor<[T=12], i32>
!w = !heddle.tensor<[D=3, V=50], f32>
!l = !heddle.tensor<[B=1, T=12, V=50], f32>
!r = !heddle.tensor<[B=1, T=12], f32>

// A dim of size 1 stands in front of the one that is divided, in some values; blocks have at least 4 rows, or 500 elements.
// CHECK-LABEL: @evaluate
// CHECK: heddle.regroup %{{.*}} ["B", "T"] to ["$block", "B$", "T$"] {{.*}} -> !heddle.tensor<["$block"=3, B$=1, T$=4, D=3], f32>
// CHECK: heddle.regroup %{{.*}} ["T"] to ["$block", "T$"] {{.*}} -> !heddle.tensor<["$block"=3, T$=4], i32>
// CHECK: heddle.repeat "block" over "$block" = 3 carry() stack(%{{.*}}, %{{.*}})
// CHECK: heddle.cross_entropy {{.*}} -> !heddle.tensor<[B=1, T=4], f32>
// LARGE-LABEL: @evaluate
// LARGE-NOT: "block"
func.func @evaluate(%x: !x, %y: !y, %w: !w) -> !r {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %each = heddle.cross_entropy %logits, %y over "V" : (!l, !y) -> !r
  return %each : !r
}

// -----

!x = !heddle.tensor<[T=8, D=3], f32>
!w = !heddle.tensor<[V=50, D=3], f32>
!l = !heddle.tensor<[T=8, V=50], f32>
!r = !heddle.tensor<[T=8], f32>
!s = !heddle.tensor<[], f32>
!i = !heddle.tensor<[], i32>

// Logits that someone else wants are all computed.
// CHECK-LABEL: @wanted
// CHECK-NOT: "block"
func.func @wanted(%x: !x, %w: !w) -> (!l, !r) {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %most = heddle.reduce "max" %logits over ["V"] : (!l) -> !r
  return %logits, %most : !l, !r
}

// So are those of which all rows are needed before the gradient of any, of which the greatest is sought, along which a random
// mask numbers the rows, and which a loop uses.
// CHECK-LABEL: @whole
// CHECK-NOT: "block"
func.func @whole(%x: !x, %w: !w) -> (!s, !w) {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %square = heddle.mul %logits, %logits : (!l, !l) -> !l
  %each = heddle.reduce "sum" %square over ["V"] : (!l) -> !r
  %sum = heddle.reduce "sum" %each over ["T"] : (!r) -> !s
  %norm = heddle.sqrt %sum : (!s) -> !s
  %dl = heddle.div %logits, %norm : (!l, !s) -> !l
  %dw = heddle.contract %dl, %x over ["T"] : (!l, !x) -> !w
  return %norm, %dw : !s, !w
}
// CHECK-LABEL: @greatest
// CHECK-NOT: "block"
func.func @greatest(%x: !x, %w: !w) -> !heddle.tensor<[V=50], f32> {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %most = heddle.reduce "max" %logits over ["T"] : (!l) -> !heddle.tensor<[V=50], f32>
  return %most : !heddle.tensor<[V=50], f32>
}
// CHECK-LABEL: @masked
// CHECK-NOT: "block"
func.func @masked(%x: !x, %w: !w, %seed: !heddle.tensor<[word=2], i32>, %step: !i) -> !r {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %mask = heddle.bernoulli %seed, %step keep 0.5 stream 7 order ["T", "V"] : (!heddle.tensor<[word=2], i32>, !i) -> !heddle.tensor<[T=8, V=50], i1>
  %zero = heddle.constant 0.0 : !s
  %kept = heddle.select %mask, %logits, %zero : (!heddle.tensor<[T=8, V=50], i1>, !l, !s) -> !l
  %each = heddle.reduce "sum" %kept over ["V"] : (!l) -> !r
  return %each : !r
}
// CHECK-LABEL: @looped
// CHECK-NOT: "block"
func.func @looped(%x: !x, %w: !w, %start: !r) -> !r {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %each = heddle.reduce "max" %logits over ["V"] : (!l) -> !r
  %last = heddle.repeat "again" over "A" = 3 carry(%start) stack() : (!r) -> !r {
  ^bb0(%i: !i, %r: !r):
    %more = heddle.reduce "sum" %logits over ["V"] : (!l) -> !r
    %next = heddle.add %r, %more : (!r, !r) -> !r
    heddle.yield %next : !r
  }
  %both = heddle.add %last, %each : (!r, !r) -> !r
  return %both : !r
}
// So are those from which a sum over all rows is taken away.
// CHECK-LABEL: @centred
// CHECK-NOT: "block"
func.func @centred(%x: !x, %w: !w) -> !r {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %sum = heddle.reduce "sum" %logits over ["T"] : (!l) -> !heddle.tensor<[V=50], f32>
  %centred = heddle.sub %logits, %sum : (!l, !heddle.tensor<[V=50], f32>) -> !l
  %each = heddle.reduce "max" %centred over ["V"] : (!l) -> !r
  return %each : !r
}

// A mask that is added, and of which another part is a factor, goes along whole.
// CHECK-LABEL: @added_mask
// CHECK: heddle.repeat "block"
// CHECK: heddle.cast {{.*}} -> !heddle.tensor<[T=4, V=50], f32>
// CHECK: heddle.yield
func.func @added_mask(%x: !x, %w: !w, %allowed: !heddle.tensor<[T=8, V=50], i1>) -> !r {
  %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
  %mask = heddle.cast %allowed : (!heddle.tensor<[T=8, V=50], i1>) -> !l
  %kept = heddle.mul %logits, %mask : (!l, !l) -> !l
  %one = heddle.constant 1.0 : !s
  %less = heddle.sub %mask, %one : (!l, !s) -> !l
  %far = heddle.constant 1.0e9 : !s
  %low = heddle.mul %less, %far : (!l, !s) -> !l
  %all = heddle.add %kept, %low : (!l, !l) -> !l
  %each = heddle.reduce "max" %all over ["V"] : (!l) -> !r
  return %each : !r
}
// Loops nest four deep.
// CHECK-LABEL: @deep
// CHECK-NOT: "block"
func.func @deep(%x: !x, %w: !w, %start: !r) -> !r {
  %a = heddle.repeat "a" over "A" = 2 carry(%start) stack() : (!r) -> !r {
  ^bb0(%ia: !i, %ra: !r):
    %b = heddle.repeat "b" over "B" = 2 carry(%ra) stack() : (!r) -> !r {
    ^bb0(%ib: !i, %rb: !r):
      %c = heddle.repeat "c" over "C" = 2 carry(%rb) stack() : (!r) -> !r {
      ^bb0(%ic: !i, %rc: !r):
        %d = heddle.repeat "d" over "E" = 2 carry(%rc) stack() : (!r) -> !r {
        ^bb0(%id: !i, %rd: !r):
          %logits = heddle.contract %x, %w over ["D"] : (!x, !w) -> !l
          %most = heddle.reduce "max" %logits over ["V"] : (!l) -> !r
          %sum = heddle.add %rd, %most : (!r, !r) -> !r
          heddle.yield %sum : !r
        }
        heddle.yield %d : !r
      }
      heddle.yield %c : !r
    }
    heddle.yield %b : !r
  }
  return %a : !r
}
