// One row per op. Rows may use any value of the forward graph, results included; which of these are saved for backward
// and which are computed again is decided afterwards (SavedValues). So a row prefers what is cheap to have: an
// elementwise result of something that is kept anyway, a mean taken again from x, never a mask.
//
// Conventions where mathematics leaves a choice, as in PyTorch unless language.md says otherwise: max(x, y) is
// x > y ? x : y and so is its gradient; |x| has gradient 0 at 0; reduce max and min share the gradient evenly among
// equals; of x % y the whole quotient counts as constant; 0^y and x^0 have finite gradients.
#include "passes/graph/Gradients.h"
#include "passes/graph/Norms.h"

#include <cmath>
#include <functional>

using namespace mlir;
using namespace heddle;

Value OpGradient::unlessMasked(Value value) {
  if (!masked) return value;
  return b.select(b.compare("ne", g, b.number(0)), value, b.number(0));
}
Value OpGradient::times(Value factor) {
  Value product = b.mul(g, factor);
  auto constant = factor.getDefiningOp<ConstantOp>();
  if (constant && cast<FloatAttr>(constant.getValue()).getValue().isFinite()) return product;
  return unlessMasked(product);
}

namespace {
struct Table {
  llvm::StringMap<std::function<void(OpGradient &, Operation *)>> rows;  // an empty function: zero
  template <typename Op, typename F>
  void row(F f) {
    rows[Op::getOperationName()] = [f](OpGradient &d, Operation *op) { f(d, cast<Op>(op)); };
  }
  template <typename... Ops>
  void zero() {
    ((rows[Ops::getOperationName()] = nullptr), ...);
  }
};
}  // namespace

static void addArithmetic(Table &table) {
  table.row<AddOp>([](OpGradient &d, AddOp op) {
    d.give(op.getX(), [&] { return d.g; });
    d.give(op.getY(), [&] { return d.g; });
  });
  table.row<SubOp>([](OpGradient &d, SubOp op) {
    d.give(op.getX(), [&] { return d.g; });
    d.give(op.getY(), [&] { return d.b.neg(d.g); });
  });
  table.row<MulOp>([](OpGradient &d, MulOp op) {
    d.give(op.getX(), [&] { return d.times(op.getY()); });
    d.give(op.getY(), [&] { return d.times(op.getX()); });
  });
  table.row<DivOp>([](OpGradient &d, DivOp op) {
    d.give(op.getX(), [&] { return d.unlessMasked(d.b.div(d.g, op.getY())); });
    d.give(op.getY(), [&] { return d.unlessMasked(d.b.neg(d.b.mul(d.b.div(d.g, op.getY()), op.getResult()))); });
  });
  // d/dy (x - y * floor(x / y)) = -floor(x / y)
  table.row<ModOp>([](OpGradient &d, ModOp op) {
    d.give(op.getX(), [&] { return d.g; });
    d.give(op.getY(), [&] { return d.b.neg(d.times(d.b.floordiv(op.getX(), op.getY()))); });
  });
  // d/dx x^y = y * x^(y-1), 0 for y = 0;  d/dy x^y = x^y * log(x), 0 for x = 0 and y >= 0
  table.row<PowOp>([](OpGradient &d, PowOp op) {
    GraphBuilder &b = d.b;
    Value x = op.getX(), y = op.getY();
    d.give(x, [&] {
      Value slope = b.mul(y, b.pow(x, b.sub(y, b.number(1))));
      return d.times(b.select(b.compare("eq", y, b.number(0)), b.number(0), slope));
    });
    d.give(y, [&] {
      Value flat = b.logicalAnd(b.compare("eq", x, b.number(0)), b.compare("ge", y, b.number(0)));
      return d.times(b.select(flat, b.number(0), b.mul(op.getResult(), b.log(x))));
    });
  });
  auto extreme = [](OpGradient &d, StringRef predicate, Value x, Value y) {
    auto takesX = [&] { return d.b.compare(predicate, x, y); };
    d.give(x, [&] { return d.b.select(takesX(), d.g, d.b.number(0)); });
    d.give(y, [&] { return d.b.select(takesX(), d.b.number(0), d.g); });
  };
  table.row<MinOp>([=](OpGradient &d, MinOp op) { extreme(d, "lt", op.getX(), op.getY()); });
  table.row<MaxOp>([=](OpGradient &d, MaxOp op) { extreme(d, "gt", op.getX(), op.getY()); });
  table.row<SelectOp>([](OpGradient &d, SelectOp op) {
    d.give(op.getX(), [&] { return d.b.select(op.getCondition(), d.g, d.b.number(0)); });
    d.give(op.getY(), [&] { return d.b.select(op.getCondition(), d.b.number(0), d.g); });
  });
  table.row<NegOp>([](OpGradient &d, NegOp op) { d.give(op.getX(), [&] { return d.b.neg(d.g); }); });
  table.row<AbsOp>([](OpGradient &d, AbsOp op) {
    d.give(op.getX(), [&] {
      Value zero = d.b.number(0);
      Value below = d.b.select(d.b.compare("lt", op.getX(), zero), d.b.neg(d.g), zero);
      return d.b.select(d.b.compare("gt", op.getX(), zero), d.g, below);
    });
  });
  table.row<BroadcastOp>([](OpGradient &d, BroadcastOp op) { d.give(op.getX(), [&] { return d.g; }); });
  table.row<CastOp>([](OpGradient &d, CastOp op) { d.give(op.getX(), [&] { return d.g; }); });
}

