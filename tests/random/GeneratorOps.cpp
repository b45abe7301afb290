// One op, or a few that belong together, from values of the pool; and the ranges of what comes out.
#include "tests/random/Generator.h"
#include <cmath>

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- ops with ranges
Value Generator::make(StringRef op, Tensor type, ArrayRef<Value> operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(builder.getUnknownLoc(), ("heddle." + op).str(), operands, TypeRange{type}, attributes);
  --budget;
  return builder.create(state)->getResult(0);
}
Item Generator::number(double value) {
  Value made = ConstantOp::create(builder, builder.getUnknownLoc(), type({}, 'f'), value);
  return {made, value, value};
}
Item Generator::integer(int64_t value) {
  Value made = ConstantOp::create(builder, builder.getUnknownLoc(), type({}, 'i'), double(value));
  return {made, double(value), double(value)};
}

// The dims of all, each once; none where there are too many elements.
std::optional<Tensor> Generator::united(ArrayRef<Item> items, char letter) {
  Tensor all = allDims(items, letter);
  if (all.getNumElements() > options.mostElements || all.getRank() > 5) return std::nullopt;
  return all;
}
Tensor Generator::allDims(ArrayRef<Item> items, char letter) {
  Names names;
  for (const Item &item : items)
    for (StringAttr name : item.type().getNames())
      if (!llvm::is_contained(names, name.str())) names.push_back(name.str());
  return type(names, letter);
}

