module {
  // float arithmetic
  func.func @float_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c832 = arith.constant 832 : index
    %c768 = arith.constant 768 : index
    %c704 = arith.constant 704 : index
    %c640 = arith.constant 640 : index
    %c576 = arith.constant 576 : index
    %c512 = arith.constant 512 : index
    %c448 = arith.constant 448 : index
    %c384 = arith.constant 384 : index
    %c320 = arith.constant 320 : index
    %c256 = arith.constant 256 : index
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
        %v1 = arith.addf %a, %b : vector<[4]xf32>
        vector.store %v1, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v2 = arith.subf %a, %b : vector<[4]xf32>
        %v3 = arith.addi %at, %c64 : index
        vector.store %v2, %f[%v3] : memref<4096xf32>, vector<[4]xf32>
        %v4 = arith.mulf %a, %b : vector<[4]xf32>
        %v5 = arith.addi %at, %c128 : index
        vector.store %v4, %f[%v5] : memref<4096xf32>, vector<[4]xf32>
        %v6 = arith.divf %a, %b : vector<[4]xf32>
        %v7 = arith.addi %at, %c192 : index
        vector.store %v6, %f[%v7] : memref<4096xf32>, vector<[4]xf32>
        %v8 = arith.negf %a : vector<[4]xf32>
        %v9 = arith.addi %at, %c256 : index
        vector.store %v8, %f[%v9] : memref<4096xf32>, vector<[4]xf32>
        %v10 = math.sqrt %a : vector<[4]xf32>
        %v11 = arith.addi %at, %c320 : index
        vector.store %v10, %f[%v11] : memref<4096xf32>, vector<[4]xf32>
        %v12 = math.absf %a : vector<[4]xf32>
        %v13 = arith.addi %at, %c384 : index
        vector.store %v12, %f[%v13] : memref<4096xf32>, vector<[4]xf32>
        %v14 = math.floor %a : vector<[4]xf32>
        %v15 = arith.addi %at, %c448 : index
        vector.store %v14, %f[%v15] : memref<4096xf32>, vector<[4]xf32>
        %v16 = math.ceil %a : vector<[4]xf32>
        %v17 = arith.addi %at, %c512 : index
        vector.store %v16, %f[%v17] : memref<4096xf32>, vector<[4]xf32>
        %v18 = math.trunc %a : vector<[4]xf32>
        %v19 = arith.addi %at, %c576 : index
        vector.store %v18, %f[%v19] : memref<4096xf32>, vector<[4]xf32>
        %v20 = math.roundeven %a : vector<[4]xf32>
        %v21 = arith.addi %at, %c640 : index
        vector.store %v20, %f[%v21] : memref<4096xf32>, vector<[4]xf32>
        %v22 = math.copysign %a, %b : vector<[4]xf32>
        %v23 = arith.addi %at, %c704 : index
        vector.store %v22, %f[%v23] : memref<4096xf32>, vector<[4]xf32>
        %v24 = arith.divf %a, %b : vector<[4]xf32>
        %v25 = arith.subf %b, %v24 : vector<[4]xf32>
        %v26 = arith.addf %a, %b : vector<[4]xf32>
        %v27 = arith.mulf %v26, %v25 : vector<[4]xf32>
        %v28 = arith.negf %v27 : vector<[4]xf32>
        %v29 = arith.addi %at, %c768 : index
        vector.store %v28, %f[%v29] : memref<4096xf32>, vector<[4]xf32>
        %v30 = arith.subf %a, %v26 : vector<[4]xf32>
        %v31 = arith.subf %v25, %v30 : vector<[4]xf32>
        %v32 = arith.addi %at, %c832 : index
        vector.store %v31, %f[%v32] : memref<4096xf32>, vector<[4]xf32>
      }
    }
    return
  }
  // comparisons, masks and choices
  func.func @compare_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c1152 = arith.constant 1152 : index
    %c1088 = arith.constant 1088 : index
    %false_ = arith.constant dense<false> : vector<[4]xi1>
    %true_ = arith.constant dense<true> : vector<[4]xi1>
    %c1024 = arith.constant 1024 : index
    %c960 = arith.constant 960 : index
    %c896 = arith.constant 896 : index
    %c832 = arith.constant 832 : index
    %c768 = arith.constant 768 : index
    %c704 = arith.constant 704 : index
    %c640 = arith.constant 640 : index
    %c576 = arith.constant 576 : index
    %c512 = arith.constant 512 : index
    %c448 = arith.constant 448 : index
    %c384 = arith.constant 384 : index
    %c320 = arith.constant 320 : index
    %c256 = arith.constant 256 : index
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
        %v1 = arith.cmpf oeq, %a, %b : vector<[4]xf32>
        %v2 = arith.extui %v1 : vector<[4]xi1> to vector<[4]xi32>
        vector.store %v2, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v3 = arith.cmpf olt, %a, %b : vector<[4]xf32>
        %v4 = arith.extui %v3 : vector<[4]xi1> to vector<[4]xi32>
        %v5 = arith.addi %at, %c64 : index
        vector.store %v4, %i[%v5] : memref<4096xi32>, vector<[4]xi32>
        %v6 = arith.cmpf ole, %a, %b : vector<[4]xf32>
        %v7 = arith.extui %v6 : vector<[4]xi1> to vector<[4]xi32>
        %v8 = arith.addi %at, %c128 : index
        vector.store %v7, %i[%v8] : memref<4096xi32>, vector<[4]xi32>
        %v9 = arith.cmpf ogt, %a, %b : vector<[4]xf32>
        %v10 = arith.extui %v9 : vector<[4]xi1> to vector<[4]xi32>
        %v11 = arith.addi %at, %c192 : index
        vector.store %v10, %i[%v11] : memref<4096xi32>, vector<[4]xi32>
        %v12 = arith.cmpf oge, %a, %b : vector<[4]xf32>
        %v13 = arith.extui %v12 : vector<[4]xi1> to vector<[4]xi32>
        %v14 = arith.addi %at, %c256 : index
        vector.store %v13, %i[%v14] : memref<4096xi32>, vector<[4]xi32>
        %v15 = arith.cmpf une, %a, %b : vector<[4]xf32>
        %v16 = arith.extui %v15 : vector<[4]xi1> to vector<[4]xi32>
        %v17 = arith.addi %at, %c320 : index
        vector.store %v16, %i[%v17] : memref<4096xi32>, vector<[4]xi32>
        %v18 = arith.cmpi eq, %p, %q : vector<[4]xi32>
        %v19 = arith.extui %v18 : vector<[4]xi1> to vector<[4]xi32>
        %v20 = arith.addi %at, %c384 : index
        vector.store %v19, %i[%v20] : memref<4096xi32>, vector<[4]xi32>
        %v21 = arith.cmpi ne, %p, %q : vector<[4]xi32>
        %v22 = arith.extui %v21 : vector<[4]xi1> to vector<[4]xi32>
        %v23 = arith.addi %at, %c448 : index
        vector.store %v22, %i[%v23] : memref<4096xi32>, vector<[4]xi32>
        %v24 = arith.cmpi slt, %p, %q : vector<[4]xi32>
        %v25 = arith.extui %v24 : vector<[4]xi1> to vector<[4]xi32>
        %v26 = arith.addi %at, %c512 : index
        vector.store %v25, %i[%v26] : memref<4096xi32>, vector<[4]xi32>
        %v27 = arith.cmpi sle, %p, %q : vector<[4]xi32>
        %v28 = arith.extui %v27 : vector<[4]xi1> to vector<[4]xi32>
        %v29 = arith.addi %at, %c576 : index
        vector.store %v28, %i[%v29] : memref<4096xi32>, vector<[4]xi32>
        %v30 = arith.cmpi sgt, %p, %q : vector<[4]xi32>
        %v31 = arith.extui %v30 : vector<[4]xi1> to vector<[4]xi32>
        %v32 = arith.addi %at, %c640 : index
        vector.store %v31, %i[%v32] : memref<4096xi32>, vector<[4]xi32>
        %v33 = arith.cmpi sge, %p, %q : vector<[4]xi32>
        %v34 = arith.extui %v33 : vector<[4]xi1> to vector<[4]xi32>
        %v35 = arith.addi %at, %c704 : index
        vector.store %v34, %i[%v35] : memref<4096xi32>, vector<[4]xi32>
        %v36 = arith.cmpi ult, %p, %q : vector<[4]xi32>
        %v37 = arith.extui %v36 : vector<[4]xi1> to vector<[4]xi32>
        %v38 = arith.addi %at, %c768 : index
        vector.store %v37, %i[%v38] : memref<4096xi32>, vector<[4]xi32>
        %v39 = arith.cmpi ule, %p, %q : vector<[4]xi32>
        %v40 = arith.extui %v39 : vector<[4]xi1> to vector<[4]xi32>
        %v41 = arith.addi %at, %c832 : index
        vector.store %v40, %i[%v41] : memref<4096xi32>, vector<[4]xi32>
        %v42 = arith.cmpi ugt, %p, %q : vector<[4]xi32>
        %v43 = arith.extui %v42 : vector<[4]xi1> to vector<[4]xi32>
        %v44 = arith.addi %at, %c896 : index
        vector.store %v43, %i[%v44] : memref<4096xi32>, vector<[4]xi32>
        %v45 = arith.cmpi uge, %p, %q : vector<[4]xi32>
        %v46 = arith.extui %v45 : vector<[4]xi1> to vector<[4]xi32>
        %v47 = arith.addi %at, %c960 : index
        vector.store %v46, %i[%v47] : memref<4096xi32>, vector<[4]xi32>
        %v48 = arith.cmpf ogt, %a, %b : vector<[4]xf32>
        %v49 = arith.cmpi slt, %p, %q : vector<[4]xi32>
        %v50 = arith.andi %v48, %v49 : vector<[4]xi1>
        %v51 = arith.select %v50, %a, %b : vector<[4]xi1>, vector<[4]xf32>
        vector.store %v51, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v52 = arith.ori %v48, %v49 : vector<[4]xi1>
        %v53 = arith.select %v52, %a, %b : vector<[4]xi1>, vector<[4]xf32>
        %v54 = arith.addi %at, %c64 : index
        vector.store %v53, %f[%v54] : memref<4096xf32>, vector<[4]xf32>
        %v55 = arith.xori %v48, %v49 : vector<[4]xi1>
        %v56 = arith.select %v55, %a, %b : vector<[4]xi1>, vector<[4]xf32>
        %v57 = arith.addi %at, %c128 : index
        vector.store %v56, %f[%v57] : memref<4096xf32>, vector<[4]xf32>
        %v58 = arith.select %v49, %p, %q : vector<[4]xi1>, vector<[4]xi32>
        %v59 = arith.addi %at, %c1024 : index
        vector.store %v58, %i[%v59] : memref<4096xi32>, vector<[4]xi32>
        %v60 = arith.xori %v49, %true_ : vector<[4]xi1>
        %v61 = arith.select %v60, %p, %q : vector<[4]xi1>, vector<[4]xi32>
        %v62 = arith.addi %at, %c1088 : index
        vector.store %v61, %i[%v62] : memref<4096xi32>, vector<[4]xi32>
        %v63 = arith.ori %v49, %false_ : vector<[4]xi1>
        %v64 = arith.select %v63, %p, %q : vector<[4]xi1>, vector<[4]xi32>
        %v65 = arith.addi %at, %c1152 : index
        vector.store %v64, %i[%v65] : memref<4096xi32>, vector<[4]xi32>
      }
    }
    return
  }
  // integer arithmetic, wrapping at 32 bits
  func.func @int_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c1088 = arith.constant 1088 : index
    %c1024 = arith.constant 1024 : index
    %least = arith.constant dense<-2147483648> : vector<[4]xi32>
    %c960 = arith.constant 960 : index
    %c896 = arith.constant 896 : index
    %c832 = arith.constant 832 : index
    %c768 = arith.constant 768 : index
    %c704 = arith.constant 704 : index
    %c640 = arith.constant 640 : index
    %c576 = arith.constant 576 : index
    %c512 = arith.constant 512 : index
    %thirty_one = arith.constant dense<31> : vector<[4]xi32>
    %five = arith.constant dense<5> : vector<[4]xi32>
    %c448 = arith.constant 448 : index
    %c384 = arith.constant 384 : index
    %c320 = arith.constant 320 : index
    %c256 = arith.constant 256 : index
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
        %v1 = arith.addi %p, %q : vector<[4]xi32>
        vector.store %v1, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v2 = arith.subi %p, %q : vector<[4]xi32>
        %v3 = arith.addi %at, %c64 : index
        vector.store %v2, %i[%v3] : memref<4096xi32>, vector<[4]xi32>
        %v4 = arith.muli %p, %q : vector<[4]xi32>
        %v5 = arith.addi %at, %c128 : index
        vector.store %v4, %i[%v5] : memref<4096xi32>, vector<[4]xi32>
        %v6 = arith.minsi %p, %q : vector<[4]xi32>
        %v7 = arith.addi %at, %c192 : index
        vector.store %v6, %i[%v7] : memref<4096xi32>, vector<[4]xi32>
        %v8 = arith.maxsi %p, %q : vector<[4]xi32>
        %v9 = arith.addi %at, %c256 : index
        vector.store %v8, %i[%v9] : memref<4096xi32>, vector<[4]xi32>
        %v10 = arith.andi %p, %q : vector<[4]xi32>
        %v11 = arith.addi %at, %c320 : index
        vector.store %v10, %i[%v11] : memref<4096xi32>, vector<[4]xi32>
        %v12 = arith.ori %p, %q : vector<[4]xi32>
        %v13 = arith.addi %at, %c384 : index
        vector.store %v12, %i[%v13] : memref<4096xi32>, vector<[4]xi32>
        %v14 = arith.xori %p, %q : vector<[4]xi32>
        %v15 = arith.addi %at, %c448 : index
        vector.store %v14, %i[%v15] : memref<4096xi32>, vector<[4]xi32>
        %v16 = arith.shli %p, %five : vector<[4]xi32>
        %v17 = arith.addi %at, %c512 : index
        vector.store %v16, %i[%v17] : memref<4096xi32>, vector<[4]xi32>
        %v18 = arith.shli %p, %thirty_one : vector<[4]xi32>
        %v19 = arith.addi %at, %c576 : index
        vector.store %v18, %i[%v19] : memref<4096xi32>, vector<[4]xi32>
        %v20 = arith.shrsi %p, %five : vector<[4]xi32>
        %v21 = arith.addi %at, %c640 : index
        vector.store %v20, %i[%v21] : memref<4096xi32>, vector<[4]xi32>
        %v22 = arith.shrsi %p, %thirty_one : vector<[4]xi32>
        %v23 = arith.addi %at, %c704 : index
        vector.store %v22, %i[%v23] : memref<4096xi32>, vector<[4]xi32>
        %v24 = arith.shrui %p, %five : vector<[4]xi32>
        %v25 = arith.addi %at, %c768 : index
        vector.store %v24, %i[%v25] : memref<4096xi32>, vector<[4]xi32>
        %v26 = arith.shrui %p, %thirty_one : vector<[4]xi32>
        %v27 = arith.addi %at, %c832 : index
        vector.store %v26, %i[%v27] : memref<4096xi32>, vector<[4]xi32>
        %low, %high = arith.mului_extended %p, %q : vector<[4]xi32>
        %v29 = arith.addi %at, %c896 : index
        vector.store %low, %i[%v29] : memref<4096xi32>, vector<[4]xi32>
        %v30 = arith.addi %at, %c960 : index
        vector.store %high, %i[%v30] : memref<4096xi32>, vector<[4]xi32>
        %v31 = arith.xori %p, %least : vector<[4]xi32>
        %v32 = arith.addi %at, %c1024 : index
        vector.store %v31, %i[%v32] : memref<4096xi32>, vector<[4]xi32>
        %v33 = arith.addi %p, %q : vector<[4]xi32>
        %v34 = arith.subi %p, %q : vector<[4]xi32>
        %v35 = arith.subi %v33, %v34 : vector<[4]xi32>
        %v36 = arith.addi %at, %c1088 : index
        vector.store %v35, %i[%v36] : memref<4096xi32>, vector<[4]xi32>
      }
    }
    return
  }
  // from one type to another
  func.func @cast_lanes(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : vector<[4]xf32>
    %big = arith.constant dense<1.0e9> : vector<[4]xf32>
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
        %v1 = arith.sitofp %p : vector<[4]xi32> to vector<[4]xf32>
        vector.store %v1, %f[%at] : memref<4096xf32>, vector<[4]xf32>
        %v2 = math.absf %a : vector<[4]xf32>
        %v3 = arith.cmpf olt, %v2, %big : vector<[4]xf32>
        %v4 = arith.select %v3, %a, %zero : vector<[4]xi1>, vector<[4]xf32>
        %v5 = arith.fptosi %v4 : vector<[4]xf32> to vector<[4]xi32>
        vector.store %v5, %i[%at] : memref<4096xi32>, vector<[4]xi32>
        %v6 = arith.bitcast %a : vector<[4]xf32> to vector<[4]xi32>
        %v7 = arith.addi %at, %c64 : index
        vector.store %v6, %i[%v7] : memref<4096xi32>, vector<[4]xi32>
        %v8 = arith.bitcast %b : vector<[4]xf32> to vector<[4]xi32>
        %v9 = arith.bitcast %v8 : vector<[4]xi32> to vector<[4]xf32>
        %v10 = arith.addi %at, %c64 : index
        vector.store %v9, %f[%v10] : memref<4096xf32>, vector<[4]xf32>
      }
    }
    return
  }
}
