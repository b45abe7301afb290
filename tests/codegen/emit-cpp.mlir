// The emitted C++ names what the source names, says shapes and lines, and is shared by classes whose text is the same.
// RUN: %heddle-opt --emit-cpp %s -o /dev/null | FileCheck %s

// CHECK: #define HWY_DISABLED_TARGETS (HWY_SCALAR | HWY_SSSE3 | HWY_AVX3_DL)
// CHECK: #include "runtime/Kernel.h"

// CHECK-LABEL: // gpt.heddle:7
// CHECK-NEXT: static void scaled(void* const* args, const int64_t* loops, int64_t begin, int64_t end, void*) {
// CHECK-NEXT:   const float* x = static_cast<const float*>(args[0]);  // f32[T=64, D=32]
// CHECK-NEXT:   float* y = static_cast<float*>(args[1]);              // f32[T=64, D=32]
// CHECK-NEXT:   const int64_t layer = loops[0];
// CHECK-NEXT:   for (int64_t tile = begin; tile < end; ++tile) {
// CHECK-NEXT:     for (int64_t i = 0; i < 32; i += kLanes) {
// CHECK-NEXT: const Floats [[V:.*]] = Load(&x[tile * 32 + i]) * Splat(0.5f) + Splat(ToFloat(static_cast<int32_t>(layer)));
// CHECK-NEXT: Store([[V]], &y[tile * 32 + i]);
// CHECK-NEXT:     }
// CHECK-NEXT:   }
// CHECK-NEXT: }

// A kernel that differs stands under its class.
// CHECK: #if HWY_TARGET == HWY_AVX3
// CHECK-NEXT: static void only(
// CHECK: #elif HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4
// CHECK-NEXT: static void only(
// CHECK: #endif

// CHECK: #if HWY_ONCE
// CHECK: const HeddleVariable kVariables[] = {
// CHECK-NEXT: {"w", HEDDLE_PARAMETER, HEDDLE_F32, 1, 0, kD_dims, 64, HEDDLE_NORMAL, 0, 0.5, 3u, 0},
// CHECK: // ---- the plan for avx512
// CHECK: heddle::N_AVX3::scaled,  // 0
// CHECK: const HeddleArg k_train_args[] = {
// CHECK-NEXT: // scaled
// CHECK-NEXT: {HEDDLE_WORKSPACE, 0, {8192}},  // x
// CHECK: const HeddleStep k_train_steps[] = {
// CHECK-NEXT:     {HEDDLE_LOOP, 0, 3, 0, nullptr,
// CHECK-NEXT:       {HEDDLE_CALL, 0, 64, 2, k_train_args + 0, {{.*}}},  // scaled
// CHECK-NEXT:     {HEDDLE_END, 0, 0, 0, nullptr, ""},
// CHECK: int main(int argc, char** argv) { return heddle::nativeMain(kProgram, argc, argv); }
module {
  module attributes {heddle.target = "avx512", heddle.program = "lm"} {
    heddle.variable @w "parameter" "normal"(0.0, 0.5) stream 3 {offset = 64 : i64} : !heddle.tensor<[D=32], f32>
    heddle.entry @train inputs [] outputs [] workspace 65536 scratch 0 flops 0 {
      heddle.loop 3 {
        heddle.call @scaled tiles 64 [#heddle.arg<"workspace", 0, [8192]>, #heddle.arg<"workspace", 32768>]
      }
    }
    func.func @scaled(%x: memref<2048xf32>, %y: memref<2048xf32>, %layer: index, %begin: index, %end: index, %scratch: memref<1xf32>)
        attributes {heddle.arg_names = ["x", "y"], heddle.arg_types = [!heddle.tensor<[T=64, D=32], f32>, !heddle.tensor<[T=64, D=32], f32>]} {
      %c0 = arith.constant 0 : index loc(unknown)
      %c1 = arith.constant 1 : index loc(unknown)
      %c16 = arith.constant 16 : index loc(unknown)
      %c32 = arith.constant 32 : index loc(unknown)
      %half = arith.constant dense<0.5> : vector<[4]xf32> loc(unknown)
      scf.for %tile = %begin to %end step %c1 {
        %row = arith.muli %tile, %c32 : index loc(unknown)
        scf.for %d = %c0 to %c32 step %c16 {
          %at = arith.addi %row, %d : index loc(unknown)
          %v = vector.load %x[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
          %s = arith.mulf %v, %half : vector<[4]xf32> loc(unknown)
          %n = arith.index_cast %layer : index to i32 loc(unknown)
          %f = arith.sitofp %n : i32 to f32 loc(unknown)
          %b = vector.broadcast %f : f32 to vector<[4]xf32> loc(unknown)
          %t = arith.addf %s, %b : vector<[4]xf32> loc(unknown)
          vector.store %t, %y[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
        } loc(unknown)
      } loc(unknown)
      return loc(unknown)
    } loc("scaled"("/models/gpt.heddle":7:3))
    func.func @only(%begin: index, %end: index, %scratch: memref<1xf32>) {
      %c1 = arith.constant 1 : index
      %one = arith.constant 1.0 : f32
      memref.store %one, %scratch[%begin] : memref<1xf32>
      return
    }
  }
  module attributes {heddle.target = "avx2", heddle.program = "lm"} {
    heddle.variable @w "parameter" "normal"(0.0, 0.5) stream 3 {offset = 64 : i64} : !heddle.tensor<[D=32], f32>
    func.func @scaled(%x: memref<2048xf32>, %y: memref<2048xf32>, %layer: index, %begin: index, %end: index, %scratch: memref<1xf32>)
        attributes {heddle.arg_names = ["x", "y"], heddle.arg_types = [!heddle.tensor<[T=64, D=32], f32>, !heddle.tensor<[T=64, D=32], f32>]} {
      %c0 = arith.constant 0 : index loc(unknown)
      %c1 = arith.constant 1 : index loc(unknown)
      %c8 = arith.constant 8 : index loc(unknown)
      %c32 = arith.constant 32 : index loc(unknown)
      %half = arith.constant dense<0.5> : vector<[4]xf32> loc(unknown)
      scf.for %tile = %begin to %end step %c1 {
        %row = arith.muli %tile, %c32 : index loc(unknown)
        scf.for %d = %c0 to %c32 step %c8 {
          %at = arith.addi %row, %d : index loc(unknown)
          %v = vector.load %x[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
          %s = arith.mulf %v, %half : vector<[4]xf32> loc(unknown)
          %n = arith.index_cast %layer : index to i32 loc(unknown)
          %f = arith.sitofp %n : i32 to f32 loc(unknown)
          %b = vector.broadcast %f : f32 to vector<[4]xf32> loc(unknown)
          %t = arith.addf %s, %b : vector<[4]xf32> loc(unknown)
          vector.store %t, %y[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
        } loc(unknown)
      } loc(unknown)
      return loc(unknown)
    } loc("scaled"("/models/gpt.heddle":7:3))
    func.func @only(%begin: index, %end: index, %scratch: memref<1xf32>) {
      %two = arith.constant 2.0 : f32
      memref.store %two, %scratch[%begin] : memref<1xf32>
      return
    }
  }
  module attributes {heddle.target = "baseline", heddle.program = "lm"} {
    heddle.variable @w "parameter" "normal"(0.0, 0.5) stream 3 {offset = 64 : i64} : !heddle.tensor<[D=32], f32>
    func.func @scaled(%x: memref<2048xf32>, %y: memref<2048xf32>, %layer: index, %begin: index, %end: index, %scratch: memref<1xf32>)
        attributes {heddle.arg_names = ["x", "y"], heddle.arg_types = [!heddle.tensor<[T=64, D=32], f32>, !heddle.tensor<[T=64, D=32], f32>]} {
      %c0 = arith.constant 0 : index loc(unknown)
      %c1 = arith.constant 1 : index loc(unknown)
      %c4 = arith.constant 4 : index loc(unknown)
      %c32 = arith.constant 32 : index loc(unknown)
      %half = arith.constant dense<0.5> : vector<[4]xf32> loc(unknown)
      scf.for %tile = %begin to %end step %c1 {
        %row = arith.muli %tile, %c32 : index loc(unknown)
        scf.for %d = %c0 to %c32 step %c4 {
          %at = arith.addi %row, %d : index loc(unknown)
          %v = vector.load %x[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
          %s = arith.mulf %v, %half : vector<[4]xf32> loc(unknown)
          %n = arith.index_cast %layer : index to i32 loc(unknown)
          %f = arith.sitofp %n : i32 to f32 loc(unknown)
          %b = vector.broadcast %f : f32 to vector<[4]xf32> loc(unknown)
          %t = arith.addf %s, %b : vector<[4]xf32> loc(unknown)
          vector.store %t, %y[%at] : memref<2048xf32>, vector<[4]xf32> loc(unknown)
        } loc(unknown)
      } loc(unknown)
      return loc(unknown)
    } loc("scaled"("/models/gpt.heddle":7:3))
    func.func @only(%begin: index, %end: index, %scratch: memref<1xf32>) {
      %two = arith.constant 2.0 : f32
      memref.store %two, %scratch[%begin] : memref<1xf32>
      return
    }
  }
}