static double at(StringRef op, double x) {
  if (op == "exp") return std::exp(x);
  if (op == "expm1") return std::expm1(x);
  if (op == "log") return std::log(x);
  if (op == "log1p") return std::log1p(x);
  if (op == "sqrt") return std::sqrt(x);
  if (op == "tanh") return std::tanh(x);
  if (op == "sigmoid") return 1 / (1 + std::exp(-x));
  if (op == "erf") return std::erf(x);
  if (op == "floor") return std::floor(x);
  return x;
}
Item Generator::unary(StringRef op, const Item &x) {
  Tensor type = shuffled(x.type());
  Item made{make(op, type, {x.value}), at(op, x.low), at(op, x.high), x.active, x.mayBeInf};
  if (op == "neg") made.low = -x.high, made.high = -x.low;
  if (op == "abs") made.low = x.low > 0 ? x.low : x.high < 0 ? -x.high : 0, made.high = x.size();
  if (op == "sin" || op == "cos") made.low = -1, made.high = 1;
  if (op == "rsqrt") made.low = 1 / std::sqrt(x.high), made.high = 1 / std::sqrt(x.low);
  if (op == "not") made.low = 0, made.high = 1;
  if (op == "stop_grad" || op == "floor" || op == "not") made.active = false;
  if (op == "exp") made.mayBeInf = false;
  return made;
}
Item Generator::binary(StringRef op, const Item &x, const Item &y) {
  char letter = x.type().isFloat() ? 'f' : x.type().isInt() ? 'i' : 'b';
  Item made{make(op, shuffled(allDims({x, y}, letter)), {x.value, y.value}), 0, 1, x.active || y.active};
  double corners[4] = {0, 0, 1, 1};
  if (op == "add") corners[0] = corners[1] = x.low + y.low, corners[2] = corners[3] = x.high + y.high;
  if (op == "sub") corners[0] = corners[1] = x.low - y.high, corners[2] = corners[3] = x.high - y.low;
  if (op == "min") corners[0] = corners[1] = std::min(x.low, y.low), corners[2] = corners[3] = std::min(x.high, y.high);
  if (op == "max") corners[0] = corners[1] = std::max(x.low, y.low), corners[2] = corners[3] = std::max(x.high, y.high);
  int i = 0;
  for (double a : {x.low, x.high})
    for (double b : {y.low, y.high}) {
      if (op == "mul") corners[i] = a * b;
      if (op == "div") corners[i] = a / b;
      if (op == "pow") corners[i] = std::pow(a, b);
      if (op == "floordiv") corners[i] = b == 0 ? 0 : std::floor(a / b);
      ++i;
    }
  made.low = *std::min_element(corners, corners + 4), made.high = *std::max_element(corners, corners + 4);
  if (op == "mod") made.low = std::min(y.low, 0.0), made.high = std::max(y.high, 0.0);
  if (op == "mod" && letter == 'i' && y.low > 0) made.high = y.high - 1;
  if (op == "floordiv") made.active = false, made.low = std::min(made.low, 0.0);
  return made;
}
Item Generator::compare(StringRef predicate, const Item &x, const Item &y) {
  auto attribute = builder.getNamedAttr("predicate", builder.getStringAttr(predicate));
  return {make("compare", allDims({x, y}, 'b'), {x.value, y.value}, attribute), 0, 1};
}
Item Generator::select(const Item &condition, const Item &x, const Item &y) {
  char letter = x.type().isFloat() ? 'f' : x.type().isInt() ? 'i' : 'b';
  Tensor type = shuffled(allDims({condition, x, y}, letter));
  return {make("select", type, {condition.value, x.value, y.value}), std::min(x.low, y.low), std::max(x.high, y.high),
          x.active || y.active, x.mayBeInf || y.mayBeInf};
}
Item Generator::cast(const Item &x, char to) {
  Names names;
  for (StringAttr name : x.type().getNames()) names.push_back(name.str());
  bool truncates = x.type().isFloat() && to == 'i';
  return {make("cast", type(names, to), {x.value}), truncates ? std::trunc(x.low) : x.low,
          truncates ? std::trunc(x.high) : x.high, x.active && to == 'f'};
}
static ArrayAttr strings(OpBuilder &builder, const std::vector<std::string> &names) {
  SmallVector<Attribute> attributes;
  for (const std::string &name : names) attributes.push_back(builder.getStringAttr(name));
  return builder.getArrayAttr(attributes);
}
Item Generator::reduce(StringRef kind, const Item &x, Names over) {
  SmallVector<StringAttr> dropped;
  double n = 1;
  for (const std::string &name : over) dropped.push_back(builder.getStringAttr(name)), n *= sizeOf(name);
  NamedAttribute attributes[] = {builder.getNamedAttr("kind", builder.getStringAttr(kind)),
                                 builder.getNamedAttr("over", strings(builder, over))};
  double factor = kind == "sum" ? n : 1;
  return {make("reduce", shuffled(x.type().without(dropped)), {x.value}, attributes), x.low * factor, x.high * factor,
          x.active, x.mayBeInf};
}
Item Generator::alongAxis(StringRef op, const Item &x, const std::string &over) {
  SmallVector<NamedAttribute> attributes{builder.getNamedAttr("over", builder.getStringAttr(over))};
  bool norm = op == "layer_norm" || op == "rms_norm";
  if (norm) attributes.push_back(builder.getNamedAttr("eps", builder.getF64FloatAttr(random.chance(0.5) ? 1e-5 : 1e-2)));
  double n = sizeOf(over);
  Item made{make(op, shuffled(x.type()), {x.value}, attributes), -std::sqrt(n), std::sqrt(n), x.active};
  if (op == "softmax") made.low = 0, made.high = 1;
  if (op == "log_softmax") made.low = x.low - x.high - std::log(n), made.high = 0, made.mayBeInf = x.mayBeInf;
  return made;
}
Item Generator::rename(const Item &x, const std::string &from, const std::string &to) {
  Names names;
  for (StringAttr name : x.type().getNames()) names.push_back(name == from ? to : name.str());
  NamedAttribute attributes[] = {builder.getNamedAttr("from", builder.getStringAttr(from)),
                                 builder.getNamedAttr("to", builder.getStringAttr(to))};
  char letter = x.type().isFloat() ? 'f' : x.type().isInt() ? 'i' : 'b';
  return {make("rename", type(names, letter), {x.value}, attributes), x.low, x.high, x.active, x.mayBeInf};
}

