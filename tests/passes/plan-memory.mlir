// Places, and the copies that they need.
// RUN: %heddle-opt %s --plan-memory --split-input-file | FileCheck %s

!x = !heddle.tensor<[B=2, T=16], f32>

// A chain reuses the memory of what is dead: two buffers of 128 bytes behind the input serve three values.
// CHECK-LABEL: @chain
// CHECK-SAME: heddle.offset = [[IN:[0-9]+]]
// CHECK-SAME: heddle.workspace = 384
module {
  func.func @chain(%x: !x) -> !x {
    %a = heddle.fused(%x) : (!x) -> !x {
    ^bb0(%i: !x):
      %0 = heddle.exp %i : (!x) -> !x
      heddle.yield %0 : !x
    }
    %b = heddle.fused(%a) : (!x) -> !x {
    ^bb0(%i: !x):
      %0 = heddle.exp %i : (!x) -> !x
      heddle.yield %0 : !x
    }
    %c = heddle.fused(%b) : (!x) -> !x {
    ^bb0(%i: !x):
      %0 = heddle.exp %i : (!x) -> !x
      heddle.yield %0 : !x
    }
    return %c : !x
  }
}

// -----

// The new value of a variable is written over the old one: its op is the last to read it, element by element.
!x = !heddle.tensor<[B=2, T=16], f32>
// CHECK-LABEL: @update
// CHECK: heddle.fused
// CHECK-SAME: heddle.args = [#heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>, #heddle.arg<"variables", 0>]
// CHECK-NOT: heddle.broadcast
module {
  heddle.variable @p "parameter" "normal"(0.0, 1.0) stream 1 : !x
  func.func @update(%g: !x) {
    %p = heddle.read @p : !x
    %q = heddle.fused(%p, %g) : (!x, !x) -> !x {
    ^bb0(%i: !x, %j: !x):
      %0 = heddle.sub %i, %j : (!x, !x) -> !x
      heddle.yield %0 : !x
    }
    heddle.write %q, @p : !x
    return
  }
}

// -----

// A reduction of something else, as of the gradient for its norm, does not keep the new value from its place.
!x = !heddle.tensor<[B=2, T=16], f32>
!t = !heddle.tensor<[T=16], f32>
// CHECK-LABEL: @beside
// CHECK: heddle.fused
// CHECK-SAME: heddle.args = [#heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>, #heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>]
// CHECK-NOT: heddle.broadcast
module {
  heddle.variable @p "parameter" "normal"(0.0, 1.0) stream 1 : !x
  func.func @beside(%g: !x) -> !t {
    %p = heddle.read @p : !x
    %q:2 = heddle.fused(%p, %g) : (!x, !x) -> (!x, !t) {
    ^bb0(%i: !x, %j: !x):
      %0 = heddle.mul %j, %j : (!x, !x) -> !x
      %1 = heddle.reduce "sum" %0 over ["B"] : (!x) -> !t
      %2 = heddle.sub %i, %j : (!x, !x) -> !x
      heddle.yield %2, %1 : !x, !t
    }
    heddle.write %q#0, @p : !x
    return %q#1 : !t
  }
}

// -----

// But if the new value needs the reduction, it is made in a later loop: another result could have been written by then.
!x = !heddle.tensor<[B=2, T=16], f32>
!t = !heddle.tensor<[T=16], f32>
// CHECK-LABEL: @later
// CHECK: heddle.fused
// CHECK-SAME: heddle.args = [#heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>, #heddle.arg<"workspace", {{[0-9]+}}>]
// CHECK: heddle.broadcast
module {
  heddle.variable @p "parameter" "normal"(0.0, 1.0) stream 1 : !x
  func.func @later(%g: !x) {
    %p = heddle.read @p : !x
    %q = heddle.fused(%p, %g) : (!x, !x) -> !x {
    ^bb0(%i: !x, %j: !x):
      %0 = heddle.reduce "sum" %j over ["B"] : (!x) -> !t
      %1 = heddle.broadcast %0 : (!t) -> !x
      %2 = heddle.sub %i, %1 : (!x, !x) -> !x
      heddle.yield %2 : !x
    }
    heddle.write %q, @p : !x
    return
  }
}

// -----

