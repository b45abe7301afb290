// Matrix products: what is packed or added to next is prefetched where it comes from far; what is added to a sum comes last.
// RUN: %heddle-opt %s --plan-memory --lower-to-kernels=target=avx512 --canonicalize --cse | FileCheck %s

!x = !heddle.tensor<[B=64, D=512], f32>
!w = !heddle.tensor<[D=512, F=512], f32>
!y = !heddle.tensor<[B=64, F=512], f32>
!b = !heddle.tensor<[F=512], f32>
// CHECK: func.func @[[LARGE:.*]](%[[X:.*]]: memref<32768xf32>, %[[W:.*]]: memref<262144xf32>, %[[B:[^:]*]]: memref<512xf32>, %[[Y:.*]]: memref<32768xf32>,
// CHECK: %[[SUMS:.*]]:24 = scf.for
// CHECK: vector.fma
// CHECK-NOT: memref.prefetch
// CHECK: %[[BIAS:.*]] = vector.load %[[B]]
// CHECK: %[[SUM:.*]] = arith.addf %[[SUMS]]#0, %[[BIAS]]
// CHECK: vector.store %[[SUM]], %[[Y]]
// CHECK: memref.prefetch %[[W]][%{{.*}}], read, locality<2>, data
func.func @large(%x: !x, %w: !w, %b: !b) -> !y {
  %y = heddle.contract %x, %w over ["D"] onto(%b) : (!x, !w, !b) -> !y
  return %y : !y
}
// Of a long sum, the first block starts from zero, the others from what C holds; each tile prefetches that of the next.
// CHECK: func.func @{{.*}}(%{{.*}}: memref<524288xf32>, %{{.*}}: memref<524288xf32>, %[[Z:.*]]: memref<262144xf32>,
// CHECK: scf.for %[[K:.*]] = %c0{{.*}} to %c1024 step %c512
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[K]], %c0
// CHECK: %[[HELD:.*]] = arith.select %[[FIRST]], %c0{{.*}}, %c16
// CHECK: %[[MASK:.*]] = vector.create_mask %[[HELD]]
// CHECK: vector.maskedload %[[Z]][%{{.*}}], %[[MASK]]
// CHECK: memref.prefetch %[[Z]]
// CHECK: vector.fma
func.func @long_sum(%x: !heddle.tensor<[T=1024, D=512], f32>, %y: !heddle.tensor<[T=1024, F=512], f32>) -> !w {
  %z = heddle.contract %x, %y over ["T"] : (!heddle.tensor<[T=1024, D=512], f32>, !heddle.tensor<[T=1024, F=512], f32>) -> !w
  return %z : !w
}
// What lies near is not prefetched, and B of short rows is read as it lies.
// CHECK: func.func @{{.*}}(%{{.*}}: memref<8192xf32>, %[[NEAR:.*]]: memref<16384xf32>,
// CHECK-NOT: memref.prefetch
// CHECK-NOT: vector.store
// CHECK: scf.for
// CHECK: scf.for
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NEXT: arith.muli
// CHECK-NEXT: arith.addi
// CHECK-NEXT: vector.load %[[NEAR]]
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @small(%x: !heddle.tensor<[B=64, D=128], f32>, %w: !heddle.tensor<[D=128, F=128], f32>) -> !heddle.tensor<[B=64, F=128], f32> {
  %y = heddle.contract %x, %w over ["D"] : (!heddle.tensor<[B=64, D=128], f32>, !heddle.tensor<[D=128, F=128], f32>) -> !heddle.tensor<[B=64, F=128], f32>
  return %y : !heddle.tensor<[B=64, F=128], f32>
}
// Tiles of different rows that a thread takes together pack B once: 16 blocks of rows, from the first that is taken.
// CHECK: func.func @{{.*}}memref<327680xf32>, %{{.*}}: memref<102400xf32>, %{{.*}}, %[[BEGIN:.*]]: index, %[[END:.*]]: index
// CHECK: %[[FIRST:.*]] = arith.divui %[[BEGIN]], %c16
// CHECK: %[[UP:.*]] = arith.addi %[[END]], %c15
// CHECK: %[[LAST:.*]] = arith.divui %[[UP]], %c16
// CHECK: scf.for %[[TILES:.*]] = %[[FIRST]] to %[[LAST]]
// CHECK: %[[FROM:.*]] = arith.muli %[[TILES]], %c16
// CHECK: arith.addi %[[FROM]], %c16
// CHECK: arith.minui %{{.*}}, %[[END]]
// CHECK: arith.maxui %[[FROM]], %[[BEGIN]]
func.func @joined(%x: !heddle.tensor<[B=1024, D=320], f32>, %w: !heddle.tensor<[D=320, F=320], f32>) -> !heddle.tensor<[B=1024, F=320], f32> {
  %y = heddle.contract %x, %w over ["D"] : (!heddle.tensor<[B=1024, D=320], f32>, !heddle.tensor<[D=320, F=320], f32>) -> !heddle.tensor<[B=1024, F=320], f32>
  return %y : !heddle.tensor<[B=1024, F=320], f32>
}

// Of one row, B is streamed: a few of its rows at a time along the columns, or along the sum. Nothing is packed.
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<512xf32>, %[[W:.*]]: memref<262144xf32>, %[[Y:.*]]: memref<512xf32>, %{{.*}}: memref<1xf32>
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c8
// CHECK-COUNT-8: memref.load %[[X]]
// CHECK: scf.for
// CHECK: vector.load %[[W]]
// CHECK: memref.prefetch %[[W]]
// CHECK: %[[OLD:.*]] = vector.load %[[Y]]
// CHECK-COUNT-8: vector.fma
// CHECK: vector.store %{{.*}}, %[[Y]]
// CHECK: return
func.func @one_row(%x: !heddle.tensor<[D=512], f32>, %w: !w) -> !b {
  %y = heddle.contract %x, %w over ["D"] : (!heddle.tensor<[D=512], f32>, !w) -> !b
  return %y : !b
}
// CHECK: func.func @{{.*}}(%[[X:.*]]: memref<512xf32>, %[[W:.*]]: memref<262144xf32>, %[[Y:.*]]: memref<512xf32>,
// CHECK: %[[SUMS:.*]]:8 = scf.for
// CHECK: vector.reduction <add>, %[[SUMS]]#7
// CHECK: memref.store %{{.*}}, %[[Y]]
// CHECK: return
func.func @along_the_sum(%x: !b, %w: !w) -> !heddle.tensor<[D=512], f32> {
  %y = heddle.contract %x, %w over ["F"] : (!b, !w) -> !heddle.tensor<[D=512], f32>
  return %y : !heddle.tensor<[D=512], f32>
}
