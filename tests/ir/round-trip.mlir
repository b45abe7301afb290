// Every structural form prints and parses back to the same text.
// RUN: %heddle-opt %s > %t && %heddle-opt %t | diff %t -

heddle.variable @wte "parameter" "normal"(0.0, 0.02) stream 1 : !heddle.tensor<[V=65, D=8], f32>
heddle.variable @"h.{}.w" "parameter" "normal"(0.0, 0.02) stream 2 {repeats = 1 : i64} : !heddle.tensor<[L=4, D=8, E=8], f32>
func.func @train(%ids: !heddle.tensor<[B=2, T=4], i32> {heddle.name = "data.ids"}, %seed: !heddle.tensor<[word=2], i32>, %step: !heddle.tensor<[], i32>) -> (!heddle.tensor<[], f32> {heddle.name = "loss.lm"}) {
  %w = heddle.read @wte : !heddle.tensor<[V=65, D=8], f32>
  %hw = heddle.read @"h.{}.w" : !heddle.tensor<[L=4, D=8, E=8], f32>
  %x = heddle.gather %w["V" = %ids] : (!heddle.tensor<[V=65, D=8], f32>, !heddle.tensor<[B=2, T=4], i32>) -> !heddle.tensor<[B=2, T=4, D=8], f32>
  %y = heddle.repeat "h" over "L" = 4 carry(%x) stack(%hw) : (!heddle.tensor<[B=2, T=4, D=8], f32>, !heddle.tensor<[L=4, D=8, E=8], f32>) -> !heddle.tensor<[B=2, T=4, D=8], f32> {
  ^bb0(%h: !heddle.tensor<[], i32>, %a: !heddle.tensor<[B=2, T=4, D=8], f32>, %b: !heddle.tensor<[D=8, E=8], f32>):
    %m = heddle.bernoulli %seed, %step indices(%h) keep 0.9 stream 7 order ["B", "T", "D"] : (!heddle.tensor<[word=2], i32>, !heddle.tensor<[], i32>, !heddle.tensor<[], i32>) -> !heddle.tensor<[B=2, T=4, D=8], i1>
    %c = heddle.contract %a, %b over ["D"] : (!heddle.tensor<[B=2, T=4, D=8], f32>, !heddle.tensor<[D=8, E=8], f32>) -> !heddle.tensor<[B=2, T=4, E=8], f32>
    %r = heddle.rename %c["E" -> "D"] : (!heddle.tensor<[B=2, T=4, E=8], f32>) -> !heddle.tensor<[B=2, T=4, D=8], f32>
    %z = heddle.constant 0.0 : !heddle.tensor<[], f32>
    %i = heddle.constant -inf : !heddle.tensor<[], f32>
    %k = heddle.constant 3 : !heddle.tensor<[], i32>
    %f = heddle.fused(%m, %r, %z) : (!heddle.tensor<[B=2, T=4, D=8], i1>, !heddle.tensor<[B=2, T=4, D=8], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[B=2, T=4, D=8], f32> {
    ^bb0(%p: !heddle.tensor<[B=2, T=4, D=8], i1>, %q: !heddle.tensor<[B=2, T=4, D=8], f32>, %s: !heddle.tensor<[], f32>):
      %g = heddle.select %p, %q, %s : (!heddle.tensor<[B=2, T=4, D=8], i1>, !heddle.tensor<[B=2, T=4, D=8], f32>, !heddle.tensor<[], f32>) -> !heddle.tensor<[B=2, T=4, D=8], f32>
      heddle.yield %g : !heddle.tensor<[B=2, T=4, D=8], f32>
    }
    heddle.yield %f : !heddle.tensor<[B=2, T=4, D=8], f32>
  }
  %l = heddle.reduce "sum" %y over ["B", "T", "D"] : (!heddle.tensor<[B=2, T=4, D=8], f32>) -> !heddle.tensor<[], f32>
  return %l : !heddle.tensor<[], f32>
}
heddle.entry @e inputs [#heddle.buffer<"data.ids", !heddle.tensor<[B=2], i32>, repeats = 0, offset = 0>] outputs [] workspace 128 scratch 64 flops 10 {
  heddle.loop 4 {
    heddle.call @k tiles 12 [#heddle.arg<"workspace", 64, [0, 4]>, #heddle.arg<"variables", 0>]
  }
}
