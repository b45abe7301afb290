// Multiplies in the graph itself: the noise is an input of the entry.
#include "tests/attention/RoundingFloor.h"
#include "passes/graph/GraphBuilder.h"
#include "tests/random/Program.h"
#include <cfloat>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace heddle;

namespace {
class Noise {
public:
  Noise(func::FuncOp entry, double size) : entry(entry), size(size) {}

  /// An input with elements `center` + or - the noise's size.
  Value input(Tensor type, double center) {
    unsigned number = entry.getNumArguments();
    std::string name = "noise." + std::to_string(number);
    Builder builder(entry.getContext());
    auto named = builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)));
    if (failed(entry.insertArgument(number, type, named, entry.getLoc()))) return {};
    given.push_back({name, type, center});
    return entry.getArgument(number);
  }
  void draw(int64_t seed, Arrays &inputs) const {
    for (const Given &each : given) {
      Random random(seed, each.name);
      Array array(each.type);
      for (double &element : array.elements) element = each.center + (random.chance(0.5) ? size : -size);
      inputs.insert({each.name, array});
    }
  }

private:
  struct Given {
    std::string name;
    Tensor type;
    double center;
  };
  func::FuncOp entry;
  double size;
  std::vector<Given> given;
};

void disturb(Operation *op, Noise &noise) {
  OpBuilder builder(op);
  GraphBuilder b(builder, op->getLoc());
  // The backward's last inputs: gradient, dot product, and the row's two numbers.
  bool backward = isa<AttentionBackwardOp>(op);
  unsigned dot = backward ? op->getNumOperands() - 3 : op->getNumOperands();
  SmallVector<Value> operands(op->getOperands());
  auto magnitude = [&](Value x) { return AbsOp::create(builder, op->getLoc(), x.getType(), x).getResult(); };
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!tensorOf(operand).isFloat()) continue;
    if (i != dot) {
      op->setOperand(i, b.as(b.mul(operand, noise.input(tensorOf(operand), 1)), tensorOf(operand)));
      continue;
    }
    // It is the sum of a product, of the gradient with the forward's result.
    Value product = operand;
    while (product && !isa_and_present<MulOp, ContractOp>(product.getDefiningOp()))
      product = product.getDefiningOp() ? product.getDefiningOp()->getOperand(0) : Value();
    if (!product) continue;
    Operation *times = product.getDefiningOp();
    Value all = b.as(b.mul(magnitude(times->getOperand(0)), magnitude(times->getOperand(1))), tensorOf(operand));
    op->setOperand(i, b.add(operand, b.mul(all, noise.input(tensorOf(operand), 0))));
  }
}
}  // namespace

llvm::Expected<std::map<std::string, double>> heddle::roundingFloors(ModuleOp grad, const Values &values,
                                                                     const Arrays &exact,
                                                                     const AttentionShape &shape) {
  OwningOpRef<ModuleOp> copy = grad.clone();
  func::FuncOp entry = entriesOf(*copy).front();
  Noise noise(entry, kDeviations * std::sqrt(double(std::max({shape.t, shape.s, shape.k}))) * kSingleUnit);
  SmallVector<Operation *> ops;
  entry.walk([&](Operation *op) {
    if (isa<AttentionOp, AttentionBackwardOp>(op)) ops.push_back(op);
  });
  for (Operation *op : ops) disturb(op, noise);
  // The same without noise is another way round of exact maths. What it leaves out or adds must not pass for noise.
  auto same = interpret(entriesOf(grad).front(), values.inputs, values.variables);
  if (!same) return same.takeError();
  std::map<std::string, double> changes;
  int64_t least = 16;
  for (auto &[name, want] : exact)
    if (!isLoss(name)) changes[name] = 0, least = std::min(least, want.type.getNumElements());
  for (int64_t draw = 0; draw * least < 16; ++draw) {
    Arrays inputs = values.inputs;
    noise.draw(draw, inputs);
    auto got = interpret(entry, inputs, values.variables);
    if (!got) return got.takeError();
    for (auto &[name, change] : changes)
      change = std::max(change, distance(same->results.at(name), got->results.at(name)));
  }
  std::map<std::string, double> floors;
  for (auto &[name, change] : changes) {
    floors[name] = change + kSingleUnit * largestOf(exact.at(name)) + FLT_MIN;
    // Rounding to double is 2^-29 of rounding to single.
    double wrong = distance(exact.at(name), same->results.at(name));
    if (!(wrong <= floors[name] * 0x1p-20))
      return llvm::createStringError("the graph with fused attention has another %s: it differs by %g", name.c_str(), wrong);
  }
  return floors;
}

bool heddle::isLoss(StringRef name) { return name.starts_with("loss"); }

double heddle::distance(const Array &x, const Array &y) {
  Array other = reordered(y, x.type);
  double most = 0;
  for (size_t i = 0; i < x.elements.size(); ++i) {
    double difference = std::fabs(x.elements[i] - other.elements[i]);
    if (!(difference <= std::numeric_limits<double>::max())) return std::numeric_limits<double>::infinity();
    most = std::max(most, difference);
  }
  return most;
}

double heddle::largestOf(const Array &x) {
  double most = 0;
  for (double element : x.elements) most = std::max(most, std::fabs(element));
  return most;
}
