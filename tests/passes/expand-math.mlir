// A function of lanes stands before the kernels, once for each function and type; a class without fma has none left.
// RUN: %heddle-opt %s --expand-math | FileCheck %s
// RUN: %heddle-opt %s --expand-math --expand-fma | FileCheck %s --check-prefix=NOFMA
// NOFMA-NOT: math.fma

// CHECK-DAG: func.func private @exp_f32(%{{.*}}: vector<[4]xf32>) -> vector<[4]xf32>
// CHECK-DAG: func.func private @tanh_f32(%{{.*}}: vector<[4]xf32>) -> vector<[4]xf32>
// CHECK-DAG: func.func private @pow_f32_scalar(%{{.*}}: f32, %{{.*}}: f32) -> f32
// CHECK: func.func @k
// CHECK: %[[A:.*]] = call @exp_f32(%arg0)
// CHECK: %[[B:.*]] = call @exp_f32(%[[A]])
// CHECK: call @tanh_f32(%[[B]])
// CHECK: call @pow_f32_scalar(%arg1, %arg1)
// CHECK-NOT: math.
func.func @k(%x: vector<[4]xf32>, %s: f32) -> (vector<[4]xf32>, f32) {
  %a = math.exp %x : vector<[4]xf32>
  %b = math.exp %a : vector<[4]xf32>
  %c = math.tanh %b : vector<[4]xf32>
  %p = math.powf %s, %s : f32
  return %c, %p : vector<[4]xf32>, f32
}