//===------------------------------------------------------------------------------------------------- ranges
// Scaled down where it may be larger than `most`.
Item Generator::tamed(Item x, double most) {
  if (x.size() <= most) return x;
  Item made = binary("mul", x, number(most / x.size()));
  made.low = std::max(made.low, -most), made.high = std::min(made.high, most);
  return made;
}
// Of x's dims, at least `least`.
Item Generator::away(const Item &x, double least) {
  if (x.low >= least) return x;
  int64_t way = random.below(3);
  Item made = way == 0   ? binary("add", unary("abs", x), number(least))
              : way == 1 ? binary("max", x, number(least))
                         : binary("add", binary("mul", x, x), number(least));
  made.low = std::max(made.low, least);  // intervals do not know that a square is positive
  return made;
}
// x in exactly this type, of size `most` at most: summed over what is too much, spread over what lacks.
Item Generator::as(const Item &x, Tensor type, double most) {
  Item made = x;
  Names over;
  for (StringAttr name : x.type().getNames())
    if (!type.has(name)) over.push_back(name.str());
  if (!over.empty()) made = reduce("sum", made, over);
  if (made.size() > most) made = random.chance(0.5) && most >= 1 ? unary("tanh", made) : tamed(made, most);
  if (made.type() != type)
    made = {make("broadcast", type, {made.value}), made.low, made.high, made.active, made.mayBeInf};
  return made;
}

//===------------------------------------------------------------------------------------------------- choosing
std::optional<Item> Generator::pickWith(Pool &pool, char letter, llvm::function_ref<bool(const Item &)> fits) {
  std::vector<size_t> found;
  for (size_t i = 0; i < pool.size(); ++i)
    if (pool[i].type().getElementType() == element(letter) && fits(pool[i])) found.push_back(i);
  if (found.empty()) return std::nullopt;
  // The newer half more often: programs become deep, and little is left unused.
  size_t from = random.chance(0.6) ? found.size() / 2 : 0;
  return pool[found[from + random.below(found.size() - from)]];
}
std::optional<Item> Generator::pick(Pool &pool, char letter, bool infinite) {
  return pickWith(pool, letter, [&](const Item &item) { return infinite || !item.mayBeInf; });
}
std::string Generator::someDimOf(Tensor type) { return type.getNames()[random.below(type.getRank())].str(); }

// Whole numbers in [0, size) without a certain dim.
std::optional<Item> Generator::index(Pool &pool, int64_t size, const std::string &without) {
  auto fits = [&](const Item &item) { return !item.type().has(builder.getStringAttr(without)); };
  switch (random.below(5)) {
    case 0:
      if (auto known = pickWith(pool, 'i', [&](const Item &item) {
            return fits(item) && item.low >= 0 && item.high <= size - 1;
          }))
        return known;
      [[fallthrough]];
    case 1:
      if (auto any = pickWith(pool, 'i', fits)) return binary("mod", *any, integer(size));
      [[fallthrough]];
    case 2:
      if (auto real = pickWith(pool, 'f', [&](const Item &item) { return fits(item) && !item.mayBeInf; })) {
        Item whole = cast(random.chance(0.5) ? unary("floor", *real) : *real, 'i');
        Item above = binary("max", whole, integer(0));
        return binary("min", above, integer(size - 1));
      }
      [[fallthrough]];
    default: {
      Names names;
      for (const std::string &name : someDims(2))
        if (name != without) names.push_back(name);
      return argument("ids" + std::to_string(inputs++), type(names, 'i'), 0, size - 1);
    }
  }
}

std::optional<Item> Generator::mask(Pool &pool) {
  if (random.chance(0.8))
    if (auto known = pickWith(pool, 'b', [](const Item &) { return true; })) return known;
  if (random.chance(0.4)) return argument("mask" + std::to_string(inputs++), type(someDims(2), 'b'), 0, 1);
  return growMask(pool) ? std::optional(pool.back()) : std::nullopt;
}

