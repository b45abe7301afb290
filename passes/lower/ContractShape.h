// What kind of matrix product a contraction is, and how it is cut into tiles.
//
// Names become roles: a dim that is summed is k; one that only x has is m, only y has is n; one that all three have is
// a batch dim. Dims of one role merge into one where memory allows it, and what does not merge is looped over outside.
// So every contraction is C[m,n] += A[m,k] B[k,n], repeated, with a stride for each of the three, and for what is read beside
// C (added to it, or met with it element by element), in each role.
#pragma once
#include "ir/graph/Heddle.h"
#include "ir/kernel/TargetInfo.h"

namespace heddle {

/// An axis of the product with its stride (elements; 0 where the tensor lacks it) in A, B and C.
struct ContractAxis {
  int64_t size = 1;
  int64_t a = 0, b = 0, c = 0;
  llvm::SmallVector<int64_t, 2> beside{};  // and in each tensor that is read beside C
};

struct ContractShape {
  bool swapped = false;      // A is y and B is x, so that C's contiguous dim is n
  ContractAxis m, n, k;      // n has stride 1 in C
  llvm::SmallVector<ContractAxis> batches;  // one product for each combination, outermost first
  llvm::SmallVector<ContractAxis> outerK;   // further summed axes, outermost first
  int64_t products() const;  // number of combinations of `batches`
};

/// The roles of a contraction. Requires that of C's dims longer than 1 the last is one that only one operand has, if any
/// is (NormalizeContracts). `beside`: what is read beside the result; all has dims of the result alone.
ContractShape contractShape(ContractOp op, llvm::ArrayRef<Tensor> beside = {});

/// How C[m,n] is cut: register tiles of `rows` x (`vectors` vectors), in blocks of `blockM` rows and `blockPanels`
/// panels (a panel is as wide as a register tile), over `blockK` of k at a time.
struct ContractTiling {
  int64_t rows, vectors;
  int64_t blockM, blockPanels, blockK;
  int64_t panels, blocksM, blocksN;  // how many there are
  bool packsB;                       // else a register tile reads B as it lies
  bool packsA;                       // then `rows` divides the lanes, and these blockM
  bool joins;                        // tiles that differ in rows alone are taken together, as many as a thread has
  int64_t streams;                   // if not 0: B is read once, as it lies, so many of its rows together; a panel is a vector

  /// Elements of scratch: a packed panel of B, and with packsA a packed block of A.
  int64_t scratchElements(int64_t lanes) const {
    return streams ? 0 : packedB(lanes) + (packsA ? blockM / lanes * stripStride(lanes) : 0);
  }
  int64_t packedB(int64_t lanes) const { return packsB ? blockK * vectors * lanes : 0; }
  /// From one strip of packed A (a vector's rows) to the next; no power of two, whose strips would share sets of the cache.
  int64_t stripStride(int64_t lanes) const { return (blockK + 1) * lanes; }
};

/// Whether B is read once, as it lies: there are few rows, whose sums along n lie in the first cache meanwhile, and would wait
/// for each other if these were few; or whose operands both lie along k.
bool isStreamed(const ContractShape &shape);

/// Chosen from shape and target class alone. `whole`: one tile for each product.
ContractTiling contractTiling(const ContractShape &shape, const TargetInfo &target, bool whole = false);

}  // namespace heddle
