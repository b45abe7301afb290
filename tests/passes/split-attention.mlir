// One sequence and head, 1024 rows and keys: a gradient by one tile. Its keys are divided into four parts, whose sums are
// added up; what is of keys stays. With eight sequences, or few keys, nothing is divided.
// RUN: %heddle-opt %s --split-attention | FileCheck %s

!q = !heddle.tensor<[T=1024, K=64], f32>
!k = !heddle.tensor<[S=1024, K=64], f32>
!s = !heddle.tensor<[T=1024, S=1024], f32>
!r = !heddle.tensor<[T=1024], f32>
// CHECK-LABEL: func.func @few
// CHECK: %[[G:.*]]:2 = heddle.attention_backward over "S" rows ["T"]({{.*}} -> (!heddle.tensor<[S_part=4, T=1024, K=64], f32>, !heddle.tensor<[S=1024, K=64], f32>)
// CHECK: heddle.yield %{{.*}}, %{{.*}} : !heddle.tensor<[T=1024, K=64], f32>, !heddle.tensor<[S=1024, K=64], f32>
// CHECK: %[[SUM:.*]] = heddle.reduce "sum" %[[G]]#0 over ["S_part"] : (!heddle.tensor<[S_part=4, T=1024, K=64], f32>) -> !heddle.tensor<[T=1024, K=64], f32>
// CHECK: return %[[SUM]], %[[G]]#1
func.func @few(%q: !q, %k: !k, %max: !r, %sum: !r) -> (!q, !k) {
  %0:2 = heddle.attention_backward over "S" rows ["T"](%q, %k, %max, %sum) : (!q, !k, !r, !r) -> (!q, !k) {
  ^bb0(%a: !q, %b: !k, %m: !r, %n: !r):
    %s = heddle.contract %a, %b over ["K"] : (!q, !k) -> !s
    %d = heddle.sub %s, %m : (!s, !r) -> !s
    %e = heddle.exp %d : (!s) -> !s
    %p = heddle.div %e, %n : (!s, !r) -> !s
    %dq = heddle.contract %p, %b over ["S"] : (!s, !k) -> !q
    %dk = heddle.contract %p, %a over ["T"] : (!s, !q) -> !k
    heddle.yield %dq, %dk : !q, !k
  }
  return %0#0, %0#1 : !q, !k
}

!q8 = !heddle.tensor<[B=8, T=1024, K=64], f32>
!k8 = !heddle.tensor<[B=8, S=1024, K=64], f32>
!s8 = !heddle.tensor<[B=8, T=1024, S=1024], f32>
!r8 = !heddle.tensor<[B=8, T=1024], f32>
// CHECK-LABEL: func.func @many
// CHECK-NOT: S_part
func.func @many(%q: !q8, %k: !k8, %max: !r8, %sum: !r8) -> !q8 {
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k, %max, %sum) : (!q8, !k8, !r8, !r8) -> !q8 {
  ^bb0(%a: !q8, %b: !k8, %m: !r8, %n: !r8):
    %s = heddle.contract %a, %b over ["K"] : (!q8, !k8) -> !s8
    %d = heddle.sub %s, %m : (!s8, !r8) -> !s8
    %e = heddle.exp %d : (!s8) -> !s8
    %p = heddle.div %e, %n : (!s8, !r8) -> !s8
    %dq = heddle.contract %p, %b over ["S"] : (!s8, !k8) -> !q8
    heddle.yield %dq : !q8
  }
  return %0 : !q8
}

!qs = !heddle.tensor<[T=448, K=64], f32>
!ks = !heddle.tensor<[S=448, K=64], f32>
!ss = !heddle.tensor<[T=448, S=448], f32>
!rs = !heddle.tensor<[T=448], f32>
// CHECK-LABEL: func.func @little
// CHECK-NOT: S_part
func.func @little(%q: !qs, %k: !ks, %max: !rs, %sum: !rs) -> !qs {
  %0 = heddle.attention_backward over "S" rows ["T"](%q, %k, %max, %sum) : (!qs, !ks, !rs, !rs) -> !qs {
  ^bb0(%a: !qs, %b: !ks, %m: !rs, %n: !rs):
    %s = heddle.contract %a, %b over ["K"] : (!qs, !ks) -> !ss
    %d = heddle.sub %s, %m : (!ss, !rs) -> !ss
    %e = heddle.exp %d : (!ss) -> !ss
    %p = heddle.div %e, %n : (!ss, !rs) -> !ss
    %dq = heddle.contract %p, %b over ["S"] : (!ss, !ks) -> !qs
    heddle.yield %dq : !qs
  }
  return %0 : !qs
}