//===------------------------------------------------------------------------------------------------- growing
bool Generator::growFunction(Pool &pool) {
  static const std::vector<const char *> names{"neg",   "abs", "floor", "exp", "expm1", "log", "log1p",
                                               "sqrt",  "rsqrt", "sin", "cos", "tanh", "erf", "stop_grad",
                                               "sigmoid", "exp", "relu", "broadcast", "cast"};
  auto x = pick(pool, 'f');
  std::string op = random.of(names);
  if (op == "log" || op == "rsqrt" || op == "sqrt") x = away(*x, 0.1);
  if (op == "log1p" && x->low < -0.9) x = away(*x, -0.75);
  if (op == "exp" || op == "expm1") x = tamed(*x, 3);
  if (op == "broadcast") {
    Names names, more = someDims(2);
    for (StringAttr name : x->type().getNames()) names.push_back(name.str());
    int64_t elements = x->type().getNumElements();
    for (const std::string &name : more)
      if (!llvm::is_contained(names, name) && elements * sizeOf(name) <= options.mostElements)
        names.push_back(name), elements *= sizeOf(name);
    random.shuffle(names);
    add(pool, {make(op, type(names, 'f'), {x->value}), x->low, x->high, x->active});
  } else if (op == "cast") {
    add(pool, cast(*x, 'f'));
  } else if (op == "relu") {
    add(pool, binary("max", *x, number(0)));
  } else {
    add(pool, tamed(unary(op, *x)));
  }
  return true;
}

bool Generator::growBinary(Pool &pool) {
  static const std::vector<const char *> names{"add", "sub", "mul", "add", "sub", "mul", "div",
                                               "pow", "min", "max", "mod", "floordiv"};
  std::string op = random.of(names);
  auto x = pick(pool, 'f'), y = pick(pool, 'f');
  if (random.chance(0.1)) y = number(0.25 * (1 + random.below(16)));
  if (op == "pow" && random.chance(0.5)) {
    static const std::vector<double> powers{-1, 0, 0.5, 1, 2, 3, 4, 1.5};
    y = number(random.of(powers));
    bool whole = y->low >= 0 && y->low == std::floor(y->low);
    x = whole ? tamed(*x, 2) : away(tamed(*x, 2), 0.25);
    if (x->low >= 0 || whole) {
      add(pool, tamed(binary(op, *x, *y)));
      Item &made = pool.back();
      made.low = std::min(made.low, 0.0);
    }
    return true;
  }
  if (!united({*x, *y}, 'f')) return false;
  if (op == "div" || op == "mod" || op == "floordiv") y = away(*y, 0.25);
  if (op == "pow") x = away(tamed(*x, 2), 0.25), y = tamed(*y, 2);
  add(pool, tamed(binary(op, *x, *y)));
  return true;
}

bool Generator::growMask(Pool &pool) {
  static const std::vector<const char *> predicates{"eq", "ne", "lt", "le", "gt", "ge"};
  std::string predicate = random.of(predicates);
  int form = random.below(6);
  if (form == 0) {  // causal, or a band
    Names names = someDims(2);
    if (names.empty()) return false;
    Item x{make("position", type({names.front()}, 'i'), {}), 0, double(sizeOf(names.front()) - 1)};
    Item y = integer(random.below(sizeOf(names.front())));
    if (names.size() > 1) y = {make("position", type({names.back()}, 'i'), {}), 0, double(sizeOf(names.back()) - 1)};
    add(pool, compare(predicate, x, y));
    return true;
  }
  if (form == 1) {
    auto x = pick(pool, 'i'), y = pick(pool, 'i');
    if (!x || !y || !united({*x, *y}, 'b')) return false;
    add(pool, compare(predicate, *x, *y));
    return true;
  }
  if (form == 2 || form == 3) {
    auto x = pick(pool, 'b'), y = pick(pool, 'b');
    if (!x || !y || !united({*x, *y}, 'b')) return false;
    if (form == 3) add(pool, random.chance(0.5) ? compare(random.chance(0.5) ? "eq" : "ne", *x, *y) : unary("not", *x));
    else if (random.chance(0.25)) add(pool, select(*x, *y, unary("not", *y)));
    else add(pool, binary(random.chance(0.5) ? "and" : "or", *x, *y));
    return true;
  }
  auto x = pick(pool, 'f'), y = random.chance(0.5) ? pick(pool, 'f') : number(0);
  if (!united({*x, *y}, 'b')) return false;
  if (predicate == "eq" || predicate == "ne") predicate = "lt";  // of rounded numbers, equality is chance
  add(pool, compare(predicate, *x, *y));
  return true;
}

bool Generator::growInteger(Pool &pool) {
  static const std::vector<const char *> names{"add", "sub", "mul", "floordiv", "mod", "min", "max"};
  auto x = pick(pool, 'i');
  if (!x) return growSource(pool);
  if (random.chance(0.3)) {
    add(pool, cast(random.chance(0.5) ? unary(random.chance(0.5) ? "neg" : "abs", *x) : *x, 'f'));
    pool.back() = tamed(pool.back());
    return true;
  }
  auto y = random.chance(0.5) ? pick(pool, 'i') : integer(1 + random.below(9));
  if (!united({*x, *y}, 'i')) return false;
  Item made = binary(random.of(names), *x, *y);
  if (made.size() > 1000) made = binary("mod", made, integer(17));
  add(pool, made);
  return true;
}

// Products of all forms: with batch dims, several summed dims, with and without dims of its own on either side.
bool Generator::growContract(Pool &pool) {
  auto x = pickWith(pool, 'f', [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 0; });
  if (!x) return false;
  auto y = pickWith(pool, 'f', [&](const Item &item) {
    return !item.mayBeInf && llvm::any_of(item.type().getNames(), [&](StringAttr name) { return x->type().has(name); });
  });
  if (!y || random.chance(0.3)) {  // a weight of its own
    Names names{someDimOf(x->type())};
    int64_t elements = sizeOf(names[0]);
    for (const std::string &name : someDims(2))
      if (!llvm::is_contained(names, name) && elements * sizeOf(name) <= options.mostElements)
        names.push_back(name), elements *= sizeOf(name);
    random.shuffle(names);
    y = argument("m" + std::to_string(inputs++), type(names, 'f'), -1, 1);
  }
  Names over, names;
  double n = 1, all = 1;
  std::vector<std::string> shared;
  for (StringAttr name : x->type().getNames())
    if (y->type().has(name)) shared.push_back(name.str());
  random.shuffle(shared);
  for (const std::string &name : shared)
    if (over.empty() || random.chance(0.4)) over.push_back(name), n *= sizeOf(name);
  for (const Item &item : {*x, *y})
    for (StringAttr name : item.type().getNames())
      if (!llvm::is_contained(over, name.str()) && !llvm::is_contained(names, name.str()))
        names.push_back(name.str()), all *= sizeOf(name.getValue());
  if (all > options.mostElements || all * n > 32 * options.mostElements) return false;
  if (random.chance(0.5)) random.shuffle(names);
  auto attribute = builder.getNamedAttr("over", strings(builder, over));
  double size = x->size() * y->size() * n;
  add(pool, tamed({make("contract", type(names, 'f'), {x->value, y->value}, attribute), -size, size,
                   x->active || y->active}, 16));
  return true;
}

