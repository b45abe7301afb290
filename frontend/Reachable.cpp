// A walk from the loss up through the operands, into the bodies of loops. Gradients pass float values and end at
// stop_grad; a second walk that ignores this tells a parameter that is behind stop_grad from one that is not used.
#include "frontend/Reachable.h"

namespace heddle {
namespace {

class Walk {
public:
  explicit Walk(bool throughStops) : throughStops(throughStops) {}
  std::set<std::string> variables;

  void from(mlir::Value start) {
    push(start);
    while (!work.empty()) {
      mlir::Value value = work.back();
      work.pop_back();
      visit(value);
    }
  }

private:
  void push(mlir::Value value) {
    bool carries = throughStops || llvm::cast<Tensor>(value.getType()).isFloat();
    if (carries && seen.insert(value.getAsOpaquePointer()).second)
      work.push_back(value);
  }
  void visit(mlir::Value value) {
    if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(value)) {
      auto loop = llvm::dyn_cast<RepeatOp>(argument.getOwner()->getParentOp());
      if (!loop || argument.getArgNumber() == 0)
        return;
      size_t i = argument.getArgNumber() - 1, carried = loop.getCarried().size();
      if (i < carried) {
        push(loop.getCarried()[i]);
        push(loop.getYield()->getOperand(i));
      } else {
        push(loop.getStacked()[i - carried]);
      }
      return;
    }
    mlir::Operation *op = value.getDefiningOp();
    if (auto read = llvm::dyn_cast<ReadOp>(op)) {
      variables.insert(read.getVariable().str());
    } else if (auto loop = llvm::dyn_cast<RepeatOp>(op)) {
      size_t i = llvm::cast<mlir::OpResult>(value).getResultNumber();
      push(loop.getYield()->getOperand(i));
      push(loop.getCarried()[i]);
    } else if (throughStops || !llvm::isa<StopGradOp>(op)) {
      for (mlir::Value operand : op->getOperands())
        push(operand);
    }
  }

  bool throughStops;
  std::vector<mlir::Value> work;
  std::set<const void *> seen;
};

} // namespace

void checkReachable(Elaborator &el, mlir::Value loss) {
  Walk trained(false), excused(true);
  trained.from(loss);
  excused.from(loss);
  for (mlir::Value value : el.discarded)
    excused.from(value);
  for (auto &[name, parameter] : el.parameters) {
    if (parameter.frozen || trained.variables.count(name))
      continue;
    if (excused.variables.count(name)) {
      el.graph.lookupSymbol<VariableOp>(name).setFrozen(true);
      continue;
    }
    el.error(Code::H0317, parameter.span, fmt::format("the loss does not depend on the parameter `{}`", name))
        .note("it would be kept in memory and in every checkpoint, and never change")
        .help("use it, remove it, or mark it: `frozen param`");
  }
}

} // namespace heddle
