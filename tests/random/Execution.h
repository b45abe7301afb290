// A trial's programs as one module, and what executors make of it.
#pragma once
#include "ir/kernel/TargetInfo.h"
#include "runtime/Session.h"
#include "tests/random/Trial.h"

namespace heddle {

/// All programs at stage grad in one module: entries p<i>_<entry>, variables p<i>.<variable>.
mlir::OwningOpRef<mlir::ModuleOp> mergePrograms(mlir::MLIRContext &context,
                                                const std::map<int, Expectation> &programs);
std::string mergedEntry(int program, const std::string &entry);
std::string mergedVariable(int program, const std::string &variable);

/// From stage grad to stage fused with every op a kernel of its own. The pipeline's passes are registered.
llvm::LogicalResult lowerUnfused(mlir::ModuleOp module);

/// Every value that a session's runs of one program left, as bits: of each entry on the variables' first values, results
/// and variables; then of all entries in turn, twice over.
struct Snapshot {
  std::map<std::string, std::vector<uint32_t>> bits;
  std::map<std::string, Array> first;  // of the first runs, as numbers: "<entry>/<result>", "<entry>/@<variable>"
};
Snapshot execute(Session &session, int program, const Expectation &expected, mlir::MLIRContext &context);

/// The first value whose bits differ; empty if none do. `flushed`: of floats, zero and subnormal numbers of one sign
/// count as equal (ir/kernel/KernelForm.h: a select between the two values compared).
std::string differentBits(const Snapshot &x, const Snapshot &y, bool flushed);

/// A native library of one class, loaded.
class NativeLibrary {
public:
  static llvm::Expected<std::unique_ptr<NativeLibrary>> build(mlir::ModuleOp kernels);
  ~NativeLibrary();
  const HeddleProgram &program() const { return *table; }

private:
  void *handle = nullptr;
  const HeddleProgram *table = nullptr;
};

}  // namespace heddle