// A product of rows of which others see only what is made of whole rows, as of logits: a loss, a sum or another product.
bool Generator::growLogits(Pool &pool) {
  auto x = pickWith(pool, 'f', [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 1; });
  if (!x) return false;
  std::string over = someDimOf(x->type());
  Names rows, columns;
  int64_t elements = x->type().getNumElements() / sizeOf(over);
  for (StringAttr name : x->type().getNames())
    if (name != over) rows.push_back(name.str());
  for (const std::string &name : someDims(2))
    if (!x->type().has(builder.getStringAttr(name))) columns.push_back(name), elements *= sizeOf(name);
  if (columns.empty() || elements > options.mostElements || elements * sizeOf(over) > 32 * options.mostElements) return false;
  auto weight = [&](Names names, const std::string &summed) {
    names.push_back(summed);
    if (random.chance(0.5)) random.shuffle(names);
    return argument("m" + std::to_string(inputs++), type(names, 'f'), -1, 1);
  };
  auto product = [&](const Item &left, const Item &right, const Names &names, const std::string &summed) {
    double size = left.size() * right.size() * double(sizeOf(summed));
    auto attribute = builder.getNamedAttr("over", strings(builder, {summed}));
    return tamed({make("contract", type(names, 'f'), {left.value, right.value}, attribute), -size, size, left.active}, 16);
  };
  Names all = rows;
  all.insert(all.end(), columns.begin(), columns.end());
  if (random.chance(0.1)) random.shuffle(all);
  Pool inner{product(*x, weight(columns, over), all, over)};
  if (random.chance(0.5)) inner.push_back(argument("b" + std::to_string(inputs++), type(columns, 'f'), -1, 1));
  auto ofRows = [&](const Item &item) {
    return !item.mayBeInf && llvm::all_of(item.type().getNames(), [&](StringAttr name) { return llvm::is_contained(rows, name.str()); });
  };
  if (random.chance(0.5))
    if (auto item = pickWith(pool, 'f', ofRows)) inner.push_back(*item);
  for (int64_t i = random.below(4); i > 0; --i) random.chance(0.6) ? growBinary(inner) : growFunction(inner);
  auto logits = llvm::find_if(llvm::reverse(inner), [&](const Item &item) {
    return item.type().getRank() >= int64_t(all.size()) && item.type().has(builder.getStringAttr(columns[0]));
  });
  Pool last{*logits};
  int64_t end = random.below(4);
  if (end == 0) {
    Names kept;
    for (StringAttr name : last[0].type().getNames())
      if (name != columns[0]) kept.push_back(name.str());
    add(pool, product(last[0], weight({}, columns[0]), kept, columns[0]));
    return true;
  }
  if (end == 1 ? growLoss(last) : growReduction(last)) add(pool, last.back());
  return true;
}

bool Generator::growReduction(Pool &pool) {
  static const std::vector<const char *> kinds{"sum", "sum", "max", "min"};
  char letter = random.chance(0.15) ? 'i' : 'f';
  std::string kind = random.of(kinds);
  auto x = pickWith(pool, letter, [&](const Item &item) {
    return item.type().getRank() > 0 && (!item.mayBeInf || kind == "max");
  });
  if (!x) return false;
  Names over;
  for (StringAttr name : x->type().getNames())
    if (random.chance(0.5)) over.push_back(name.str());
  if (over.empty()) over.push_back(someDimOf(x->type()));
  if (random.chance(0.2)) {
    auto attribute = builder.getNamedAttr("over", builder.getStringAttr(over[0]));
    Tensor type = x->type().without({builder.getStringAttr(over[0])}).withElement(element('i'));
    if (x->mayBeInf) return false;
    add(pool, {make("argmax", type, {x->value}, attribute), 0, double(sizeOf(over[0]) - 1)});
    return true;
  }
  Item made = reduce(kind, *x, over);
  if (letter == 'i') add(pool, made.size() > 1000 ? binary("mod", made, integer(23)) : made);
  else add(pool, made.mayBeInf ? made : tamed(made));
  return true;
}

// Softmax, log_softmax and norms; of masked logits too, whose rows may be masked as a whole.
bool Generator::growSoftmax(Pool &pool) {
  static const std::vector<const char *> names{"softmax", "softmax", "log_softmax", "layer_norm", "rms_norm"};
  auto x = pickWith(pool, 'f', [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 0; });
  if (!x) return false;
  std::string op = random.of(names), over = someDimOf(x->type());
  if (op == "layer_norm" && sizeOf(over) < 3) op = "rms_norm";
  if (op == "rms_norm" && sizeOf(over) < 2) op = "softmax";
  if (op == "softmax" && random.chance(0.5))
    if (auto condition = mask(pool); condition && united({*condition, *x}, 'f')) {
      Item lowest = number(-std::numeric_limits<double>::infinity());
      lowest.low = x->low, lowest.mayBeInf = true;
      x = select(*condition, *x, lowest);
      if (random.chance(0.3)) add(pool, *x);
    }
  add(pool, tamed(alongAxis(op, *x, over), 16));
  return true;
}

