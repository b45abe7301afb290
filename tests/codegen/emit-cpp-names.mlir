// No name of a source reaches C++ unescaped: keywords, macros, quotes, newlines, Highway's words.
// RUN: %heddle-opt --emit-cpp %s -o /dev/null | FileCheck %s
// CHECK: static void while_(
// CHECK: const float* double_ = static_cast<const float*>(args[0]);
// CHECK-NEXT: const float* system_rm = static_cast<const float*>(args[1]);
// CHECK-NEXT: float* INT_MAX_ = static_cast<float*>(args[2]);
// CHECK-NEXT: float* Load_ = static_cast<float*>(args[3]);
// CHECK-NEXT: float* v2x = static_cast<float*>(args[4]);
// CHECK-NEXT: float* v2x_2 = static_cast<float*>(args[5]);
// CHECK: "\"; system(\"rm\"); //\012"
module attributes {heddle.target = "avx512", heddle.program = "\22; system(\22rm\22); //\0A"} {
  func.func @while(%0: memref<4xf32>, %1: memref<4xf32>, %2: memref<4xf32>, %3: memref<4xf32>, %4: memref<4xf32>, %5: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>)
      attributes {heddle.arg_names = ["double", "\22; system(\22rm\22); //\0A", "INT_MAX", "Load", "2x", "2x"],
                  heddle.arg_types = [f32, f32, f32, f32, f32, f32]} {
    %a = memref.load %0[%begin] : memref<4xf32>
    %b = memref.load %1[%begin] : memref<4xf32>
    memref.store %a, %2[%begin] : memref<4xf32>
    memref.store %a, %3[%begin] : memref<4xf32>
    memref.store %b, %4[%begin] : memref<4xf32>
    memref.store %b, %5[%begin] : memref<4xf32>
    return
  }
}