// f'(x) of unary functions, from x and y = f(x).
static void addFunctions(Table &table) {
  table.row<ExpOp>([](OpGradient &d, ExpOp op) { d.give(op.getX(), [&] { return d.times(op.getResult()); }); });
  table.row<Expm1Op>([](OpGradient &d, Expm1Op op) {
    d.give(op.getX(), [&] { return d.times(d.b.add(op.getResult(), d.b.number(1))); });
  });
  table.row<LogOp>([](OpGradient &d, LogOp op) {
    d.give(op.getX(), [&] { return d.unlessMasked(d.b.div(d.g, op.getX())); });
  });
  table.row<Log1pOp>([](OpGradient &d, Log1pOp op) {
    d.give(op.getX(), [&] { return d.unlessMasked(d.b.div(d.g, d.b.add(op.getX(), d.b.number(1)))); });
  });
  table.row<SqrtOp>([](OpGradient &d, SqrtOp op) {
    d.give(op.getX(), [&] { return d.unlessMasked(d.b.div(d.b.mul(d.g, d.b.number(0.5)), op.getResult())); });
  });
  // -x^(-3/2) / 2
  table.row<RsqrtOp>([](OpGradient &d, RsqrtOp op) {
    d.give(op.getX(), [&] {
      Value y = op.getResult();
      return d.times(d.b.mul(d.b.mul(d.b.number(-0.5), y), d.b.mul(y, y)));
    });
  });
  table.row<SinOp>([](OpGradient &d, SinOp op) { d.give(op.getX(), [&] { return d.times(d.b.cos(op.getX())); }); });
  table.row<CosOp>([](OpGradient &d, CosOp op) {
    d.give(op.getX(), [&] { return d.b.neg(d.times(d.b.sin(op.getX()))); });
  });
  table.row<TanhOp>([](OpGradient &d, TanhOp op) {
    d.give(op.getX(), [&] { return d.times(d.b.sub(d.b.number(1), d.b.mul(op.getResult(), op.getResult()))); });
  });
  table.row<SigmoidOp>([](OpGradient &d, SigmoidOp op) {
    d.give(op.getX(), [&] { return d.times(d.b.mul(op.getResult(), d.b.sub(d.b.number(1), op.getResult()))); });
  });
  // 2/sqrt(pi) * exp(-x^2)
  table.row<ErfOp>([](OpGradient &d, ErfOp op) {
    d.give(op.getX(), [&] {
      Value bell = d.b.exp(d.b.neg(d.b.mul(op.getX(), op.getX())));
      return d.times(d.b.mul(d.b.number(2 / std::sqrt(M_PI)), bell));
    });
  });
}