bool Generator::growLoss(Pool &pool) {
  auto x = pickWith(pool, 'f', [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 0; });
  if (!x) return false;
  std::string over = someDimOf(x->type());
  Tensor rest = x->type().without({builder.getStringAttr(over)});
  Names names;
  for (StringAttr name : rest.getNames())
    if (random.chance(0.8)) names.push_back(name.str());
  Item target = argument("target" + std::to_string(inputs++), type(names, 'i'), 0, sizeOf(over) - 1);
  auto attribute = builder.getNamedAttr("over", builder.getStringAttr(over));
  add(pool, {make("cross_entropy", shuffled(rest), {x->value, target.value}, attribute), 0,
             x->high - x->low + std::log(sizeOf(over)), x->active});
  return true;
}

bool Generator::growGather(Pool &pool) {
  static const std::vector<char> letters{'f', 'f', 'f', 'f', 'i', 'b'};
  auto x = pickWith(pool, random.of(letters), [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 0; });
  if (!x) return false;
  std::string axis = someDimOf(x->type());
  auto chosen = index(pool, sizeOf(axis), axis);
  if (!chosen) return false;
  Names names;
  int64_t elements = 1;
  for (Tensor part : {x->type(), chosen->type()})
    for (StringAttr name : part.getNames())
      if (name != axis && !llvm::is_contained(names, name.str()))
        names.push_back(name.str()), elements *= sizeOf(name.getValue());
  if (elements > options.mostElements || names.size() > 5) return false;
  char letter = x->type().isFloat() ? 'f' : x->type().isInt() ? 'i' : 'b';
  auto attribute = builder.getNamedAttr("axis", builder.getStringAttr(axis));
  add(pool, {make("gather", shuffled(type(names, letter)), {x->value, chosen->value}, attribute), x->low, x->high,
             x->active});
  return true;
}

bool Generator::growScatter(Pool &pool) {
  auto updates = pickWith(pool, 'f', [](const Item &item) { return !item.mayBeInf && item.type().getRank() > 0; });
  if (!updates) return false;
  std::string axis;
  for (auto &[name, size] : dims)
    if (!updates->type().has(builder.getStringAttr(name)) && (axis.empty() || random.chance(0.4))) axis = name;
  if (axis.empty()) return false;
  Names indexed, result{axis};
  int64_t elements = sizeOf(axis);
  double n = 1;
  for (StringAttr name : updates->type().getNames()) {
    bool isIndexed = random.chance(0.5), pointwise = isIndexed && random.chance(0.25);
    if (isIndexed) indexed.push_back(name.str());
    if (!isIndexed || pointwise) result.push_back(name.str()), elements *= sizeOf(name.getValue());
    else n *= sizeOf(name.getValue());
  }
  if (elements > options.mostElements) return false;
  if (random.chance(0.5)) random.shuffle(result);
  Item ids = argument("ids" + std::to_string(inputs++), type(indexed, 'i'), 0, sizeOf(axis) - 1);
  auto attribute = builder.getNamedAttr("axis", builder.getStringAttr(axis));
  add(pool, tamed({make("scatter_add", type(result, 'f'), {updates->value, ids.value}, attribute),
                   std::min(0.0, updates->low * n), std::max(0.0, updates->high * n), updates->active}));
  return true;
}

bool Generator::growDropout(Pool &pool) {
  auto x = pick(pool, 'f');
  static const std::vector<double> keeps{0.9, 0.5, 0.25};
  double keep = random.of(keeps);
  Names order;
  for (StringAttr name : x->type().getNames())
    if (random.chance(0.85)) order.push_back(name.str());
  Tensor type = this->type(order, 'b');
  random.shuffle(order);
  SmallVector<Value> operands{seedInput.value, stepInput.value};
  for (const Layer &layer : open) operands.push_back(layer.index);
  int64_t counter = (int64_t(stream % 3) << 32) + stream;  // with and without an upper word
  NamedAttribute attributes[] = {builder.getNamedAttr("keep", builder.getF64FloatAttr(keep)),
                                 builder.getNamedAttr("stream", builder.getI64IntegerAttr(counter)),
                                 builder.getNamedAttr("order", strings(builder, order))};
  ++stream;
  Item kept{make("bernoulli", type, operands, attributes), 0, 1};
  if (random.chance(0.2)) add(pool, kept);
  add(pool, tamed(select(kept, binary("mul", *x, number(1 / keep)), number(0))));
  return true;
}

bool Generator::growRename(Pool &pool) {
  static const std::vector<char> letters{'f', 'f', 'f', 'i', 'b'};
  static const std::vector<std::pair<std::string, std::string>> pairs{{"A", "A2"}, {"B", "B2"}, {"A2", "A"}, {"B2", "B"}};
  for (int tries = 0; tries < 6; ++tries) {
    auto [from, to] = random.of(pairs);
    auto has = [&](Tensor type, const std::string &name) { return type.has(builder.getStringAttr(name)); };
    auto x = pickWith(pool, random.of(letters), [&, from = from, to = to](const Item &item) {
      return has(item.type(), from) && !has(item.type(), to);
    });
    if (!x) continue;
    add(pool, rename(*x, from, to));
    return true;
  }
  return false;
}

bool Generator::growSource(Pool &pool) {
  Names names = someDims(2);
  switch (random.below(5)) {
    case 0:
      if (names.empty()) return false;
      add(pool, {make("position", type({names[0]}, 'i'), {}), 0, double(sizeOf(names[0]) - 1)});
      return true;
    case 1: {
      double value = (1 + random.below(40)) / 16.0 - 1;
      Value made = ConstantOp::create(builder, builder.getUnknownLoc(), type(names, 'f'), value + 0.03);
      add(pool, {made, value + 0.03, value + 0.03});
      return true;
    }
    case 2: add(pool, argument("i" + std::to_string(inputs++), type(names, 'i'), -9, 9)); return true;
    case 3:
      if (auto *variable = random.of(variables); llvm::cast<Tensor>(llvm::cast<VariableOp>(variable).getType()).isFloat()) {
        add(pool, readVariable(variable));
        return true;
      }
      return false;
    default: add(pool, argument("x" + std::to_string(inputs++), type(names, 'f'), -2, 2)); return true;
  }
}

void Generator::grow(Pool &pool, int ops) {
  int until = budget - ops;
  while (budget > until)
    if (!growOnce(pool)) --budget;  // nothing fits: so that growing ends
}

bool Generator::growOnce(Pool &pool) {
  if (!open.empty() && random.chance(0.12)) return growRepeat(pool);
  int64_t choice = random.below(112);
  if (choice < 16) return growFunction(pool);
  if (choice < 34) return growBinary(pool);
  if (choice < 42) return growMask(pool);
  if (choice < 47) return growInteger(pool);
  if (choice < 58) return growContract(pool);
  if (choice < 66) return growReduction(pool);
  if (choice < 73) return growSoftmax(pool);
  if (choice < 76) return growLoss(pool);
  if (choice < 82) return growGather(pool);
  if (choice < 84) return growScatter(pool);
  if (choice < 88) return growDropout(pool);
  if (choice < 91) return growRename(pool);
  if (choice < 94) return growSource(pool);
  if (choice < 97) return growRegroup(pool);
  if (choice < 99) return growConcat(pool);
  if (choice < 101) {  // a choice between values, of any element type
    static const std::vector<char> letters{'f', 'f', 'i', 'b'};
    char letter = random.of(letters);
    auto condition = mask(pool), x = pick(pool, letter), y = pick(pool, letter);
    if (!condition || !x || !y || !united({*condition, *x, *y}, letter)) return false;
    add(pool, select(*condition, *x, *y));
    return true;
  }
  if (choice < 106) return growLogits(pool);
  return growRepeat(pool);
}
