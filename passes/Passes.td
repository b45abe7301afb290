// Every pass over the graph and over kernels. Pass `DecomposeNorms` is passes/graph/DecomposeNorms.cpp, the flag
// --decompose-norms of heddle-opt and tests/passes/decompose-norms*.mlir. Pipeline.cpp has the order.
//
// A source defines its pass with
//   #define GEN_PASS_DEF_DECOMPOSENORMS
//   #include "passes/Passes.h.inc"
//   struct DecomposeNorms : heddle::impl::DecomposeNormsBase<DecomposeNorms> { void runOnOperation() override; };
// and others make it with heddle::createDecomposeNorms().
#ifndef HEDDLE_PASSES_TD
#define HEDDLE_PASSES_TD

include "mlir/Pass/PassBase.td"

//===------------------------------------------------------------------------------------------------- graph

//===------------------------------------------------------------------------------------------------- kernel

#endif