static void addAlongAxes(Table &table) {
  // The gradient of either operand is a contraction over the dims that only the other one has.
  table.row<ContractOp>([](OpGradient &d, ContractOp op) {
    auto gradient = [&](Value operand, Value other) {
      d.give(operand, [&] {
        SmallVector<StringAttr> over;
        for (StringAttr name : tensorOf(other).getNames())
          if (!tensorOf(operand).has(name)) over.push_back(name);
        return d.b.contract(d.g, other, over, tensorOf(operand));
      });
    };
    gradient(op.getX(), op.getY());
    gradient(op.getY(), op.getX());
  });
  table.row<ReduceOp>([](OpGradient &d, ReduceOp op) {
    d.give(op.getX(), [&]() -> Value {
      GraphBuilder &b = d.b;
      if (op.getKind() == "sum") return d.g;
      SmallVector<StringAttr> over(op.getOver().getAsRange<StringAttr>());
      Value isBest = b.compare("eq", op.getX(), op.getResult());
      Value equals = b.sum(b.cast(isBest, b.builder.getF32Type()), over);
      return b.select(isBest, b.div(d.g, equals), b.number(0));
    });
  });
  // y * (g - sum(g * y)); a row of -inf has y = 0 and so no gradient.
  table.row<SoftmaxOp>([](OpGradient &d, SoftmaxOp op) {
    d.give(op.getX(), [&] {
      Value y = op.getResult();
      return d.b.mul(y, d.b.sub(d.g, d.b.sum(d.b.mul(d.g, y), op.getOverAttr())));
    });
  });
  // g - exp(y) * sum(g)
  table.row<LogSoftmaxOp>([](OpGradient &d, LogSoftmaxOp op) {
    d.give(op.getX(), [&] {
      return d.b.sub(d.g, d.b.mul(d.b.exp(op.getResult()), d.b.sum(d.g, op.getOverAttr())));
    });
  });
  // With n = (x - mean) * rstd: rstd * (g - mean(g) - n * mean(g * n)). Mean and rstd are taken again from x.
  table.row<LayerNormOp>([](OpGradient &d, LayerNormOp op) {
    d.give(op.getX(), [&] {
      GraphBuilder &b = d.b;
      StringAttr over = op.getOverAttr();
      LayerNormTerms terms = layerNormTerms(b, op.getX(), over, op.getEps().convertToDouble());
      Value n = b.mul(terms.centred, terms.rstd);
      Value centred = b.sub(d.g, b.mean(d.g, over));
      return b.mul(b.sub(centred, b.mul(n, b.mean(b.mul(d.g, n), over))), terms.rstd);
    });
  });
  // With r = 1 / sqrt(mean(x^2) + eps) and n = x * r: r * (g - n * mean(g * n)).
  table.row<RmsNormOp>([](OpGradient &d, RmsNormOp op) {
    d.give(op.getX(), [&] {
      GraphBuilder &b = d.b;
      StringAttr over = op.getOverAttr();
      Value r = rootMeanSquareInverse(b, op.getX(), over, op.getEps().convertToDouble());
      Value n = b.mul(op.getX(), r);
      return b.mul(b.sub(d.g, b.mul(n, b.mean(b.mul(d.g, n), over))), r);
    });
  });
  // (softmax(logits) - onehot(target)) * g
  table.row<CrossEntropyOp>([](OpGradient &d, CrossEntropyOp op) {
    d.give(op.getLogits(), [&] {
      GraphBuilder &b = d.b;
      Tensor type = tensorOf(op.getLogits());
      StringAttr over = op.getOverAttr();
      Value p = SoftmaxOp::create(b.builder, b.loc, type, op.getLogits(), over);
      Value isTarget = b.compare("eq", op.getTarget(), b.position(over, type.sizeOf(over)));
      return d.times(b.select(isTarget, b.sub(p, b.number(1)), p));
    });
  });
}

static void addIndexing(Table &table) {
  table.row<GatherOp>([](OpGradient &d, GatherOp op) {
    d.give(op.getX(), [&] {
      return ScatterAddOp::create(d.b.builder, d.b.loc, tensorOf(op.getX()), d.g, op.getIndex(), op.getAxis());
    });
  });
  table.row<ScatterAddOp>([](OpGradient &d, ScatterAddOp op) {
    d.give(op.getUpdates(), [&] {
      return GatherOp::create(d.b.builder, d.b.loc, tensorOf(op.getUpdates()), d.g, op.getIndex(), op.getAxis());
    });
  });
  table.row<RenameOp>([](OpGradient &d, RenameOp op) {
    d.give(op.getX(), [&] {
      return RenameOp::create(d.b.builder, d.b.loc, tensorOf(op.getX()), d.g, op.getTo(), op.getFrom());
    });
  });
  table.row<RegroupOp>([](OpGradient &d, RegroupOp op) {
    d.give(op.getX(), [&] {
      return RegroupOp::create(d.b.builder, d.b.loc, tensorOf(op.getX()), d.g, op.getTo(), op.getFrom());
    });
  });
  // Each piece's gradient is a slice.
  table.row<ConcatOp>([](OpGradient &d, ConcatOp op) {
    int32_t first = 0;
    for (auto [piece, name] : llvm::zip(op.getPieces(), op.getOver().getAsRange<StringAttr>())) {
      Tensor type = tensorOf(piece);
      int64_t size = name.getValue().empty() ? 1 : type.sizeOf(name);
      d.give(piece, [&]() -> Value {
        Value index = d.b.integer(first);
        if (!name.getValue().empty()) index = d.b.add(d.b.position(name, size), index);
        return GatherOp::create(d.b.builder, d.b.loc, type, d.g, index, op.getTo());
      });
      first += size;
    }
  });
}

static const Table &theTable() {
  static const Table table = [] {
    Table table;
    addArithmetic(table);
    addFunctions(table);
    addAlongAxes(table);
    addIndexing(table);
    table.zero<StopGradOp, FloorOp, FloorDivOp, CompareOp, NotOp, AndOp, OrOp, ArgmaxOp, ConstantOp, PositionOp,
               BernoulliOp, ReadOp>();
    return table;
  }();
  return table;
}

GradientRow heddle::gradientRow(Operation *op) {
  auto it = theTable().rows.find(op->getName().getStringRef());
  if (it == theTable().rows.end()) return GradientRow::Missing;
  return it->second ? GradientRow::Present : GradientRow::Zero;
}
void heddle::applyGradientRow(OpGradient &gradient) {
  theTable().rows.find(gradient.op->getName().getStringRef())->second(gradient, gradient.op);
}
