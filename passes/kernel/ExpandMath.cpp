// Transcendental functions become calls to functions of lanes: private functions in front of the kernels, one for each
// function and type that is used, with the arithmetic of MathFunctions.h as body. Both back ends inline them, and the
// emitted C++ still says `exp` where the model does.
#include "passes/Passes.h"
#include "passes/kernel/MathFunctions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace heddle {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/Passes.h.inc"
}  // namespace heddle

using namespace mlir;
using namespace heddle;
using lanes::F;

static lanes::F powWrapper(F x, F y) { return lanes::pow(x, y); }

namespace {
struct Function {
  StringRef op, name;
  F (*unary)(F);
  F (*binary)(F, F) = nullptr;
};
}  // namespace

static const Function kFunctions[] = {
    {"math.exp", "exp", lanes::exp},       {"math.expm1", "expm1", lanes::expm1}, {"math.log", "log", lanes::log},
    {"math.log1p", "log1p", lanes::log1p}, {"math.sin", "sin", lanes::sin},       {"math.cos", "cos", lanes::cos},
    {"math.tanh", "tanh", lanes::tanh},    {"math.erf", "erf", lanes::erf},
    {"math.powf", "pow", nullptr, powWrapper},
};

static func::FuncOp functionFor(const Function &function, Type type, ModuleOp module) {
  std::string name = (function.name + (isa<VectorType>(type) ? "_f32" : "_f32_scalar")).str();
  if (auto made = module.lookupSymbol<func::FuncOp>(name)) return made;
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  Location loc = builder.getUnknownLoc();
  SmallVector<Type> inputs(function.binary ? 2 : 1, type);
  auto made = func::FuncOp::create(builder, loc, name, builder.getFunctionType(inputs, {type}));
  made.setPrivate();
  Block *body = made.addEntryBlock();
  builder.setInsertionPointToStart(body);
  lanes::Place place{builder, loc, type};
  auto arg = [&](unsigned i) { return F{{&place, body->getArgument(i)}}; };
  F result = function.binary ? function.binary(arg(0), arg(1)) : function.unary(arg(0));
  func::ReturnOp::create(builder, loc, result.value);
  return made;
}

namespace {
struct ExpandMath : heddle::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    SmallVector<std::pair<Operation *, const Function *>> work;
    getOperation().walk([&](Operation *op) {
      for (const Function &function : kFunctions)
        if (op->getName().getStringRef() == function.op) work.push_back({op, &function});
    });
    for (auto [op, function] : work) {
      func::FuncOp callee = functionFor(*function, op->getResult(0).getType(), getOperation());
      OpBuilder builder(op);
      auto call = func::CallOp::create(builder, op->getLoc(), callee, op->getOperands());
      op->replaceAllUsesWith(call);
      op->erase();
    }
  }
};
}  // namespace
