// Cases of the table of ops as programs: lowered, run by whatever holds their kernels, compared with the interpreter.
#pragma once
#include "runtime/Session.h"
#include "tests/numeric/OpTable.h"
#include "mlir/IR/OwningOpRef.h"

namespace heddle {

/// One module with an entry for every case, c0, c1, ..., in kernel form for a class; a test failure, and null, if a pass
/// fails.
mlir::OwningOpRef<mlir::ModuleOp> lowerCases(const std::vector<Case> &cases, const std::string &targetClass);

/// Runs entry c<i> on a workspace that holds rubbish but for its inputs.
std::map<std::string, Array> runCase(Session &session, size_t i, const Case &tested);

/// A test failure for every result that is outside of its bound.
void expectWithinBounds(const Case &tested, const std::map<std::string, Array> &got);

}  // namespace heddle
