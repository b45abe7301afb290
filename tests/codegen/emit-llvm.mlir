// A kernel has the C signature of the ABI, takes its buffers from the array, and sums lanes by halving.
// RUN: %heddle-opt --emit-llvm %s -o /dev/null | FileCheck %s
// RUN: %heddle-opt --emit-llvm=asm=1 %s -o /dev/null | FileCheck %s --check-prefix=ASM
// CHECK-LABEL: define void @heddle_total(ptr {{.*}}%0, ptr {{.*}}%1, i64 %2, i64 %3, ptr {{.*}}%4)
// CHECK: load ptr, ptr %0
// CHECK: load <16 x float>
// CHECK: shufflevector <16 x float> {{.*}} <8 x i32> <i32 8, i32 9
// CHECK: fadd <8 x float>
// CHECK: fadd <4 x float>
// CHECK: fadd <2 x float>
// CHECK-NOT: call
// ASM: heddle_total:
// ASM: vaddps
module attributes {heddle.target = "avx512"} {
  func.func @total(%x: memref<16xf32>, %y: memref<1xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) {
    %c0 = arith.constant 0 : index
    %v = vector.load %x[%c0] : memref<16xf32>, vector<[4]xf32>
    %s = vector.reduction <add>, %v : vector<[4]xf32> into f32
    memref.store %s, %y[%c0] : memref<1xf32>
    return
  }
}
