module {
  // reductions are halving trees
  func.func @reduce_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c128 = arith.constant 128 : index
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
        %v1 = vector.reduction <add>, %a : vector<[4]xf32> into f32
        %v2 = vector.broadcast %v1 : f32 to vector<[4]xf32>
        vector.store %v2, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v3 = vector.reduction <maxnumf>, %a : vector<[4]xf32> into f32
        %v4 = vector.broadcast %v3 : f32 to vector<[4]xf32>
        %v5 = arith.addi %at, %c64 : index
        vector.store %v4, %f[%v5] : memref<4096xf32>, vector<[4]xf32>
        %v6 = vector.reduction <minnumf>, %a : vector<[4]xf32> into f32
        %v7 = vector.broadcast %v6 : f32 to vector<[4]xf32>
        %v8 = arith.addi %at, %c128 : index
        vector.store %v7, %f[%v8] : memref<4096xf32>, vector<[4]xf32>
        %v9 = vector.reduction <add>, %p : vector<[4]xi32> into i32
        %v10 = vector.broadcast %v9 : i32 to vector<[4]xi32>
        vector.store %v10, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v11 = vector.reduction <maxsi>, %p : vector<[4]xi32> into i32
        %v12 = vector.broadcast %v11 : i32 to vector<[4]xi32>
        %v13 = arith.addi %at, %c64 : index
        vector.store %v12, %i[%v13] : memref<4096xi32>, vector<[4]xi32>
        %v14 = vector.reduction <minsi>, %p : vector<[4]xi32> into i32
        %v15 = vector.broadcast %v14 : i32 to vector<[4]xi32>
        %v16 = arith.addi %at, %c128 : index
        vector.store %v15, %i[%v16] : memref<4096xi32>, vector<[4]xi32>
      }
    }
    return
  }
  // two registers alternately, and back
  func.func @weave_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c192 = arith.constant 192 : index
    %c128 = arith.constant 128 : index
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
        %v1 = vector.interleave %a, %b : vector<[4]xf32> -> vector<[8]xf32>
        %v2 = vector.scalable.extract %v1[0] : vector<[4]xf32> from vector<[8]xf32>
        %v3 = vector.scalable.extract %v1[4] : vector<[4]xf32> from vector<[8]xf32>
        vector.store %v2, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v4 = arith.addi %at, %c64 : index
        vector.store %v3, %f[%v4] : memref<4096xf32>, vector<[4]xf32>
        %v5 = vector.scalable.insert %b, %v1[0] : vector<[4]xf32> into vector<[8]xf32>
        %v6 = vector.scalable.insert %a, %v5[4] : vector<[4]xf32> into vector<[8]xf32>
        %ef32, %of32 = vector.deinterleave %v6 : vector<[8]xf32> -> vector<[4]xf32>
        %v7 = arith.addi %at, %c128 : index
        vector.store %ef32, %f[%v7] : memref<4096xf32>, vector<[4]xf32>
        %v8 = arith.addi %at, %c192 : index
        vector.store %of32, %f[%v8] : memref<4096xf32>, vector<[4]xf32>
        %v9 = vector.interleave %p, %q : vector<[4]xi32> -> vector<[8]xi32>
        %v10 = vector.scalable.extract %v9[0] : vector<[4]xi32> from vector<[8]xi32>
        %v11 = vector.scalable.extract %v9[4] : vector<[4]xi32> from vector<[8]xi32>
        vector.store %v10, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v12 = arith.addi %at, %c64 : index
        vector.store %v11, %i[%v12] : memref<4096xi32>, vector<[4]xi32>
        %v13 = vector.scalable.insert %q, %v9[0] : vector<[4]xi32> into vector<[8]xi32>
        %v14 = vector.scalable.insert %p, %v13[4] : vector<[4]xi32> into vector<[8]xi32>
        %ei32, %oi32 = vector.deinterleave %v14 : vector<[8]xi32> -> vector<[4]xi32>
        %v15 = arith.addi %at, %c128 : index
        vector.store %ei32, %i[%v15] : memref<4096xi32>, vector<[4]xi32>
        %v16 = arith.addi %at, %c192 : index
        vector.store %oi32, %i[%v16] : memref<4096xi32>, vector<[4]xi32>
      }
    }
    return
  }
  // masks, lane numbers, masked access and gathers
  func.func @memory_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c576 = arith.constant 576 : index
    %c512 = arith.constant 512 : index
    %c448 = arith.constant 448 : index
    %c384 = arith.constant 384 : index
    %c320 = arith.constant 320 : index
    %c256 = arith.constant 256 : index
    %c192 = arith.constant 192 : index
    %c128 = arith.constant 128 : index
    %c64 = arith.constant 64 : index
    %sixty_three = arith.constant dense<63> : vector<[4]xi32>
    %all = arith.constant dense<true> : vector<[4]xi1>
    %zeroi = arith.constant dense<0> : vector<[4]xi32>
    %zerof = arith.constant dense<0.0> : vector<[4]xf32>
    %c3 = arith.constant 3 : index
    %c5 = arith.constant 5 : index
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
        %v1 = arith.subi %at, %c5 : index
        %v2 = vector.create_mask %v1 : vector<[4]xi1>
        %v3 = vector.create_mask %c3 : vector<[4]xi1>
        %v4 = vector.maskedload %x[%at], %v2, %b : memref<64xf32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        vector.store %v4, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v5 = vector.maskedload %x[%at], %v2, %zerof : memref<64xf32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        %v6 = arith.addi %at, %c64 : index
        vector.store %v5, %f[%v6] : memref<4096xf32>, vector<[4]xf32>
        %v7 = vector.maskedload %n[%at], %v2, %q : memref<64xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        vector.store %v7, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v8 = vector.maskedload %n[%at], %v2, %zeroi : memref<64xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        %v9 = arith.addi %at, %c64 : index
        vector.store %v8, %i[%v9] : memref<4096xi32>, vector<[4]xi32>
        %v10 = vector.maskedload %x[%at], %v3, %b : memref<64xf32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        %v11 = arith.addi %at, %c128 : index
        vector.store %v10, %f[%v11] : memref<4096xf32>, vector<[4]xf32>
        %v12 = vector.maskedload %x[%at], %v3, %zerof : memref<64xf32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        %v13 = arith.addi %at, %c192 : index
        vector.store %v12, %f[%v13] : memref<4096xf32>, vector<[4]xf32>
        %v14 = vector.maskedload %n[%at], %v3, %q : memref<64xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        %v15 = arith.addi %at, %c128 : index
        vector.store %v14, %i[%v15] : memref<4096xi32>, vector<[4]xi32>
        %v16 = vector.maskedload %n[%at], %v3, %zeroi : memref<64xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        %v17 = arith.addi %at, %c192 : index
        vector.store %v16, %i[%v17] : memref<4096xi32>, vector<[4]xi32>
        %v18 = vector.step : vector<[4]xindex>
        %v19 = arith.index_cast %v18 : vector<[4]xindex> to vector<[4]xi32>
        %v20 = arith.addi %at, %c256 : index
        vector.store %v19, %i[%v20] : memref<4096xi32>, vector<[4]xi32>
        %v21 = arith.andi %p, %sixty_three : vector<[4]xi32>
        %v22 = vector.gather %y[%c0][%v21], %v2, %a : memref<64xf32>, vector<[4]xi32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        %v23 = arith.addi %at, %c256 : index
        vector.store %v22, %f[%v23] : memref<4096xf32>, vector<[4]xf32>
        %v24 = vector.gather %m[%c0][%v21], %v2, %p : memref<64xi32>, vector<[4]xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        %v25 = arith.addi %at, %c320 : index
        vector.store %v24, %i[%v25] : memref<4096xi32>, vector<[4]xi32>
        %v26 = vector.gather %y[%c0][%v21], %all, %a : memref<64xf32>, vector<[4]xi32>, vector<[4]xi1>, vector<[4]xf32> into vector<[4]xf32>
        %v27 = arith.addi %at, %c320 : index
        vector.store %v26, %f[%v27] : memref<4096xf32>, vector<[4]xf32>
        %v28 = vector.gather %m[%c0][%v21], %all, %p : memref<64xi32>, vector<[4]xi32>, vector<[4]xi1>, vector<[4]xi32> into vector<[4]xi32>
        %v29 = arith.addi %at, %c384 : index
        vector.store %v28, %i[%v29] : memref<4096xi32>, vector<[4]xi32>
        %v30 = arith.addi %at, %c384 : index
        vector.maskedstore %f[%v30], %v2, %a : memref<4096xf32>, vector<[4]xi1>, vector<[4]xf32>
        %v31 = arith.addi %at, %c448 : index
        vector.maskedstore %i[%v31], %v2, %p : memref<4096xi32>, vector<[4]xi1>, vector<[4]xi32>
        %v32 = arith.addi %at, %c448 : index
        vector.maskedstore %f[%v32], %v3, %a : memref<4096xf32>, vector<[4]xi1>, vector<[4]xf32>
        %v33 = arith.addi %at, %c512 : index
        vector.maskedstore %i[%v33], %v3, %p : memref<4096xi32>, vector<[4]xi1>, vector<[4]xi32>
        memref.prefetch %f[%v33], read, locality<2>, data : memref<4096xf32>
        memref.prefetch %m[%v33], read, locality<2>, data : memref<64xi32>
        %v34 = arith.addi %at, %c512 : index
        vector.maskedstore %f[%v34], %all, %a : memref<4096xf32>, vector<[4]xi1>, vector<[4]xf32>
        %v35 = arith.addi %at, %c576 : index
        vector.maskedstore %i[%v35], %all, %p : memref<4096xi32>, vector<[4]xi1>, vector<[4]xi32>
      }
    }
    return
  }
  // a part of a buffer is a buffer: of another shape, of integers, of a part
  func.func @parts(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    scf.for %tile = %begin to %end step %c1 {
      %base = arith.muli %tile, %c16 : index
      %from = heddle.part %x[%base] : memref<64xf32> to memref<16xf32>
      %block = heddle.part %scratch[%c32] : memref<64xf32> to memref<4x4xf32>
      %numbers = heddle.part %scratch[%c16] : memref<64xf32> to memref<16xi32>
      %half = heddle.part %numbers[%c8] : memref<16xi32> to memref<8xi32>
      scf.for %r = %c0 to %c4 step %c1 {
        scf.for %c = %c0 to %c4 step %c1 {
          %row = arith.muli %r, %c4 : index
          %at = arith.addi %row, %c : index
          %a = memref.load %from[%at] : memref<16xf32>
          memref.store %a, %block[%c, %r] : memref<4x4xf32>
          %w = arith.index_cast %at : index to i32
          memref.store %w, %numbers[%at] : memref<16xi32>
        }
      }
      %h = memref.load %half[%c3] : memref<8xi32>
      %to = heddle.part %f[%base] : memref<4096xf32> to memref<4x4xf32>
      scf.for %r = %c0 to %c4 step %c1 {
        scf.for %c = %c0 to %c4 step %c1 {
          %b = memref.load %block[%r, %c] : memref<4x4xf32>
          memref.store %b, %to[%r, %c] : memref<4x4xf32>
        }
      }
      memref.store %h, %i[%tile] : memref<4096xi32>
    }
    return
  }
}
