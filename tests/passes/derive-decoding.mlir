// @decode is one position of @sample: keys and values are cached behind their projections, in a stack with an element for
// each layer, and what does not depend on the ids is kept as it is. @sample writes all of what is kept.
// RUN: %heddle-opt --derive-decoding %s | FileCheck %s

!ids = !heddle.tensor<[B=1, T=4], i32>
!src = !heddle.tensor<[B=1, N=3], i32>
!e = !heddle.tensor<[V=9, D=8], f32>
!x = !heddle.tensor<[B=1, T=4, D=8], f32>
!k = !heddle.tensor<[B=1, S=4, D=8], f32>
!m = !heddle.tensor<[B=1, N=3, D=8], f32>
!s = !heddle.tensor<[B=1, T=4, S=4], f32>
!ws = !heddle.tensor<[L=2, D=8, E=8], f32>
!w = !heddle.tensor<[D=8, E=8], f32>
!xe = !heddle.tensor<[B=1, T=4, E=8], f32>
!ke = !heddle.tensor<[B=1, S=4, E=8], f32>
!i = !heddle.tensor<[], i32>
!f = !heddle.tensor<[], f32>

// CHECK: heddle.variable @cache "cache" {{.*}} : !heddle.tensor<[B=1, D=8], f32>
// CHECK: heddle.variable @"h.{}.cache" "cache" {{.*}}{repeats = 1 : i64} : !heddle.tensor<[L=2, B=1, S=4, E=8], f32>
// CHECK-LABEL: func.func @sample
// CHECK: heddle.repeat "h"
// CHECK: heddle.yield %{{.*}}, %[[KEYS:.*]] : !heddle.tensor<[B=1, T=4, D=8], f32>, !heddle.tensor<[B=1, S=4, E=8], f32>
// CHECK-DAG: heddle.write %{{.*}}, @cache
// CHECK-DAG: heddle.write %{{.*}}#1, @"h.{}.cache"
heddle.variable @e "parameter" "normal"(0.0, 1.0) stream 1 : !e
heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 1.0) stream 2 {repeats = 1 : i64} : !ws

// CHECK-LABEL: func.func @decode
// CHECK-SAME: (%[[TOKEN:.*]]: !heddle.tensor<[B=1], i32> {heddle.name = "data.tgt"}, %[[AT:.*]]: !heddle.tensor<[], i32> {heddle.name = "$position"}) -> (!heddle.tensor<[B=1, V=9], f32> {heddle.name = "logits"})
// CHECK-DAG: %[[ENCODED:.*]] = heddle.read @cache
// CHECK-DAG: %[[STACK:.*]] = heddle.read @"h.{}.cache"
// Whatever the caller says, the position lies within the axis.
// CHECK: %[[LOW:.*]] = heddle.max %[[AT]]
// CHECK: %[[P:.*]] = heddle.min %[[LOW]]
// CHECK: heddle.gather %{{.*}}["V" = %[[TOKEN]]]
// CHECK: %[[H:.*]]:2 = heddle.repeat "h" over "L" = 2 carry(%{{.*}}) stack(%{{.*}}, %[[STACK]])
// CHECK: ^bb0(%{{.*}}, %[[X:.*]]: !heddle.tensor<[B=1, D=8], f32>, %[[W:.*]]: {{.*}}, %[[OLD:.*]]: !heddle.tensor<[B=1, S=4, E=8], f32>):
// CHECK-DAG: %[[KEY:.*]] = heddle.contract %[[X]], %[[W]] over ["D"]{{.*}} -> !heddle.tensor<[B=1, E=8], f32>
// CHECK: %[[HERE:.*]] = heddle.compare "eq" %{{.*}}, %[[P]]
// CHECK: %[[NEW:.*]] = heddle.select %[[HERE]], %[[KEY]], %[[OLD]]
// CHECK: heddle.softmax %{{.*}} over "S" : {{.*}} -> !heddle.tensor<[B=1, S=4], f32>
// CHECK: heddle.yield %{{.*}}, %[[NEW]] :
// CHECK: heddle.write %[[H]]#1, @"h.{}.cache"
func.func @sample(%ids: !ids {heddle.name = "data.tgt"}, %src: !src {heddle.name = "data.src"})
    -> (!heddle.tensor<[B=1, T=4, V=9], f32> {heddle.name = "logits"}) {
  %e = heddle.read @e : !e
  %ws = heddle.read @"h.{}.w" : !ws
  %t = heddle.gather %e["V" = %ids] : (!e, !ids) -> !x
  %m = heddle.gather %e["V" = %src] : (!e, !src) -> !m
  %sum = heddle.reduce "sum" %m over ["N"] : (!m) -> !heddle.tensor<[B=1, D=8], f32>
  %x = heddle.add %t, %sum : (!x, !heddle.tensor<[B=1, D=8], f32>) -> !x
  %y = heddle.repeat "h" over "L" = 2 carry(%x) stack(%ws) : (!x, !ws) -> !x {
  ^bb0(%n: !i, %c: !x, %w: !w):
    %xe = heddle.contract %c, %w over ["D"] : (!x, !w) -> !xe
    %ke = heddle.rename %xe["T" -> "S"] : (!xe) -> !ke
    %s = heddle.contract %xe, %ke over ["E"] : (!xe, !ke) -> !s
    %pt = heddle.position : <[T=4], i32>
    %ps = heddle.position : <[S=4], i32>
    %le = heddle.compare "le" %ps, %pt : (!heddle.tensor<[S=4], i32>, !heddle.tensor<[T=4], i32>) -> !heddle.tensor<[S=4, T=4], i1>
    %none = heddle.constant -inf : !f
    %open = heddle.select %le, %s, %none : (!heddle.tensor<[S=4, T=4], i1>, !s, !f) -> !s
    %p = heddle.softmax %open over "S" : (!s) -> !s
    %v = heddle.contract %p, %ke over ["S"] : (!s, !ke) -> !xe
    %back = heddle.contract %v, %w over ["E"] : (!xe, !w) -> !x
    heddle.yield %back : !x
  }
  %logits = heddle.contract %y, %e over ["D"] : (!x, !e) -> !heddle.tensor<[B=1, T=4, V=9], f32>
  return %logits : !heddle.tensor<[B=1, T=4, V=9], f32>
}