// A nest that reduces the old value may still read what it has written by then: the new one is made elsewhere.
!x = !heddle.tensor<[B=2, T=16], f32>
!t = !heddle.tensor<[T=16], f32>
// CHECK-LABEL: @reduced
// CHECK: heddle.fused
// CHECK-SAME: heddle.args = [#heddle.arg<"variables", 0>, #heddle.arg<"workspace", {{[0-9]+}}>]
// CHECK: heddle.reduce
// CHECK: heddle.fused
// CHECK-SAME: heddle.args = [#heddle.arg<"workspace", {{[0-9]+}}>, #heddle.arg<"variables", 0>]
// CHECK: heddle.broadcast
module {
  heddle.variable @p "parameter" "normal"(0.0, 1.0) stream 1 : !x
  func.func @reduced() {
    %p = heddle.read @p : !x
    %q = heddle.fused(%p) : (!x) -> !x {
    ^bb0(%i: !x):
      %0 = heddle.reduce "sum" %i over ["B"] : (!x) -> !t
      %1 = heddle.sub %i, %0 : (!x, !t) -> !x
      heddle.yield %1 : !x
    }
    heddle.write %q, @p : !x
    return
  }
}

// -----

// A later op reads the old value: the new one is made elsewhere and copied at the end.
!x = !heddle.tensor<[B=2, T=16], f32>
// CHECK-LABEL: @read_after
// CHECK: heddle.sub
// CHECK: heddle.fused
// CHECK-SAME: #heddle.arg<"variables", 0>, #heddle.arg<"workspace"
// CHECK: heddle.broadcast
// CHECK: heddle.write
module {
  heddle.variable @p "parameter" "normal"(0.0, 1.0) stream 1 : !x
  func.func @read_after(%g: !x) -> !x {
    %p = heddle.read @p : !x
    %q = heddle.fused(%p, %g) : (!x, !x) -> !x {
    ^bb0(%i: !x, %j: !x):
      %0 = heddle.sub %i, %j : (!x, !x) -> !x
      heddle.yield %0 : !x
    }
    heddle.write %q, @p : !x
    %r = heddle.fused(%p) : (!x) -> !x {
    ^bb0(%i: !x):
      %0 = heddle.exp %i : (!x) -> !x
      heddle.yield %0 : !x
    }
    return %r : !x
  }
}

// -----

// A repeat: slices move by their size each iteration; what is carried stays where it is; a sum in place needs no copy.
!x = !heddle.tensor<[B=2, T=16], f32>
!w = !heddle.tensor<[L=4, B=2, T=16], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @loop
// CHECK: heddle.repeat
// CHECK: heddle.fused
// CHECK-SAME: [#heddle.arg<"workspace", [[X:[0-9]+]], [0]>, #heddle.arg<"variables", 0, [128]>, #heddle.arg<"workspace", {{[0-9]+}}, [128]>]
// CHECK: heddle.fused
// CHECK-SAME: [#heddle.arg<"workspace", [[X]], [0]>, #heddle.arg<"variables", 0, [128]>, #heddle.arg<"workspace", [[X]], [0]>]
module {
  heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !w
  func.func @loop(%x: !x) -> (!x, !w) {
    %w = heddle.read @"h.{}.w" : !w
    %y, %ys = heddle.repeat "h" over "L" = 4 carry(%x) stack(%w) : (!x, !w) -> (!x, !w) {
    ^bb0(%h: !i, %a: !x, %b: !x):
      %m = heddle.fused(%a, %b) : (!x, !x) -> !x {
      ^bb0(%i: !x, %j: !x):
        %0 = heddle.mul %i, %j : (!x, !x) -> !x
        heddle.yield %0 : !x
      }
      %c = heddle.fused(%a, %b) : (!x, !x) -> !x {
      ^bb0(%i: !x, %j: !x):
        %0 = heddle.add %i, %j : (!x, !x) -> !x
        heddle.yield %0 : !x
      }
      heddle.yield %c, %m : !x, !x
    }
    return %y, %ys : !x, !w
  }
}

// -----

