// What ops do, counted: multiplications and additions of matrix products, bytes of tensors.
#pragma once
#include "ir/graph/Heddle.h"

namespace heddle {

/// Counts of work end at 2^63 - 1, which loops in loops of a program that would never end come to.
int64_t addWork(int64_t x, int64_t y);
int64_t multiplyWork(int64_t x, int64_t y);

/// Of a matrix product: two for each element of the product of all its dims.
int64_t flopsOf(ContractOp op);
/// Of all matrix products in an op: itself, or those of its regions (attention, forward or backward).
int64_t flopsOfProducts(mlir::Operation *op);

/// Bytes of the tensors that an op reads and writes, each once. Of a tensor that is only gathered from, what is gathered.
int64_t bytesOf(mlir::Operation *op);

/// In how many of the combinations of the loops `first` (of 0, step, 2 step, ... below its end) and `second` the condition
/// holds, which is an i1 computed within both; null where it depends on anything else than their indices, or there are too
/// many to count.
struct CountedLoop {
  mlir::Value index;
  int64_t step, end;
};
std::optional<int64_t> countTrue(mlir::Value condition, CountedLoop first, CountedLoop second);

}  // namespace heddle
