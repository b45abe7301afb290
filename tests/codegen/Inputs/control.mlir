module {
  func.func private @smooth(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    %half = arith.constant dense<0.5> : vector<[4]xf32>
    %one = arith.constant dense<1.0> : vector<[4]xf32>
    %s = arith.mulf %x, %x : vector<[4]xf32>
    %t = arith.mulf %s, %half : vector<[4]xf32>
    %u = arith.addf %t, %one : vector<[4]xf32>
    %v = arith.divf %x, %u : vector<[4]xf32>
    return %v : vector<[4]xf32>
  }
  func.func private @smooth_number(%x: f32) -> f32 {
    %one = arith.constant 1.0 : f32
    %s = arith.mulf %x, %x : f32
    %u = arith.addf %s, %one : f32
    %v = arith.divf %x, %u : f32
    return %v : f32
  }
  func.func private @twice(%x: vector<[4]xf32>) -> vector<[4]xf32> {
    %y = func.call @smooth(%x) : (vector<[4]xf32>) -> vector<[4]xf32>
    %z = func.call @smooth(%y) : (vector<[4]xf32>) -> vector<[4]xf32>
    return %z : vector<[4]xf32>
  }
  // carried values that change places, and one that is not changed
  func.func @carried(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c5 = arith.constant 5 : index
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    %three = arith.constant 3 : i32
    scf.for %tile = %begin to %end step %c1 {
      %r:4 = scf.for %k = %c0 to %c5 step %c1 iter_args(%a = %one, %b = %two, %c = %three, %keep = %two) -> (f32, f32, i32, f32) {
        %s = arith.addf %a, %b : f32
        %t = arith.addi %c, %c : i32
        scf.yield %b, %s, %t, %keep : f32, f32, i32, f32
      }
      %at = arith.muli %tile, %c5 : index
      %at1 = arith.addi %at, %c1 : index
      memref.store %r#0, %f[%at] : memref<4096xf32>
      memref.store %r#1, %f[%at1] : memref<4096xf32>
      memref.store %r#2, %i[%at] : memref<4096xi32>
      %none:2 = scf.for %k = %c1 to %c1 step %c1 iter_args(%a = %one, %at_ = %at) -> (f32, index) {
        scf.yield %two, %k : f32, index
      }
      %at2 = arith.addi %none#1, %c5 : index
      memref.store %none#0, %f[%at2] : memref<4096xf32>
    }
    return
  }
  // a value that is read before its place is written keeps the old value
  func.func @order(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %seven = arith.constant 7.0 : f32
    %two = arith.constant 2.0 : f32
    scf.for %tile = %begin to %end step %c1 {
      memref.store %two, %f[%tile] : memref<4096xf32>
      %old = memref.load %f[%tile] : memref<4096xf32>
      %more = arith.addf %old, %seven : f32
      memref.store %seven, %f[%tile] : memref<4096xf32>
      %new = memref.load %f[%tile] : memref<4096xf32>
      scf.for %k = %c0 to %c1 step %c1 {
        memref.store %two, %f[%tile] : memref<4096xf32>
      }
      %sum = arith.mulf %more, %new : f32
      %at = arith.addi %tile, %c64 : index
      memref.store %sum, %f[%at] : memref<4096xf32>
    }
    return
  }
  // branches with and without results, an else, calls of functions of lanes
  func.func @branches(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant 0.0 : f32
    scf.for %tile = %begin to %end step %c1 {
      %at = arith.muli %tile, %c16 : index
      %a = memref.load %x[%at] : memref<64xf32>
      %positive = arith.cmpf ogt, %a, %zero : f32
      %b, %c = scf.if %positive -> (f32, index) {
        %d = func.call @smooth_number(%a) : (f32) -> f32
        scf.yield %d, %at : f32, index
      } else {
        %d = arith.negf %a : f32
        scf.yield %d, %c2 : f32, index
      }
      memref.store %b, %f[%c] : memref<4096xf32>
      %first = arith.cmpi eq, %tile, %c0 : index
      scf.if %first {
        memref.store %a, %scratch[%c1] : memref<64xf32>
      }
      scf.if %positive {
        memref.store %a, %scratch[%c2] : memref<64xf32>
      } else {
        memref.store %zero, %scratch[%c2] : memref<64xf32>
      }
      %v = vector.load %y[%at] : memref<64xf32>, vector<[4]xf32>
      %w = func.call @twice(%v) : (vector<[4]xf32>) -> vector<[4]xf32>
      %to = arith.addi %at, %c64 : index
      vector.store %w, %f[%to] : memref<4096xf32>, vector<[4]xf32>
      %s = memref.load %scratch[%c2] : memref<64xf32>
      %there = arith.addi %to, %c64 : index
      memref.store %s, %f[%there] : memref<4096xf32>
    }
    return
  }
  // memrefs of any rank are one address
  func.func @ranks(%x: memref<4x2x8xf32>, %y: memref<f32>, %n: memref<64xi32>, %m: memref<4x16xi32>, %f: memref<64x64xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %s = memref.load %y[] : memref<f32>
    %all = arith.constant dense<true> : vector<[4]xi1>
    %zero = arith.constant dense<0.0> : vector<[4]xf32>
    %lane = vector.step : vector<[4]xindex>
    %lanes = arith.index_cast %lane : vector<[4]xindex> to vector<[4]xi32>
    scf.for %tile = %begin to %end step %c1 {
      %a = memref.load %x[%tile, %c1, %c3] : memref<4x2x8xf32>
      %b = arith.addf %a, %s : f32
      %v = vector.load %x[%c0, %c1, %tile] : memref<4x2x8xf32>, vector<[4]xf32>
      %g = vector.gather %x[%tile, %c0, %c0][%lanes], %all, %zero : memref<4x2x8xf32>, vector<[4]xi32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
      %w = arith.addf %v, %g : vector<[4]xf32>
      %k = memref.load %m[%tile, %c3] : memref<4x16xi32>
      memref.store %b, %f[%tile, %c3] : memref<64x64xf32>
      vector.store %w, %f[%c3, %tile] : memref<64x64xf32>, vector<[4]xf32>
      memref.store %k, %i[%tile] : memref<4096xi32>
    }
    return
  }
}