// What a repeat collects becomes the new value of a variable: each element lies where the old one did, which only its turn
// and what comes before the repeat read.
!x = !heddle.tensor<[B=2, T=16], f32>
!w = !heddle.tensor<[L=4, B=2, T=16], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @collect_over
// CHECK: heddle.repeat "h.backward"
// CHECK: heddle.fused
// CHECK-SAME: #heddle.arg<"variables", 0, [128]>, #heddle.arg<"workspace", {{[0-9]+}}, [0]>, #heddle.arg<"variables", 0, [128]>]
// CHECK-NOT: heddle.broadcast
module {
  heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !w
  func.func @collect_over(%x: !x) -> !x {
    %w = heddle.read @"h.{}.w" : !w
    %0 = heddle.fused(%x) : (!x) -> !x {
    ^bb0(%j: !x):
      %1 = heddle.neg %j : (!x) -> !x
      heddle.yield %1 : !x
    }
    %y = heddle.repeat "h" over "L" = 4 carry(%0) stack(%w) : (!x, !w) -> !x {
    ^bb0(%h: !i, %a: !x, %b: !x):
      %c = heddle.fused(%a, %b) : (!x, !x) -> !x {
      ^bb0(%i: !x, %j: !x):
        %1 = heddle.add %i, %j : (!x, !x) -> !x
        heddle.yield %1 : !x
      }
      heddle.yield %c : !x
    }
    %ws = heddle.repeat "h.backward" over "L" = 4 reverse carry() stack(%w) : (!w) -> !w {
    ^bb0(%h: !i, %b: !x):
      %c = heddle.fused(%b, %y) : (!x, !x) -> !x {
      ^bb0(%i: !x, %j: !x):
        %1 = heddle.sub %i, %j : (!x, !x) -> !x
        heddle.yield %1 : !x
      }
      heddle.yield %c : !x
    }
    heddle.write %ws, @"h.{}.w" : !w
    %r = heddle.fused(%y) : (!x) -> !x {
    ^bb0(%j: !x):
      %1 = heddle.neg %j : (!x) -> !x
      heddle.yield %1 : !x
    }
    return %r : !x
  }
}

// -----

// A later repeat reads the old value: the new one is made elsewhere and copied at the end.
!x = !heddle.tensor<[B=2, T=16], f32>
!w = !heddle.tensor<[L=4, B=2, T=16], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @collect_before
// CHECK: heddle.repeat "first"
// CHECK: heddle.fused
// CHECK-SAME: #heddle.arg<"variables", 0, [128]>, #heddle.arg<"workspace", {{[0-9]+}}, [128]>]
// CHECK: heddle.repeat "second"
// CHECK: heddle.broadcast
// CHECK: heddle.write
module {
  heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !w
  func.func @collect_before(%x: !x) -> !x {
    %w = heddle.read @"h.{}.w" : !w
    %ws = heddle.repeat "first" over "L" = 4 carry() stack(%w) : (!w) -> !w {
    ^bb0(%h: !i, %b: !x):
      %c = heddle.fused(%b) : (!x) -> !x {
      ^bb0(%i: !x):
        %1 = heddle.neg %i : (!x) -> !x
        heddle.yield %1 : !x
      }
      heddle.yield %c : !x
    }
    %0 = heddle.fused(%x) : (!x) -> !x {
    ^bb0(%j: !x):
      %1 = heddle.neg %j : (!x) -> !x
      heddle.yield %1 : !x
    }
    %y = heddle.repeat "second" over "L" = 4 carry(%0) stack(%w) : (!x, !w) -> !x {
    ^bb0(%h: !i, %a: !x, %b: !x):
      %c = heddle.fused(%a, %b) : (!x, !x) -> !x {
      ^bb0(%i: !x, %j: !x):
        %1 = heddle.add %i, %j : (!x, !x) -> !x
        heddle.yield %1 : !x
      }
      heddle.yield %c : !x
    }
    heddle.write %ws, @"h.{}.w" : !w
    %r = heddle.fused(%y) : (!x) -> !x {
    ^bb0(%j: !x):
      %1 = heddle.neg %j : (!x) -> !x
      heddle.yield %1 : !x
    }
    return %r : !x
  }
}

// -----

// What is collected under other names of its axes is met in another order: it does not lie over what it is made of.
!w = !heddle.tensor<[D=4, E=4], f32>
!t = !heddle.tensor<[E=4, D=4], f32>
!ws = !heddle.tensor<[L=3, D=4, E=4], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @collect_view
// CHECK: heddle.fused
// CHECK-SAME: #heddle.arg<"variables", 0, [64]>, #heddle.arg<"workspace", {{[0-9]+}}, [64]>]
// CHECK: heddle.neg
// CHECK: heddle.broadcast
// CHECK: heddle.write
module {
  heddle.variable @"w.{}" "parameter" "normal"(0.0, 1.0) stream 1 {repeats = 1 : i64} : !ws
  func.func @collect_view() {
    %w = heddle.read @"w.{}" : !ws
    %ws = heddle.repeat "layers" over "L" = 3 carry() stack(%w) : (!ws) -> !ws {
    ^bb0(%i: !i, %x: !w):
      %t = heddle.fused(%x) : (!w) -> !t {
      ^bb0(%a: !w):
        %z = heddle.neg %a : (!w) -> !t
        heddle.yield %z : !t
      }
      %0 = heddle.rename %t["E" -> "X"] : (!t) -> !heddle.tensor<[X=4, D=4], f32>
      %1 = heddle.rename %0["D" -> "E"] : (!heddle.tensor<[X=4, D=4], f32>) -> !heddle.tensor<[X=4, E=4], f32>
      %2 = heddle.rename %1["X" -> "D"] : (!heddle.tensor<[X=4, E=4], f32>) -> !w
      heddle.yield %2 : !w
    }
    heddle.write %ws, @"w.{}" : !ws
    return
  }
}

