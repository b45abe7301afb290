// Attention with gradients: from an example's text to what executors make of it.
#pragma once
#include "ir/graph/interpreter/Interpreter.h"
#include "mlir/IR/OwningOpRef.h"
#include "passes/Pipeline.h"
#include "runtime/Session.h"
#include "tests/attention/Variants.h"

namespace heddle {

using Arrays = std::map<std::string, Array>;

/// The context of all tests, with all dialects.
mlir::MLIRContext &attentionContext();

/// The sizes of a shape as `--set` has them, in which an example's dims are called otherwise.
std::map<std::string, std::string> sizesOf(const AttentionShape &shape, const Variant &variant);

/// The train block of an example at stage graph, without an optimizer; a test failure, and null, if it has errors.
mlir::OwningOpRef<mlir::ModuleOp> buildTrainBlock(const Variant &variant, const AttentionShape &shape);
/// A module at stage graph with one entry, whose gradients for all parameters and float inputs are wanted. It is that
/// of module Attention, with result `out` and, as a loss, its product with an input `weight`: so every element counts.
/// Where there is dropout it is that of the train block, with the mean square of the result's difference from
/// `data.target`, so that `grad.data.target` tells the result.
mlir::OwningOpRef<mlir::ModuleOp> buildAttention(const Variant &variant, const AttentionShape &shape);

/// Takes a module from one stage to another; a test failure if a pass fails.
bool lower(mlir::ModuleOp module, Stage from, Stage to, bool fuseAttention, const TargetInfo &target);

/// Random values of an entry's inputs and of all variables: as initialisers say, and inputs normal, with masks and ids
/// that a text could have.
struct Values {
  Arrays inputs, variables;
};
Values randomValues(mlir::ModuleOp module, const AttentionCase &tested);

/// The bits of all results by name, and the same as numbers.
struct Results {
  std::map<std::string, std::vector<uint32_t>> bits;
  Arrays arrays;
};
/// Runs the one entry of a program on a workspace that holds rubbish but for its inputs; twice, since the second time
/// scratch holds what the first left.
Results execute(const HeddleProgram &program, int threads, const std::string &targetClass, const Values &values);

}  // namespace heddle
