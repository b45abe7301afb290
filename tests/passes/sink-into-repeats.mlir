// RUN: %heddle-opt %s --sink-into-repeats --simplify --split-input-file | FileCheck %s

!w = !heddle.tensor<[D=4, F=8], f32>
!ws = !heddle.tensor<[L=3, D=4, F=8], f32>
!x = !heddle.tensor<[B=2, D=4], f32>
!y = !heddle.tensor<[B=2, F=8], f32>
!ys = !heddle.tensor<[L=3, B=2, F=8], f32>
!s = !heddle.tensor<[], f32>

// An update by momentum, with the norm of the gradient: each turn computes its part, and no stack of gradients is left. What
// is decayed beforehand, the scalar and the states come along; the sum over layers stays.
// CHECK-LABEL: @update
// CHECK: %[[W:.*]] = heddle.read @w
// CHECK: %[[M:.*]] = heddle.read @m
// CHECK: %[[R:.*]]:3 = heddle.repeat "layers" over "L" = 3 reverse carry() stack(%{{.*}}, %[[W]], %[[M]])
// CHECK: ^bb0(%{{.*}}, %[[DY:.*]]: !heddle.tensor<[B=2, F=8], f32>, %[[WL:.*]]: !heddle.tensor<[D=4, F=8], f32>, %[[ML:.*]]: !heddle.tensor<[D=4, F=8], f32>):
// CHECK: %[[G:.*]] = heddle.contract %{{.*}}, %[[DY]]
// CHECK: %[[DECAYED:.*]] = heddle.mul %[[WL]], %{{.*}} :
// CHECK: %[[GG:.*]] = heddle.mul %[[G]], %[[G]]
// CHECK: %[[NORM:.*]] = heddle.reduce "sum" %[[GG]] over ["F"] {{.*}} -> !heddle.tensor<[D=4], f32>
// CHECK: %[[NEXT_M:.*]] = heddle.add %[[ML]], %[[G]]
// CHECK: %[[STEP:.*]] = heddle.mul %[[NEXT_M]], %{{.*}} :
// CHECK: %[[NEXT_W:.*]] = heddle.sub %[[DECAYED]], %[[STEP]]
// CHECK: heddle.yield %[[NORM]], %[[NEXT_M]], %[[NEXT_W]]
// CHECK: heddle.reduce "sum" %[[R]]#0 over ["L", "D"]
// CHECK: heddle.write %[[R]]#1, @m
// CHECK: heddle.write %[[R]]#2, @w
module {
  heddle.variable @w "parameter" "normal"(0.0, 1.0) stream 1 : !ws
  heddle.variable @m "optimizer" "constant"(0.0, 0.0) stream 0 : !ws
  heddle.variable @rate "optimizer" "constant"(0.0, 0.0) stream 0 : !s
  func.func @update(%x: !x, %dys: !ys) -> !s {
    %w = heddle.read @w : !ws
    %half = heddle.constant 5.000000e-01 : !s
    %decayed = heddle.mul %w, %half : (!ws, !s) -> !ws
    %gs = heddle.repeat "layers" over "L" = 3 reverse carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %rate = heddle.read @rate : !s
    %less = heddle.mul %rate, %half : (!s, !s) -> !s
    %square = heddle.mul %gs, %gs : (!ws, !ws) -> !ws
    %rows = heddle.reduce "sum" %square over ["F"] : (!ws) -> !heddle.tensor<[L=3, D=4], f32>
    %sum = heddle.reduce "sum" %rows over ["L", "D"] : (!heddle.tensor<[L=3, D=4], f32>) -> !s
    %m = heddle.read @m : !ws
    %next_m = heddle.add %m, %gs : (!ws, !ws) -> !ws
    %step = heddle.mul %next_m, %less : (!ws, !s) -> !ws
    %next_w = heddle.sub %decayed, %step : (!ws, !ws) -> !ws
    heddle.write %next_m, @m : !ws
    heddle.write %next_w, @w : !ws
    return %sum : !s
  }
}

// -----

!w = !heddle.tensor<[D=4, F=8], f32>
!ws = !heddle.tensor<[L=3, D=4, F=8], f32>
!x = !heddle.tensor<[B=2, D=4], f32>
!y = !heddle.tensor<[B=2, F=8], f32>
!ys = !heddle.tensor<[L=3, B=2, F=8], f32>
!s = !heddle.tensor<[], f32>