// -----

// Two carried values that change places need a copy on the way.
!x = !heddle.tensor<[B=2, T=16], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @swap
// CHECK: heddle.repeat
// CHECK-COUNT-4: heddle.broadcast
module {
  func.func @swap(%x: !x, %y: !x) -> (!x, !x) {
    %p:2 = heddle.repeat "h" over "L" = 4 carry(%x, %y) stack() : (!x, !x) -> (!x, !x) {
    ^bb0(%h: !i, %a: !x, %b: !x):
      heddle.yield %b, %a : !x, !x
    }
    return %p#0, %p#1 : !x, !x
  }
}

// -----

// A carried value that is collected, too, is copied before the next one is written over it.
!x = !heddle.tensor<[B=2, T=16], f32>
!w = !heddle.tensor<[L=4, B=2, T=16], f32>
!i = !heddle.tensor<[], i32>
// CHECK-LABEL: @collect_carried
// CHECK: heddle.repeat
// CHECK: heddle.broadcast
// CHECK: heddle.exp
module {
  func.func @collect_carried(%x: !x) -> !w {
    %y, %ys = heddle.repeat "h" over "L" = 4 carry(%x) stack() : (!x) -> (!x, !w) {
    ^bb0(%h: !i, %a: !x):
      %c = heddle.fused(%a) : (!x) -> !x {
      ^bb0(%i: !x):
        %0 = heddle.exp %i : (!x) -> !x
        heddle.yield %0 : !x
      }
      heddle.yield %c, %a : !x, !x
    }
    return %ys : !w
  }
}

// -----

// What updates are added onto is the memory of the sum.
!t = !heddle.tensor<[V=4, D=16], f32>
!u = !heddle.tensor<[N=2, D=16], f32>
// CHECK-LABEL: @onto
// CHECK: heddle.contract
// CHECK-SAME: #heddle.arg<"workspace", [[TABLE:[0-9]+]]>]
// CHECK-NOT: heddle.fused
// CHECK: heddle.scatter_add
// CHECK-SAME: #heddle.arg<"workspace", [[TABLE]]>, #heddle.arg<"workspace", [[TABLE]]>]
module {
  func.func @onto(%x: !heddle.tensor<[V=4, K=3], f32>, %y: !heddle.tensor<[K=3, D=16], f32>, %u: !u, %i: !heddle.tensor<[N=2], i32>) -> !t {
    %p = heddle.contract %x, %y over ["K"] : (!heddle.tensor<[V=4, K=3], f32>, !heddle.tensor<[K=3, D=16], f32>) -> !t
    %s = heddle.scatter_add %u["V" = %i] onto(%p) : (!u, !heddle.tensor<[N=2], i32>, !t) -> !t
    %e = heddle.fused(%s) : (!t) -> !t {
    ^bb0(%j: !t):
      %0 = heddle.exp %j : (!t) -> !t
      heddle.yield %0 : !t
    }
    return %e : !t
  }
}

// -----

// Unless it is read again, or is what an entry returns: then it is copied first.
!t = !heddle.tensor<[V=4, D=16], f32>
!u = !heddle.tensor<[N=2, D=16], f32>
// CHECK-LABEL: @kept
// CHECK: heddle.contract
// CHECK-SAME: #heddle.arg<"workspace", [[TABLE:[0-9]+]]>]
// CHECK: heddle.fused
// CHECK-SAME: #heddle.arg<"workspace", [[TABLE]]>, #heddle.arg<"workspace", [[COPY:[0-9]+]]>]
// CHECK: heddle.scatter_add
// CHECK-SAME: #heddle.arg<"workspace", [[COPY]]>, #heddle.arg<"workspace", [[COPY]]>]
// CHECK: heddle.fused
module {
  func.func @kept(%x: !heddle.tensor<[V=4, K=3], f32>, %y: !heddle.tensor<[K=3, D=16], f32>, %u: !u, %i: !heddle.tensor<[N=2], i32>) -> (!t, !t) {
    %p = heddle.contract %x, %y over ["K"] : (!heddle.tensor<[V=4, K=3], f32>, !heddle.tensor<[K=3, D=16], f32>) -> !t
    %s = heddle.scatter_add %u["V" = %i] onto(%p) : (!u, !heddle.tensor<[N=2], i32>, !t) -> !t
    return %p, %s : !t, !t
  }
}
