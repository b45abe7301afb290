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
def RaiseSoftmax : Pass<"raise-softmax", "::mlir::ModuleOp"> {
  let summary = "turn exp(s) / sum(exp(s)) and its like into softmax";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def NormalizeAttention : Pass<"normalize-attention", "::mlir::ModuleOp"> {
  let summary = "bring what stands between the products of an attention into the form that fuse-attention finds";
  let description = [{
    - A rename of scores or weights becomes one of what they are computed from.
    - A gather of scaled products becomes a scaled gather of products.
    - The sum over an axis of weights * values becomes a contraction.
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def FuseAttention : Pass<"fuse-attention", "::mlir::ModuleOp"> {
  let summary = "turn softmax(score) @ value into attention, which stores no tensor of rows x keys";
  let description = [{
    A remark at every softmax says that it was fused, or the first reason why not.
  }];
}
def InlineAttention : Pass<"inline-attention", "::mlir::ModuleOp"> {
  let summary = "put the ops of an attention in its place where blocks cannot compute it";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}
def BlockLogits : Pass<"block-logits", "::mlir::ModuleOp"> {
  let summary = "compute logits that are too large to hold, their loss and its gradient a block of rows at a time";
  let options = [Option<"rows", "rows", "int64_t", "512", "of a block, at least">,
                 Option<"elements", "elements", "int64_t", "4194304", "of a block's logits, at least">];
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def SplitAttention : Pass<"split-attention", "::mlir::ModuleOp"> {
  let summary = "divide the keys of an attention's gradient where sequences and heads are too few for threads";
  let description = [{
    Results that are not of keys get a first dim of partial sums, which a reduction adds up.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}
def DeriveDecoding : Pass<"derive-decoding", "::mlir::ModuleOp"> {
  let summary = "Derive @decode, which computes one position more, from @sample, and let that keep keys and values";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def DeriveBackward : Pass<"derive-backward", "::mlir::ModuleOp"> {
  let summary = "Append the gradients of the loss to every entry with heddle.minimise";
  let options = [Option<"recomputeUpTo", "recompute-up-to", "double", "-1",
                        "of what the forward of a loop saves, compute again what costs so many FLOPs a byte (default: nothing)">];
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def AccumulateGradients : Pass<"accumulate-gradients", "::mlir::ModuleOp"> {
  let summary = "make @train, of one micro-batch, a loop over those of a step that adds up losses and gradients";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def ApplyOptimizer : Pass<"apply-optimizer", "::mlir::ModuleOp"> {
  let summary = "Turn the gradients of @train into updates, as heddle.optimizer of the module says";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def Simplify : Pass<"simplify", "::mlir::ModuleOp"> {
  let summary = "Fold constants, drop neutral and dead ops, compute equal things once";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def DecomposeNorms : Pass<"decompose-norms"> {
  let summary = "Expand softmax, norms and cross entropy into reductions and elementwise ops";
  let dependentDialects = ["::heddle::HeddleDialect"];
}
def DecomposeRegroups : Pass<"decompose-regroups"> {
  let summary = "Make every regroup a view, and concat gathers and selects";
  let description = [{
    Runs behind backward, which knows that a joined piece's gradient is a slice: as gathers they would be scattered.
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

def NormalizeContracts : Pass<"normalize-contracts", "::mlir::ModuleOp"> {
  let summary = "bring every contraction into a form that LowerContract takes";
  let description = [{
    - A contraction in which one operand has no dim of its own, and the other neither, sums an elementwise product: it
      becomes `mul` and `reduce`.
    - Of the result's dims longer than 1, the last must be one that only one operand has, so that vectors can run along it.
      Where it is a batch dim, the contraction gets a result with its batch dims in front, and a `broadcast` puts them back
      in order.
  }];
}
def PlanMemory : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "give every value its place in the variables' arena or the workspace";
}
def AddOnto : Pass<"add-onto", "::mlir::ModuleOp"> {
  let summary = "products and gradients of embeddings add what else is added to them";
}
def FuseProducts : Pass<"fuse-products", "::mlir::ModuleOp"> {
  let summary = "compute where a product is stored what is made of it element by element, and sums of what it packs";
}
def SinkIntoRepeats : Pass<"sink-into-repeats", "::mlir::ModuleOp"> {
  let summary = "use up what a repeat collects in the turn that makes it: layers are updated where their gradients are made";
}
def SplitReductions : Pass<"split-reductions", "::mlir::ModuleOp"> {
  let summary = "reduce in two steps where one would leave too few rows to share among threads";
}
def FuseElementwise : Pass<"fuse-elementwise", "::mlir::ModuleOp"> {
  let summary = "group elementwise ops, reductions and gathers into loop nests";
  let description = [{
    Each group becomes one `heddle.fused`. An op left alone is a group of one. Values that are cheap and have no large
    input (positions, constants, masks) are computed in every group that uses them.
  }];
  let options = [Option<"join", "join", "bool", "true", "let ops share a loop nest; else every op is one of its own">];
}

def LowerToKernels : Pass<"lower-to-kernels", "::mlir::ModuleOp"> {
  let summary = "replace each entry by a list of calls, and each of its ops by a kernel, for one target class";
  let options = [Option<"target", "target", "std::string", "\"avx512\"", "target class: avx512, avx2 or baseline">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

//===------------------------------------------------------------------------------------------------- kernel
def ExpandMath : Pass<"expand-math", "::mlir::ModuleOp"> {
  let summary = "turn exp, tanh, ... into calls of functions made of arithmetic";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect"];
}
def ExpandFma : Pass<"expand-fma", "::mlir::ModuleOp"> {
  let summary = "turn fused multiply-add into multiply and add";
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif
