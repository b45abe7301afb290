// Gradients against finite differences, in double precision by the interpreter: every differentiable op, every shape.
//
// The loss is the sum of each result times weights that are inputs too, so that every entry of the Jacobian takes part.
// Central differences with a step of 1e-6 err by about 1e-10 for values near 1; a gradient must agree within 1e-5 and
// 1e-3 of its size.
#include "passes/graph/DeriveBackward.h"
#include "passes/graph/Gradients.h"
#include "tests/numeric/Graph.h"
#include "tests/numeric/OpTable.h"
#include "mlir/IR/Verifier.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

namespace {
constexpr double kStep = 1e-6, kRelative = 1e-3, kAbsolute = 1e-5;
using Arrays = std::map<std::string, Array>;

// Gives every argument its name, adds the weights, and returns the loss alone. False if no result is a float.
bool addLoss(func::FuncOp entry, Arrays &inputs, const std::string &salt) {
  Operation *end = entry.getBody().front().getTerminator();
  OpBuilder builder(end);
  Location loc = entry.getLoc();
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    entry.setArgAttr(i, kNameAttr, builder.getStringAttr("arg" + Twine(i)));
  Tensor scalar = Tensor::get({}, {}, builder.getF32Type());
  mlir::Value loss;
  for (auto [i, result] : llvm::enumerate(llvm::to_vector(end->getOperands()))) {
    auto type = cast<Tensor>(result.getType());
    if (!type.isFloat()) continue;
    std::string name = "weight" + std::to_string(i);
    unsigned position = entry.getNumArguments();
    if (failed(entry.insertArgument(
            position, type, builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(name))),
            loc)))
      return false;
    Array weights(type);
    Array random = randomArray({"f[n=" + std::to_string(weights.elements.size()) + "]", -1, 1}, salt + name);
    weights.elements = random.elements;
    inputs.insert({name, weights});
    mlir::Value product = MulOp::create(builder, loc, type, result, entry.getArgument(position));
    mlir::Value sum = product;
    if (type.getRank()) {
      SmallVector<StringRef> over;
      for (StringAttr dim : type.getNames()) over.push_back(dim.getValue());
      sum = ReduceOp::create(builder, loc, scalar, "sum", product, builder.getStrArrayAttr(over));
    }
    loss = loss ? AddOp::create(builder, loc, scalar, loss, sum) : sum;
  }
  if (!loss) return false;
  end->setOperands(loss);
  entry.setFunctionType(builder.getFunctionType(entry.getFunctionType().getInputs(), {scalar}));
  entry.setResAttrsAttr(builder.getArrayAttr({builder.getDictionaryAttr(
      builder.getNamedAttr(kNameAttr, builder.getStringAttr("loss.test")))}));
  return true;
}

double lossOf(func::FuncOp entry, const Arrays &inputs) {
  return llvm::cantFail(interpret(entry, inputs)).results.at("loss.test").elements[0];
}

// Compares all gradients of a case; the number of elements compared.
size_t check(const Case &tested) {
  SCOPED_TRACE(tested.name);
  OwningOpRef<ModuleOp> module = parseGraph(tested.text);
  Arrays inputs = inputsOf(tested);
  bool floats = llvm::any_of(tested.inputs, [](const Array &input) { return input.type.isFloat(); });
  if (!floats || !addLoss(entryOf(*module), inputs, tested.name)) return 0;
  OwningOpRef<ModuleOp> forward(module->clone());
  func::FuncOp entry = entryOf(*module);
  OpBuilder builder(entry);
  entry->setAttr(kMinimiseAttr, builder.getStringAttr("test"));
  entry->setAttr(kInputGradientsAttr, builder.getUnitAttr());
  if (failed(deriveBackward(entry)) || failed(verify(*module))) {
    ADD_FAILURE() << "no gradient";
    return 0;
  }
  auto outcome = interpret(entry, inputs);
  if (!outcome) {
    ADD_FAILURE() << llvm::toString(outcome.takeError());
    return 0;
  }
  size_t compared = 0;
  for (auto &[name, input] : inputs) {
    if (!input.type.isFloat()) continue;
    auto found = outcome->results.find("grad." + name);
    if (found == outcome->results.end()) {
      ADD_FAILURE() << "no grad." << name;
      continue;
    }
    Array gradient = reordered(found->second, input.type);
    for (size_t i = 0; i < input.elements.size(); ++i, ++compared) {
      double x = input.elements[i];
      input.elements[i] = x + kStep;
      double above = lossOf(entryOf(*forward), inputs);
      input.elements[i] = x - kStep;
      double below = lossOf(entryOf(*forward), inputs);
      input.elements[i] = x;
      double difference = (above - below) / (2 * kStep);
      EXPECT_NEAR(gradient.elements[i], difference, kAbsolute + kRelative * std::fabs(difference))
          << "d loss / d " << name << "[" << i << "]";
    }
  }
  return compared;
}

class FiniteDifferences : public testing::TestWithParam<OpRow> {};
}  // namespace

TEST_P(FiniteDifferences, Agree) {
  std::set<std::pair<int64_t, int64_t>> shapes;
  for (Shape shape : kShapes) {
    std::vector<Case> cases;
    GetParam().cases(shape, cases);
    for (const Case &tested : cases)
      if (tested.derivable && check(tested)) shapes.insert({shape.a, shape.b});
  }
  EXPECT_GE(shapes.size(), 6u) << "at least six shapes with a gradient are needed";
}

static std::vector<OpRow> differentiable() {
  std::vector<OpRow> rows;
  for (const OpRow &row : opTable())
    if (row.differentiable) rows.push_back(row);
  return rows;
}
INSTANTIATE_TEST_SUITE_P(Op, FiniteDifferences, testing::ValuesIn(differentiable()),
                         [](const testing::TestParamInfo<OpRow> &row) { return row.param.op; });

TEST(GradientTable, SaysTheSameAsTheTableOfOps) {
  for (const OpRow &row : opTable()) {
    if (row.op == "repeat") continue;  // differentiated by the walk itself
    std::vector<Case> cases = casesOf(row);
    auto module = parseGraph(cases.front().text);
    module->walk([&](Operation *op) {
      if (op->getName().getStringRef() != "heddle." + row.op) return;
      EXPECT_EQ(gradientRow(op), row.differentiable ? GradientRow::Present : GradientRow::Zero) << row.op;
    });
  }
}

// Where mathematics leaves a choice (docs/language.md), finite differences say nothing.
static std::vector<double> gradientOf(const std::string &text, const Array &x) {
  auto module = parseGraph(text);
  func::FuncOp entry = entryOf(*module);
  OpBuilder builder(entry);
  entry.setArgAttr(0, kNameAttr, builder.getStringAttr("x"));
  entry.setResultAttr(0, kNameAttr, builder.getStringAttr("loss.test"));
  entry->setAttr(kMinimiseAttr, builder.getStringAttr("test"));
  entry->setAttr(kInputGradientsAttr, builder.getUnitAttr());
  if (failed(deriveBackward(entry))) return {};
  return llvm::cantFail(interpret(entry, {{"x", x}})).results.at("grad.x").elements;
}

TEST(Gradients, OfASoftmaxRowOfMinusInfinityIsZero) {
  const double inf = INFINITY;
  EXPECT_EQ(gradientOf(R"(
    func.func @f(%x: !f[B=3]) -> !f[] {
      %p = heddle.softmax %x over "B" : (!f[B=3]) -> !f[B=3]
      %q = heddle.mul %p, %p : (!f[B=3], !f[B=3]) -> !f[B=3]
      %s = heddle.reduce "sum" %q over ["B"] : (!f[B=3]) -> !f[]
      return %s : !f[]
    })", array("f[B=3]", {-inf, -inf, -inf})), (std::vector<double>{0, 0, 0}));
}
TEST(Gradients, OfTheSideNotTakenIsZeroWhateverStandsThere) {
  EXPECT_EQ(gradientOf(R"(
    func.func @f(%x: !f[B=3]) -> !f[] {
      %zero = heddle.constant 0.0 : !f[]
      %open = heddle.compare "gt" %x, %zero : (!f[B=3], !f[]) -> !b[B=3]
      %log = heddle.log %x : (!f[B=3]) -> !f[B=3]
      %root = heddle.sqrt %log : (!f[B=3]) -> !f[B=3]
      %w = heddle.select %open, %root, %zero : (!b[B=3], !f[B=3], !f[]) -> !f[B=3]
      %s = heddle.reduce "sum" %w over ["B"] : (!f[B=3]) -> !f[]
      return %s : !f[]
    })", array("f[B=3]", {-1, 0, M_E})), (std::vector<double>{0, 0, 1 / (2 * M_E)}));
}
TEST(Gradients, OfARowNotTakenIsZeroWhateverStandsThere) {
  // Rows of NaN and inf: their losses are not chosen, and neither are their sums.
  EXPECT_EQ(gradientOf(R"(
    func.func @f(%x: !f[B=3, V=2]) -> !f[] {
      %zero = heddle.constant 0.0 : !f[]
      %two = heddle.constant 2 : !i[]
      %b = heddle.position : !i[B=3]
      %open = heddle.compare "eq" %b, %two : (!i[B=3], !i[]) -> !b[B=3]
      %t = heddle.constant 0 : !i[]
      %l = heddle.log %x : (!f[B=3, V=2]) -> !f[B=3, V=2]
      %e = heddle.cross_entropy %l, %t over "V" : (!f[B=3, V=2], !i[]) -> !f[B=3]
      %r = heddle.reduce "sum" %l over ["V"] : (!f[B=3, V=2]) -> !f[B=3]
      %y = heddle.add %e, %r : (!f[B=3], !f[B=3]) -> !f[B=3]
      %w = heddle.select %open, %y, %zero : (!b[B=3], !f[B=3], !f[]) -> !f[B=3]
      %s = heddle.reduce "sum" %w over ["B"] : (!f[B=3]) -> !f[]
      return %s : !f[]
    })", array("f[B=3, V=2]", {-1, 0, INFINITY, NAN, 1, 1})), (std::vector<double>{0, 0, 0, 0, 0.5, 1.5}));
}
// The gradient of sum(op(x)) where op is not differentiable, for the operands' own x.
static std::vector<double> atKink(const std::string &op, std::vector<double> x) {
  return gradientOf("func.func @f(%x: !f[B=3]) -> !f[] {\n" + op + R"(
      %s = heddle.reduce "sum" %y over ["B"] : (!f[B=3]) -> !f[]
      return %s : !f[]
    })", array("f[B=3]", std::move(x)));
}
TEST(Gradients, AtKinksAreTheConventions) {
  using Numbers = std::vector<double>;
  // max(x, 0) is relu: at 0 the constant's side is taken, and of min(x, 0) too.
  for (const char *op : {"max", "min"})
    EXPECT_EQ(atKink("%c = heddle.constant 0.0 : !f[]\n%y = heddle." + std::string(op) +
                         " %x, %c : (!f[B=3], !f[]) -> !f[B=3]",
                     {0, -1, 2}),
              (std::string(op) == "max" ? Numbers{0, 0, 1} : Numbers{0, 1, 0}));
  EXPECT_EQ(atKink("%y = heddle.abs %x : (!f[B=3]) -> !f[B=3]", {0, -1, 2}), (Numbers{0, -1, 1}));
  for (auto [power, slope] : {std::pair("0.0", 0.0), {"1.0", 1.0}, {"2.0", 0.0}})
    EXPECT_EQ(atKink("%c = heddle.constant " + std::string(power) + " : !f[]\n%y = heddle.pow %x, %c : (!f[B=3], !f[]) -> !f[B=3]",
                     {0, 0, 0}),
              (Numbers{slope, slope, slope}))
        << "x^" << power;
  EXPECT_EQ(atKink("%c = heddle.constant 0.0 : !f[]\n%y = heddle.pow %c, %x : (!f[], !f[B=3]) -> !f[B=3]", {0, 1, 2}),
            (Numbers{0, 0, 0}));
  // Equals share: the largest of (2, 1, 2), and the smallest of (1, 2, 1).
  for (auto [kind, x, shares] : {std::tuple("max", Numbers{2, 1, 2}, Numbers{0.5, 0, 0.5}), {"min", {1, 1, 2}, {0.5, 0.5, 0}}})
    EXPECT_EQ(gradientOf("func.func @f(%x: !f[B=3]) -> !f[] {\n%y = heddle.reduce \"" + std::string(kind) +
                             "\" %x over [\"B\"] : (!f[B=3]) -> !f[]\nreturn %y : !f[]\n}",
                         array("f[B=3]", x)),
              shares)
        << kind;
}
TEST(Gradients, StopAtStopGrad) {
  EXPECT_EQ(gradientOf(R"(
    func.func @f(%x: !f[B=2]) -> !f[] {
      %c = heddle.stop_grad %x : (!f[B=2]) -> !f[B=2]
      %p = heddle.mul %x, %c : (!f[B=2], !f[B=2]) -> !f[B=2]
      %s = heddle.reduce "sum" %p over ["B"] : (!f[B=2]) -> !f[]
      return %s : !f[]
    })", array("f[B=2]", {2, 3})), (std::vector<double>{2, 3}));
}
