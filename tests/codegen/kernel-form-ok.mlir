// A module with a plan, a kernel and a function of lanes is in kernel form.
// RUN: %heddle-opt --verify-kernel-form %s | FileCheck %s
// CHECK: heddle.call @scale tiles 3
module attributes {heddle.target = "avx512"} {
  heddle.entry @run inputs [] outputs [] workspace 128 scratch 4 flops 0 {
    heddle.loop 2 {
      heddle.call @scale tiles 3 [#heddle.arg<"workspace", 0, [64]>, #heddle.arg<"variables", 64>]
    }
  }
  func.func private @square(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    %y = arith.mulf %x, %x : vector<[4]xf32>
    return %y : vector<[4]xf32>
  }
  func.func @scale(%x: memref<16xf32>, %y: memref<16xf32>, %layer: index, %begin: index, %end: index, %scratch: memref<1xf32>) {
    %c0 = arith.constant 0 : index
    %v = vector.load %x[%c0] : memref<16xf32>, vector<[4]xf32>
    %w = func.call @square(%v) : (vector<[4]xf32>) -> vector<[4]xf32>
    vector.store %w, %y[%c0] : memref<16xf32>, vector<[4]xf32>
    return
  }
}
