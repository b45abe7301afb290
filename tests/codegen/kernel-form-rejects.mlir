// Every rule of kernel form is reported at the op that breaks it.
// RUN: %heddle-opt --verify-kernel-form --split-input-file --verify-diagnostics %s
module attributes {heddle.target = "avx512"} {
  func.func @k(%x: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) {
    // expected-error@+1 {{kernel form: op 'memref.alloc' is not admitted}}
    %a = memref.alloc() : memref<4xf32>
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func @k(%x: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) {
    // expected-error@+1 {{kernel form: a prefetch is `read, locality<2>, data`}}
    memref.prefetch %x[%begin], write, locality<2>, data : memref<4xf32>
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  // expected-error@+1 {{kernel form: a kernel is (memrefs..., loops: index..., begin: index, end: index, scratch: memref<Nxf32>)}}
  func.func @k(%x: memref<4xf32>, %begin: index, %scratch: memref<1xf32>) {
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  // expected-error@+1 {{kernel form: no value has the type 'memref<?xf32>'}}
  func.func @k(%x: memref<?xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) {
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    // expected-error@+1 {{kernel form: op 'math.exp' is not admitted}}
    %y = math.exp %x : vector<[4]xf32>
    return %y : vector<[4]xf32>
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    // expected-error@+1 {{kernel form: no op carries fast-math flags}}
    %y = arith.addf %x, %x fastmath<fast> : vector<[4]xf32>
    return %y : vector<[4]xf32>
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xi32>) -> vector<[4]xi32> {
    // expected-error@+1 {{kernel form: 'arith.divsi' is not admitted for 'vector<[4]xi32>' to 'vector<[4]xi32>'}}
    %y = arith.divsi %x, %x : vector<[4]xi32>
    return %y : vector<[4]xi32>
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: i32) -> i32 {
    // expected-error@+1 {{kernel form: no op carries overflow flags}}
    %y = arith.addi %x, %x overflow<nsw> : i32
    return %y : i32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xi32>) -> vector<[4]xi32> {
    // expected-error@+1 {{kernel form: vectors are shifted by a constant}}
    %y = arith.shli %x, %x : vector<[4]xi32>
    return %y : vector<[4]xi32>
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: i32) -> i32 {
    %c = arith.constant 32 : i32
    // expected-error@+1 {{kernel form: a shift amount is in [0, 31]}}
    %y = arith.shli %x, %c : i32
    return %y : i32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: f32) -> i1 {
    // expected-error@+1 {{kernel form: cmpf is oeq, olt, ole, ogt, oge or une}}
    %y = arith.cmpf uno, %x, %x : f32
    return %y : i1
  }
}
// -----
module attributes {heddle.target = "baseline"} {
  func.func private @f(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    // expected-error@+1 {{kernel form: fma on the class 'baseline', which has none}}
    %y = vector.fma %x, %x, %x : vector<[4]xf32>
    return %y : vector<[4]xf32>
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xf32>) -> f32 {
    // expected-error@+1 {{kernel form: a reduction is add, maxnumf, minnumf, maxsi or minsi}}
    %y = vector.reduction <mul>, %x : vector<[4]xf32> into f32
    return %y : f32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: vector<[4]xf32>, %a: f32) -> f32 {
    // expected-error@+1 {{kernel form: a reduction has no accumulator}}
    %y = vector.reduction <add>, %x, %a : vector<[4]xf32> into f32
    return %y : f32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f() -> f32 {
    // expected-error@+1 {{kernel form: no constant is subnormal}}
    %y = arith.constant 1.0e-40 : f32
    return %y : f32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  // expected-error@+1 {{kernel form: no value has the type 'vector<[2]xf32>'}}
  func.func private @f(%x: vector<[2]xf32>) -> f32 {
    %y = arith.constant 1.0 : f32
    return %y : f32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%n: index) -> index {
    %c0 = arith.constant 0 : index
    // expected-error@+1 {{kernel form: the step of a loop is positive}}
    scf.for %i = %c0 to %n step %c0 {
    }
    return %n : index
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  func.func private @f(%x: f32) -> f32 {
    // expected-error@+1 {{kernel form: a call is to a private function that stands before}}
    %y = func.call @f(%x) : (f32) -> f32
    return %y : f32
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  heddle.entry @run inputs [] outputs [] workspace 0 scratch 0 flops 0 {
    // expected-error@+1 {{kernel form: no kernel @k}}
    heddle.call @k tiles 1 []
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  heddle.entry @run inputs [] outputs [] workspace 0 scratch 0 flops 0 {
    // expected-error@+2 {{kernel form: the kernel has 1 buffers}}
    // expected-error@+1 {{kernel form: the kernel takes 0 loop indices, at depth 1}}
    heddle.loop 2 { heddle.call @k tiles 1 [] }
  }
  func.func @k(%x: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) {
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  // expected-error@+1 {{kernel form: heddle.flops is an i64, not negative}}
  func.func @k(%x: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) attributes {heddle.flops = -1 : i64} {
    return
  }
}
// -----
module attributes {heddle.target = "avx512"} {
  // expected-error@+1 {{kernel form: heddle.bytes is an i64, not negative}}
  func.func @k(%x: memref<4xf32>, %begin: index, %end: index, %scratch: memref<1xf32>) attributes {heddle.bytes = 170141183460469231731687303715884105727 : i128} {
    return
  }
}
// -----
// expected-error@+1 {{kernel form: heddle.target names a target class}}
module {
}
