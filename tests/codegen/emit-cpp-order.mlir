// A load happens where it stands: one that waits to be part of an expression is made before a store that may change what it
// reads. Here two places exchange what they hold.
// RUN: %heddle-opt --emit-cpp %s -o /dev/null | FileCheck %s

// CHECK-LABEL: static void vectors(
// CHECK: const Floats [[B:.*]] = Load(&x[16]);
// CHECK: Store(Load(x), &x[16]);
// CHECK-NEXT: Store([[B]], x);

// CHECK-LABEL: static void masked(
// CHECK: const Floats [[B:.*]] = Load(&x[16]);
// CHECK: MaskedStore(Load(x), FirstLanes(3), &x[16]);
// CHECK-NEXT: Store([[B]], x);

// CHECK-LABEL: static void scalars(
// CHECK: const float [[B:.*]] = x[16];
// CHECK: x[16] = x[0];
// CHECK-NEXT: x[0] = [[B]];
module attributes {heddle.target = "avx512", heddle.program = "order"} {
  heddle.entry @train inputs [] outputs [] workspace 4096 scratch 0 flops 0 {
    heddle.call @vectors tiles 1 [#heddle.arg<"workspace", 0>]
    heddle.call @masked tiles 1 [#heddle.arg<"workspace", 0>]
    heddle.call @scalars tiles 1 [#heddle.arg<"workspace", 0>]
  }
  func.func @vectors(%x: memref<32xf32>, %begin: index, %end: index, %scratch: memref<1xf32>)
      attributes {heddle.arg_names = ["x"], heddle.arg_types = [!heddle.tensor<[D=32], f32>]} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %a = vector.load %x[%c0] : memref<32xf32>, vector<[4]xf32>
    %b = vector.load %x[%c16] : memref<32xf32>, vector<[4]xf32>
    vector.store %a, %x[%c16] : memref<32xf32>, vector<[4]xf32>
    vector.store %b, %x[%c0] : memref<32xf32>, vector<[4]xf32>
    return
  }
  func.func @masked(%x: memref<32xf32>, %begin: index, %end: index, %scratch: memref<1xf32>)
      attributes {heddle.arg_names = ["x"], heddle.arg_types = [!heddle.tensor<[D=32], f32>]} {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %c16 = arith.constant 16 : index
    %m = vector.create_mask %c3 : vector<[4]xi1>
    %a = vector.load %x[%c0] : memref<32xf32>, vector<[4]xf32>
    %b = vector.load %x[%c16] : memref<32xf32>, vector<[4]xf32>
    vector.maskedstore %x[%c16], %m, %a : memref<32xf32>, vector<[4]xi1>, vector<[4]xf32>
    vector.store %b, %x[%c0] : memref<32xf32>, vector<[4]xf32>
    return
  }
  func.func @scalars(%x: memref<32xf32>, %begin: index, %end: index, %scratch: memref<1xf32>)
      attributes {heddle.arg_names = ["x"], heddle.arg_types = [!heddle.tensor<[D=32], f32>]} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %a = memref.load %x[%c0] : memref<32xf32>
    %b = memref.load %x[%c16] : memref<32xf32>
    memref.store %a, %x[%c16] : memref<32xf32>
    memref.store %b, %x[%c0] : memref<32xf32>
    return
  }
}
