module {
  // float arithmetic
  func.func @float_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
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
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = arith.addf %a, %b : f32
        memref.store %v1, %f[%at] : memref<4096xf32>
        %v2 = arith.subf %a, %b : f32
        %v3 = arith.addi %at, %c64 : index
        memref.store %v2, %f[%v3] : memref<4096xf32>
        %v4 = arith.mulf %a, %b : f32
        %v5 = arith.addi %at, %c128 : index
        memref.store %v4, %f[%v5] : memref<4096xf32>
        %v6 = arith.divf %a, %b : f32
        %v7 = arith.addi %at, %c192 : index
        memref.store %v6, %f[%v7] : memref<4096xf32>
        %v8 = arith.negf %a : f32
        %v9 = arith.addi %at, %c256 : index
        memref.store %v8, %f[%v9] : memref<4096xf32>
        %v10 = math.sqrt %a : f32
        %v11 = arith.addi %at, %c320 : index
        memref.store %v10, %f[%v11] : memref<4096xf32>
        %v12 = math.absf %a : f32
        %v13 = arith.addi %at, %c384 : index
        memref.store %v12, %f[%v13] : memref<4096xf32>
        %v14 = math.floor %a : f32
        %v15 = arith.addi %at, %c448 : index
        memref.store %v14, %f[%v15] : memref<4096xf32>
        %v16 = math.ceil %a : f32
        %v17 = arith.addi %at, %c512 : index
        memref.store %v16, %f[%v17] : memref<4096xf32>
        %v18 = math.trunc %a : f32
        %v19 = arith.addi %at, %c576 : index
        memref.store %v18, %f[%v19] : memref<4096xf32>
        %v20 = math.roundeven %a : f32
        %v21 = arith.addi %at, %c640 : index
        memref.store %v20, %f[%v21] : memref<4096xf32>
        %v22 = math.copysign %a, %b : f32
        %v23 = arith.addi %at, %c704 : index
        memref.store %v22, %f[%v23] : memref<4096xf32>
        %v24 = arith.divf %a, %b : f32
        %v25 = arith.subf %b, %v24 : f32
        %v26 = arith.addf %a, %b : f32
        %v27 = arith.mulf %v26, %v25 : f32
        %v28 = arith.negf %v27 : f32
        %v29 = arith.addi %at, %c768 : index
        memref.store %v28, %f[%v29] : memref<4096xf32>
        %v30 = arith.subf %a, %v26 : f32
        %v31 = arith.subf %v25, %v30 : f32
        %v32 = arith.addi %at, %c832 : index
        memref.store %v31, %f[%v32] : memref<4096xf32>
      }
    }
    return
  }
  // comparisons, masks and choices
  func.func @compare_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c1152 = arith.constant 1152 : index
    %c1088 = arith.constant 1088 : index
    %false_ = arith.constant false
    %true_ = arith.constant true
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
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = arith.cmpf oeq, %a, %b : f32
        %v2 = arith.extui %v1 : i1 to i32
        memref.store %v2, %i[%at] : memref<4096xi32>
        %v3 = arith.cmpf olt, %a, %b : f32
        %v4 = arith.extui %v3 : i1 to i32
        %v5 = arith.addi %at, %c64 : index
        memref.store %v4, %i[%v5] : memref<4096xi32>
        %v6 = arith.cmpf ole, %a, %b : f32
        %v7 = arith.extui %v6 : i1 to i32
        %v8 = arith.addi %at, %c128 : index
        memref.store %v7, %i[%v8] : memref<4096xi32>
        %v9 = arith.cmpf ogt, %a, %b : f32
        %v10 = arith.extui %v9 : i1 to i32
        %v11 = arith.addi %at, %c192 : index
        memref.store %v10, %i[%v11] : memref<4096xi32>
        %v12 = arith.cmpf oge, %a, %b : f32
        %v13 = arith.extui %v12 : i1 to i32
        %v14 = arith.addi %at, %c256 : index
        memref.store %v13, %i[%v14] : memref<4096xi32>
        %v15 = arith.cmpf une, %a, %b : f32
        %v16 = arith.extui %v15 : i1 to i32
        %v17 = arith.addi %at, %c320 : index
        memref.store %v16, %i[%v17] : memref<4096xi32>
        %v18 = arith.cmpi eq, %p, %q : i32
        %v19 = arith.extui %v18 : i1 to i32
        %v20 = arith.addi %at, %c384 : index
        memref.store %v19, %i[%v20] : memref<4096xi32>
        %v21 = arith.cmpi ne, %p, %q : i32
        %v22 = arith.extui %v21 : i1 to i32
        %v23 = arith.addi %at, %c448 : index
        memref.store %v22, %i[%v23] : memref<4096xi32>
        %v24 = arith.cmpi slt, %p, %q : i32
        %v25 = arith.extui %v24 : i1 to i32
        %v26 = arith.addi %at, %c512 : index
        memref.store %v25, %i[%v26] : memref<4096xi32>
        %v27 = arith.cmpi sle, %p, %q : i32
        %v28 = arith.extui %v27 : i1 to i32
        %v29 = arith.addi %at, %c576 : index
        memref.store %v28, %i[%v29] : memref<4096xi32>
        %v30 = arith.cmpi sgt, %p, %q : i32
        %v31 = arith.extui %v30 : i1 to i32
        %v32 = arith.addi %at, %c640 : index
        memref.store %v31, %i[%v32] : memref<4096xi32>
        %v33 = arith.cmpi sge, %p, %q : i32
        %v34 = arith.extui %v33 : i1 to i32
        %v35 = arith.addi %at, %c704 : index
        memref.store %v34, %i[%v35] : memref<4096xi32>
        %v36 = arith.cmpi ult, %p, %q : i32
        %v37 = arith.extui %v36 : i1 to i32
        %v38 = arith.addi %at, %c768 : index
        memref.store %v37, %i[%v38] : memref<4096xi32>
        %v39 = arith.cmpi ule, %p, %q : i32
        %v40 = arith.extui %v39 : i1 to i32
        %v41 = arith.addi %at, %c832 : index
        memref.store %v40, %i[%v41] : memref<4096xi32>
        %v42 = arith.cmpi ugt, %p, %q : i32
        %v43 = arith.extui %v42 : i1 to i32
        %v44 = arith.addi %at, %c896 : index
        memref.store %v43, %i[%v44] : memref<4096xi32>
        %v45 = arith.cmpi uge, %p, %q : i32
        %v46 = arith.extui %v45 : i1 to i32
        %v47 = arith.addi %at, %c960 : index
        memref.store %v46, %i[%v47] : memref<4096xi32>
        %v48 = arith.cmpf ogt, %a, %b : f32
        %v49 = arith.cmpi slt, %p, %q : i32
        %v50 = arith.andi %v48, %v49 : i1
        %v51 = arith.select %v50, %a, %b : f32
        memref.store %v51, %f[%at] : memref<4096xf32>
        %v52 = arith.ori %v48, %v49 : i1
        %v53 = arith.select %v52, %a, %b : f32
        %v54 = arith.addi %at, %c64 : index
        memref.store %v53, %f[%v54] : memref<4096xf32>
        %v55 = arith.xori %v48, %v49 : i1
        %v56 = arith.select %v55, %a, %b : f32
        %v57 = arith.addi %at, %c128 : index
        memref.store %v56, %f[%v57] : memref<4096xf32>
        %v58 = arith.select %v49, %p, %q : i32
        %v59 = arith.addi %at, %c1024 : index
        memref.store %v58, %i[%v59] : memref<4096xi32>
        %v60 = arith.xori %v49, %true_ : i1
        %v61 = arith.select %v60, %p, %q : i32
        %v62 = arith.addi %at, %c1088 : index
        memref.store %v61, %i[%v62] : memref<4096xi32>
        %v63 = arith.ori %v49, %false_ : i1
        %v64 = arith.select %v63, %p, %q : i32
        %v65 = arith.addi %at, %c1152 : index
        memref.store %v64, %i[%v65] : memref<4096xi32>
      }
    }
    return
  }
  // integer arithmetic, wrapping at 32 bits
  func.func @int_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c1408 = arith.constant 1408 : index
    %c1344 = arith.constant 1344 : index
    %c1280 = arith.constant 1280 : index
    %c1216 = arith.constant 1216 : index
    %c1152 = arith.constant 1152 : index
    %one = arith.constant 1 : i32
    %fifteen = arith.constant 15 : i32
    %c1088 = arith.constant 1088 : index
    %c1024 = arith.constant 1024 : index
    %least = arith.constant -2147483648 : i32
    %c960 = arith.constant 960 : index
    %c896 = arith.constant 896 : index
    %c832 = arith.constant 832 : index
    %c768 = arith.constant 768 : index
    %c704 = arith.constant 704 : index
    %c640 = arith.constant 640 : index
    %c576 = arith.constant 576 : index
    %c512 = arith.constant 512 : index
    %thirty_one = arith.constant 31 : i32
    %five = arith.constant 5 : i32
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
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = arith.addi %p, %q : i32
        memref.store %v1, %i[%at] : memref<4096xi32>
        %v2 = arith.subi %p, %q : i32
        %v3 = arith.addi %at, %c64 : index
        memref.store %v2, %i[%v3] : memref<4096xi32>
        %v4 = arith.muli %p, %q : i32
        %v5 = arith.addi %at, %c128 : index
        memref.store %v4, %i[%v5] : memref<4096xi32>
        %v6 = arith.minsi %p, %q : i32
        %v7 = arith.addi %at, %c192 : index
        memref.store %v6, %i[%v7] : memref<4096xi32>
        %v8 = arith.maxsi %p, %q : i32
        %v9 = arith.addi %at, %c256 : index
        memref.store %v8, %i[%v9] : memref<4096xi32>
        %v10 = arith.andi %p, %q : i32
        %v11 = arith.addi %at, %c320 : index
        memref.store %v10, %i[%v11] : memref<4096xi32>
        %v12 = arith.ori %p, %q : i32
        %v13 = arith.addi %at, %c384 : index
        memref.store %v12, %i[%v13] : memref<4096xi32>
        %v14 = arith.xori %p, %q : i32
        %v15 = arith.addi %at, %c448 : index
        memref.store %v14, %i[%v15] : memref<4096xi32>
        %v16 = arith.shli %p, %five : i32
        %v17 = arith.addi %at, %c512 : index
        memref.store %v16, %i[%v17] : memref<4096xi32>
        %v18 = arith.shli %p, %thirty_one : i32
        %v19 = arith.addi %at, %c576 : index
        memref.store %v18, %i[%v19] : memref<4096xi32>
        %v20 = arith.shrsi %p, %five : i32
        %v21 = arith.addi %at, %c640 : index
        memref.store %v20, %i[%v21] : memref<4096xi32>
        %v22 = arith.shrsi %p, %thirty_one : i32
        %v23 = arith.addi %at, %c704 : index
        memref.store %v22, %i[%v23] : memref<4096xi32>
        %v24 = arith.shrui %p, %five : i32
        %v25 = arith.addi %at, %c768 : index
        memref.store %v24, %i[%v25] : memref<4096xi32>
        %v26 = arith.shrui %p, %thirty_one : i32
        %v27 = arith.addi %at, %c832 : index
        memref.store %v26, %i[%v27] : memref<4096xi32>
        %low, %high = arith.mului_extended %p, %q : i32
        %v29 = arith.addi %at, %c896 : index
        memref.store %low, %i[%v29] : memref<4096xi32>
        %v30 = arith.addi %at, %c960 : index
        memref.store %high, %i[%v30] : memref<4096xi32>
        %v31 = arith.xori %p, %least : i32
        %v32 = arith.addi %at, %c1024 : index
        memref.store %v31, %i[%v32] : memref<4096xi32>
        %v33 = arith.addi %p, %q : i32
        %v34 = arith.subi %p, %q : i32
        %v35 = arith.subi %v33, %v34 : i32
        %v36 = arith.addi %at, %c1088 : index
        memref.store %v35, %i[%v36] : memref<4096xi32>
        %v37 = arith.andi %q, %fifteen : i32
        %v38 = arith.addi %v37, %one : i32
        %v39 = arith.divsi %p, %v38 : i32
        %v40 = arith.addi %at, %c1152 : index
        memref.store %v39, %i[%v40] : memref<4096xi32>
        %v41 = arith.remsi %p, %v38 : i32
        %v42 = arith.addi %at, %c1216 : index
        memref.store %v41, %i[%v42] : memref<4096xi32>
        %v43 = arith.andi %q, %thirty_one : i32
        %v44 = arith.shli %p, %v43 : i32
        %v45 = arith.addi %at, %c1280 : index
        memref.store %v44, %i[%v45] : memref<4096xi32>
        %v46 = arith.shrsi %p, %v43 : i32
        %v47 = arith.addi %at, %c1344 : index
        memref.store %v46, %i[%v47] : memref<4096xi32>
        %v48 = arith.shrui %p, %v43 : i32
        %v49 = arith.addi %at, %c1408 : index
        memref.store %v48, %i[%v49] : memref<4096xi32>
      }
    }
    return
  }
  // from one type to another
  func.func @cast_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant 0.0 : f32
    %big = arith.constant 1.0e9 : f32
    scf.for %tile = %begin to %end step %c1 {
      %base = arith.muli %tile, %c16 : index
      %stop = arith.addi %base, %c16 : index
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = arith.sitofp %p : i32 to f32
        memref.store %v1, %f[%at] : memref<4096xf32>
        %v2 = math.absf %a : f32
        %v3 = arith.cmpf olt, %v2, %big : f32
        %v4 = arith.select %v3, %a, %zero : f32
        %v5 = arith.fptosi %v4 : f32 to i32
        memref.store %v5, %i[%at] : memref<4096xi32>
        %v6 = arith.bitcast %a : f32 to i32
        %v7 = arith.addi %at, %c64 : index
        memref.store %v6, %i[%v7] : memref<4096xi32>
        %v8 = arith.bitcast %b : f32 to i32
        %v9 = arith.bitcast %v8 : i32 to f32
        %v10 = arith.addi %at, %c64 : index
        memref.store %v9, %f[%v10] : memref<4096xf32>
      }
    }
    return
  }
  // index arithmetic
  func.func @index_numbers(%x: memref<64xf32>, %y: memref<64xf32>, %n: memref<64xi32>, %m: memref<64xi32>, %f: memref<4096xf32>, %i: memref<4096xi32>, %begin: index, %end: index, %scratch: memref<64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %c1472 = arith.constant 1472 : index
    %c1408 = arith.constant 1408 : index
    %c1344 = arith.constant 1344 : index
    %fifteen = arith.constant 15 : i32
    %c1280 = arith.constant 1280 : index
    %c1216 = arith.constant 1216 : index
    %c1152 = arith.constant 1152 : index
    %c1088 = arith.constant 1088 : index
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
    %c3 = arith.constant 3 : index
    %c7 = arith.constant 7 : index
    scf.for %tile = %begin to %end step %c1 {
      %base = arith.muli %tile, %c16 : index
      %stop = arith.addi %base, %c16 : index
      scf.for %at = %base to %stop step %c1 {
        %a = memref.load %x[%at] : memref<64xf32>
        %b = memref.load %y[%at] : memref<64xf32>
        %p = memref.load %n[%at] : memref<64xi32>
        %q = memref.load %m[%at] : memref<64xi32>
        %v1 = arith.divui %at, %c7 : index
        %v2 = arith.index_cast %v1 : index to i32
        memref.store %v2, %i[%at] : memref<4096xi32>
        %v3 = arith.divsi %at, %c7 : index
        %v4 = arith.index_cast %v3 : index to i32
        %v5 = arith.addi %at, %c64 : index
        memref.store %v4, %i[%v5] : memref<4096xi32>
        %v6 = arith.remui %at, %c7 : index
        %v7 = arith.index_cast %v6 : index to i32
        %v8 = arith.addi %at, %c128 : index
        memref.store %v7, %i[%v8] : memref<4096xi32>
        %v9 = arith.remsi %at, %c7 : index
        %v10 = arith.index_cast %v9 : index to i32
        %v11 = arith.addi %at, %c192 : index
        memref.store %v10, %i[%v11] : memref<4096xi32>
        %v12 = arith.minui %at, %c7 : index
        %v13 = arith.index_cast %v12 : index to i32
        %v14 = arith.addi %at, %c256 : index
        memref.store %v13, %i[%v14] : memref<4096xi32>
        %v15 = arith.maxui %at, %c7 : index
        %v16 = arith.index_cast %v15 : index to i32
        %v17 = arith.addi %at, %c320 : index
        memref.store %v16, %i[%v17] : memref<4096xi32>
        %v18 = arith.minsi %at, %c7 : index
        %v19 = arith.index_cast %v18 : index to i32
        %v20 = arith.addi %at, %c384 : index
        memref.store %v19, %i[%v20] : memref<4096xi32>
        %v21 = arith.maxsi %at, %c7 : index
        %v22 = arith.index_cast %v21 : index to i32
        %v23 = arith.addi %at, %c448 : index
        memref.store %v22, %i[%v23] : memref<4096xi32>
        %v24 = arith.muli %at, %c7 : index
        %v25 = arith.index_cast %v24 : index to i32
        %v26 = arith.addi %at, %c512 : index
        memref.store %v25, %i[%v26] : memref<4096xi32>
        %v27 = arith.subi %at, %c7 : index
        %v28 = arith.index_cast %v27 : index to i32
        %v29 = arith.addi %at, %c576 : index
        memref.store %v28, %i[%v29] : memref<4096xi32>
        %v30 = arith.cmpi eq, %at, %c7 : index
        %v31 = arith.extui %v30 : i1 to i32
        %v32 = arith.addi %at, %c640 : index
        memref.store %v31, %i[%v32] : memref<4096xi32>
        %v33 = arith.cmpi ne, %at, %c7 : index
        %v34 = arith.extui %v33 : i1 to i32
        %v35 = arith.addi %at, %c704 : index
        memref.store %v34, %i[%v35] : memref<4096xi32>
        %v36 = arith.cmpi slt, %at, %c7 : index
        %v37 = arith.extui %v36 : i1 to i32
        %v38 = arith.addi %at, %c768 : index
        memref.store %v37, %i[%v38] : memref<4096xi32>
        %v39 = arith.cmpi sle, %at, %c7 : index
        %v40 = arith.extui %v39 : i1 to i32
        %v41 = arith.addi %at, %c832 : index
        memref.store %v40, %i[%v41] : memref<4096xi32>
        %v42 = arith.cmpi sgt, %at, %c7 : index
        %v43 = arith.extui %v42 : i1 to i32
        %v44 = arith.addi %at, %c896 : index
        memref.store %v43, %i[%v44] : memref<4096xi32>
        %v45 = arith.cmpi sge, %at, %c7 : index
        %v46 = arith.extui %v45 : i1 to i32
        %v47 = arith.addi %at, %c960 : index
        memref.store %v46, %i[%v47] : memref<4096xi32>
        %v48 = arith.cmpi ult, %at, %c7 : index
        %v49 = arith.extui %v48 : i1 to i32
        %v50 = arith.addi %at, %c1024 : index
        memref.store %v49, %i[%v50] : memref<4096xi32>
        %v51 = arith.cmpi ule, %at, %c7 : index
        %v52 = arith.extui %v51 : i1 to i32
        %v53 = arith.addi %at, %c1088 : index
        memref.store %v52, %i[%v53] : memref<4096xi32>
        %v54 = arith.cmpi ugt, %at, %c7 : index
        %v55 = arith.extui %v54 : i1 to i32
        %v56 = arith.addi %at, %c1152 : index
        memref.store %v55, %i[%v56] : memref<4096xi32>
        %v57 = arith.cmpi uge, %at, %c7 : index
        %v58 = arith.extui %v57 : i1 to i32
        %v59 = arith.addi %at, %c1216 : index
        memref.store %v58, %i[%v59] : memref<4096xi32>
        %v60 = arith.cmpi ult, %at, %c7 : index
        %v61 = arith.select %v60, %c3, %at : index
        %v62 = arith.index_castui %v61 : index to i32
        %v63 = arith.addi %at, %c1280 : index
        memref.store %v62, %i[%v63] : memref<4096xi32>
        %v64 = arith.andi %p, %fifteen : i32
        %v65 = arith.index_cast %v64 : i32 to index
        %v66 = memref.load %x[%v65] : memref<64xf32>
        memref.store %v66, %f[%at] : memref<4096xf32>
        %v67 = arith.andi %q, %fifteen : i32
        %v68 = arith.index_castui %v67 : i32 to index
        %v69 = memref.load %y[%v68] : memref<64xf32>
        %v70 = arith.addi %at, %c64 : index
        memref.store %v69, %f[%v70] : memref<4096xf32>
        %v71 = arith.cmpf olt, %a, %b : f32
        %v72 = vector.broadcast %a : f32 to vector<[4]xf32>
        %v73 = vector.broadcast %b : f32 to vector<[4]xf32>
        %v74 = arith.select %v71, %v72, %v73 : vector<[4]xf32>
        %v75 = vector.reduction <add>, %v74 : vector<[4]xf32> into f32
        %v76 = arith.addi %at, %c128 : index
        memref.store %v75, %f[%v76] : memref<4096xf32>
        %v77 = vector.broadcast %p : i32 to vector<[4]xi32>
        %v78 = vector.broadcast %q : i32 to vector<[4]xi32>
        %v79 = arith.select %v71, %v77, %v78 : vector<[4]xi32>
        %v80 = vector.reduction <maxsi>, %v79 : vector<[4]xi32> into i32
        %v81 = arith.addi %at, %c1344 : index
        memref.store %v80, %i[%v81] : memref<4096xi32>
        %v82 = vector.create_mask %c1 : vector<[4]xi1>
        %v83 = vector.create_mask %c3 : vector<[4]xi1>
        %v84 = arith.select %v71, %v82, %v83 : vector<[4]xi1>
        %v85 = arith.extui %v84 : vector<[4]xi1> to vector<[4]xi32>
        %v86 = vector.reduction <add>, %v85 : vector<[4]xi32> into i32
        %v87 = arith.addi %at, %c1408 : index
        memref.store %v86, %i[%v87] : memref<4096xi32>
        %v88 = arith.select %v71, %v71, %v60 : i1
        %v89 = arith.extui %v88 : i1 to i32
        %v90 = arith.addi %at, %c1472 : index
        memref.store %v89, %i[%v90] : memref<4096xi32>
      }
    }
    return
  }
}
