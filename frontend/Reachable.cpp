// A walk from the loss up through the operands, into the bodies of loops. Gradients pass float values and end at
// stop_grad and where values jump; a second walk that ignores this tells a parameter that is behind stop_grad from one that
// is not used.
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
      if (i < loop.getCarried().size()) // others are collected
        push(loop.getCarried()[i]);
    } else if (throughStops || !llvm::isa<StopGradOp, FloorOp, FloorDivOp>(op)) {
      for (mlir::Value operand : op->getOperands())
        push(operand);
    }
  }

  bool throughStops;
  std::vector<mlir::Value> work;
  std::set<const void *> seen;
};

} // namespace

void checkReachable(Elaborator &el, mlir::Value loss, Span span) {
  Walk trained(false), excused(true);
  trained.from(loss);
  excused.from(loss);
  for (mlir::Value value : el.discarded)
    excused.from(value);
  std::vector<const Elaborator::Weight *> useless;
  for (auto &[name, parameter] : el.parameters) {
    if (parameter.frozen || trained.variables.count(name))
      continue;
    if (excused.variables.count(name)) {
      el.variable(name).setFrozen(true);
      continue;
    }
    useless.push_back(&parameter);
  }
  bool trains = llvm::any_of(el.parameters, [&](auto &known) {
    return !known.second.frozen && trained.variables.count(known.first);
  });
  if (useless.empty() && !trains)
    el.error(Code::H0317, span, "the loss depends on no parameter that is trained")
        .note("no gradient passes `stop_grad`, `floor`, `argmax`, a comparison or a cast to i32, and `frozen` parameters "
              "have none")
        .help("let it depend on a parameter by other functions");
  if (useless.empty())
    return;
  // One error for all: a value that was meant to go on and does not leaves every parameter before it without a gradient.
  constexpr size_t shown = 3;
  std::string list;
  for (size_t i = 0; i < std::min(shown, useless.size()); ++i)
    list += fmt::format("{}`{}`", i == 0 ? "" : i + 1 == useless.size() ? " and " : ", ", asPattern(useless[i]->name));
  if (useless.size() > shown)
    list += fmt::format(" and {} more", useless.size() - shown);
  bool one = useless.size() == 1;
  Diagnostic &d = el.error(Code::H0317, useless[0]->use, fmt::format("the loss does not depend on the parameter{} {}",
                                                                     one ? "" : "s", list));
  for (const Elaborator::Weight *parameter : useless)
    if (!(parameter->span == useless[0]->use))
      d.label(parameter->span, "");
  d.note(one ? "it would be kept in memory and in every checkpoint, and never change"
             : "they would be kept in memory and in every checkpoint, and never change");
  d.help(one ? "use it, remove it, or mark it: `frozen param`" : "use them, remove them, or mark them: `frozen param`");
}

} // namespace heddle