// A gradient that is scaled by the norm of all stays.
// CHECK-LABEL: @clipped
// CHECK: heddle.yield
// CHECK: heddle.rsqrt
// CHECK: heddle.mul
// CHECK: heddle.sub
// CHECK: heddle.write
// So does one whose parameter is read again afterwards.
// CHECK-LABEL: @read_again
// CHECK: heddle.yield
// CHECK: heddle.sub
// CHECK: heddle.write
// So does one whose update mixes layers, which no turn can do.
// CHECK-LABEL: @mixed
// CHECK: heddle.yield
// CHECK: heddle.sub
// CHECK: heddle.write
// So does a stack that more than its sums want.
// CHECK-LABEL: @wanted
// CHECK: heddle.yield
// CHECK: heddle.exp
// So does one of which a random mask takes a part, since the mask would have to be stored.
// CHECK-LABEL: @masked
// CHECK: heddle.yield
// CHECK: heddle.bernoulli
// CHECK: heddle.sub
module {
  heddle.variable @w "parameter" "normal"(0.0, 1.0) stream 1 : !ws
  heddle.variable @v "optimizer" "constant"(0.0, 0.0) stream 0 : !ws
  func.func @clipped(%x: !x, %dys: !ys) {
    %w = heddle.read @w : !ws
    %gs = heddle.repeat "layers" over "L" = 3 carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %square = heddle.mul %gs, %gs : (!ws, !ws) -> !ws
    %sum = heddle.reduce "sum" %square over ["L", "D", "F"] : (!ws) -> !s
    %scale = heddle.rsqrt %sum : (!s) -> !s
    %scaled = heddle.mul %gs, %scale : (!ws, !s) -> !ws
    %next = heddle.sub %w, %scaled : (!ws, !ws) -> !ws
    heddle.write %next, @w : !ws
    return
  }
  func.func @read_again(%x: !x, %dys: !ys) -> !ws {
    %w = heddle.read @w : !ws
    %gs = heddle.repeat "layers" over "L" = 3 carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %next = heddle.sub %w, %gs : (!ws, !ws) -> !ws
    %old = heddle.exp %w : (!ws) -> !ws
    heddle.write %next, @w : !ws
    return %old : !ws
  }
  func.func @mixed(%x: !x, %dys: !ys) {
    %w = heddle.read @w : !ws
    %gs = heddle.repeat "layers" over "L" = 3 carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %moved = heddle.rename %gs["L" -> "M"] : (!ws) -> !heddle.tensor<[M=3, D=4, F=8], f32>
    %sum = heddle.reduce "sum" %moved over ["M"] : (!heddle.tensor<[M=3, D=4, F=8], f32>) -> !w
    %next = heddle.sub %w, %sum : (!ws, !w) -> !ws
    heddle.write %next, @w : !ws
    return
  }
  func.func @wanted(%x: !x, %dys: !ys) -> (!ws, !ws) {
    %gs = heddle.repeat "layers" over "L" = 3 carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %e = heddle.exp %gs : (!ws) -> !ws
    return %e, %gs : !ws, !ws
  }
  func.func @masked(%x: !x, %dys: !ys, %seed: !heddle.tensor<[P=2], i32>, %step: !heddle.tensor<[], i32>) {
    %w = heddle.read @w : !ws
    %gs = heddle.repeat "layers" over "L" = 3 carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %m = heddle.bernoulli %seed, %step keep 0.5 stream 7 order ["L", "D", "F"] : (!heddle.tensor<[P=2], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[L=3, D=4, F=8], i1>
    %zero = heddle.constant 0.0 : !s
    %kept = heddle.select %m, %gs, %zero : (!heddle.tensor<[L=3, D=4, F=8], i1>, !ws, !s) -> !ws
    %next = heddle.sub %w, %kept : (!ws, !ws) -> !ws
    heddle.write %next, @w : !ws
    return
  }
}

// -----

!w = !heddle.tensor<[D=4, F=8], f32>
!ws = !heddle.tensor<[L=3, D=4, F=8], f32>
!wss = !heddle.tensor<[M=2, L=3, D=4, F=8], f32>
!x = !heddle.tensor<[B=2, D=4], f32>
!y = !heddle.tensor<[B=2, F=8], f32>
!ys = !heddle.tensor<[L=3, B=2, F=8], f32>
!yss = !heddle.tensor<[M=2, L=3, B=2, F=8], f32>
!i = !heddle.tensor<[], i32>

// Loops in loops: into the outer one, then into the inner one.
// CHECK-LABEL: @nested
// CHECK: heddle.repeat "outer"
// CHECK: heddle.repeat "inner"
// CHECK: %[[G:.*]] = heddle.contract
// CHECK: %[[NEXT:.*]] = heddle.sub %{{.*}}, %[[G]] {{.*}} -> !heddle.tensor<[D=4, F=8], f32>
// CHECK: heddle.yield %[[NEXT]]
// CHECK: heddle.yield
// CHECK-NOT: heddle.sub
// CHECK: heddle.write
module {
  heddle.variable @w "parameter" "normal"(0.0, 1.0) stream 1 : !wss
  func.func @nested(%x: !x, %dys: !yss) {
    %w = heddle.read @w : !wss
    %gs = heddle.repeat "outer" over "M" = 2 carry() stack(%dys) : (!yss) -> !wss {
    ^bb0(%i: !i, %dy: !ys):
      %inner = heddle.repeat "inner" over "L" = 3 carry() stack(%dy) : (!ys) -> !ws {
      ^bb0(%j: !i, %d: !y):
        %g = heddle.contract %x, %d over ["B"] : (!x, !y) -> !w
        heddle.yield %g : !w
      }
      heddle.yield %inner : !ws
    }
    %next = heddle.sub %w, %gs : (!wss, !wss) -> !wss
    heddle.write %next, @w : !wss
    return
  }
}

// -----

!w = !heddle.tensor<[D=4, F=8], f32>
!ws = !heddle.tensor<[L=3, D=4, F=8], f32>
!x = !heddle.tensor<[B=2, D=4], f32>
!y = !heddle.tensor<[B=2, F=8], f32>
!ys = !heddle.tensor<[L=3, B=2, F=8], f32>

// Gradients of micro-batches are added up in the turn of their layer, where what is carried on lies.
// CHECK-LABEL: @micro
// CHECK: heddle.repeat "micro"
// CHECK: ^bb0(%{{.*}}, %[[SUMS:.*]]: !heddle.tensor<[L=3, D=4, F=8], f32>):
// CHECK: %[[R:.*]] = heddle.repeat "layers" over "L" = 3 reverse carry() stack(%{{.*}}, %[[SUMS]])
// CHECK: %[[G:.*]] = heddle.contract
// CHECK: heddle.add %{{.*}}, %[[G]] : (!heddle.tensor<[D=4, F=8], f32>
// CHECK: heddle.yield
// CHECK: heddle.yield %[[R]]
func.func @micro(%x: !x, %dys: !ys, %zero: !ws) -> !ws {
  %sum = heddle.repeat "micro" over "M" = 2 carry(%zero) stack() : (!ws) -> !ws {
  ^bb0(%m: !heddle.tensor<[], i32>, %sums: !ws):
    %gs = heddle.repeat "layers" over "L" = 3 reverse carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %next = heddle.add %sums, %gs : (!ws, !ws) -> !ws
    heddle.yield %next : !ws
  }
  return %sum : !ws
}
// What they were before is wanted for something else: then the sums have no place, and stay behind the loop.
// CHECK-LABEL: @before
// CHECK: heddle.repeat "layers" over "L" = 3 reverse carry() stack(%{{[^,]*}}) :
// CHECK: heddle.add {{.*}} : (!heddle.tensor<[L=3, D=4, F=8], f32>
func.func @before(%x: !x, %dys: !ys, %zero: !ws) -> (!ws, !ws) {
  %sum:2 = heddle.repeat "micro" over "M" = 2 carry(%zero, %zero) stack() : (!ws, !ws) -> (!ws, !ws) {
  ^bb0(%m: !heddle.tensor<[], i32>, %sums: !ws, %last: !ws):
    %gs = heddle.repeat "layers" over "L" = 3 reverse carry() stack(%dys) : (!ys) -> !ws {
    ^bb0(%i: !heddle.tensor<[], i32>, %dy: !y):
      %g = heddle.contract %x, %dy over ["B"] : (!x, !y) -> !w
      heddle.yield %g : !w
    }
    %next = heddle.add %sums, %gs : (!ws, !ws) -> !ws
    heddle.yield %next, %sums : !ws, !ws
  }
  return %sum#0, %sum#1 : !ws, !ws
}
