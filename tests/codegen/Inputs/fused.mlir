module {
  // multiply and add, rounded once
  func.func @fused_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    scf.for %tile = %begin to %end step %c1 {
      %base = arith.muli %tile, %c16 : index
      %stop = arith.addi %base, %c16 : index
      %vscale = vector.vscale
      %lanes = arith.muli %vscale, %c4 : index
      scf.for %at = %base to %stop step %lanes {
        %a = vector.load %x[%at] : memref<64xf32>, vector<[4]xf32>
        %b = vector.load %y[%at] : memref<64xf32>, vector<[4]xf32>
        %p = vector.load %n[%at] : memref<64xi32>, vector<[4]xi32>
        %q = vector.load %m[%at] : memref<64xi32>, vector<[4]xi32>
        %v1 = vector.fma %a, %b, %a : vector<[4]xf32>
        vector.store %v1, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v2 = math.fma %b, %a, %b : vector<[4]xf32>
        %v3 = arith.addi %at, %c64 : index
        vector.store %v2, %f[%v3] : memref<4096xf32>, vector<[4]xf32>
      }
    }
    return
  }
  // multiply and add of numbers, rounded once
  func.func @fused_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    scf.for %tile = %begin to %end step %c1 {
      %base = arith.muli %tile, %c16 : index
      %stop = arith.addi %base, %c16 : index
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = math.fma %a, %b, %a : f32
        memref.store %v1, %f[%at] : memref<4096xf32>
      }
    }
    return
  }
}
