// Loops: what they carry keeps its range from turn to turn; what they stack comes from variables, from earlier loops or is
// spread over the axis; what they collect is any value of the body. Bodies read values from above, hold loops of their
// own, and hand values on in all the ways that a plan of memory must get right: unchanged, exchanged, collected twice.
#include "tests/random/Generator.h"

using namespace mlir;
using namespace heddle;

// A value with the layer's axis in front.
std::optional<Item> Generator::stack(Pool &pool, const Layer &layer) {
  static const std::vector<char> letters{'f', 'f', 'f', 'f', 'i', 'b'};
  char letter = random.of(letters);
  auto known = pickWith(pool, letter, [&](const Item &item) {
    return item.type().getRank() > 0 && item.type().getNames()[0] == layer.axis;
  });
  if (known && random.chance(0.8)) return known;
  auto plain = pickWith(pool, letter, [&](const Item &item) {
    return !item.type().has(builder.getStringAttr(layer.axis)) &&
           item.type().getNumElements() * layer.count <= options.mostElements;
  });
  if (!plain) return known;
  Tensor type = plain->type().withLeading(builder.getStringAttr(layer.axis), layer.count);
  if (letter == 'f' && !plain->mayBeInf && random.chance(0.7)) {  // rows that differ
    Item scale = argument("s" + std::to_string(inputs++), this->type({layer.axis}, 'f'), -1, 1);
    Item product{make("mul", type, {plain->value, scale.value}), -plain->size(), plain->size(), plain->active};
    return product;
  }
  return Item{make("broadcast", type, {plain->value}), plain->low, plain->high, plain->active, plain->mayBeInf};
}

bool Generator::growRepeat(Pool &pool) {
  if (open.size() >= layers.size() || budget < 3) return false;
  // Nested loops run over the axes in order, as stacked variables have them.
  const Layer layer = layers[open.size()];
  StringAttr axis = builder.getStringAttr(layer.axis);
  auto free = [&](const Item &item) { return !item.type().has(axis); };

  std::vector<Item> carried, stacked;
  for (int i = 0, count = random.below(4); i < count; ++i) {
    static const std::vector<char> letters{'f', 'f', 'f', 'f', 'f', 'i', 'b'};
    auto x = pickWith(pool, random.of(letters), [&](const Item &item) { return free(item) && !item.mayBeInf; });
    if (!carried.empty() && random.chance(0.4)) {  // slots of one type, which can exchange their values
      Tensor type = carried.back().type();
      x = pickWith(pool, type.isFloat() ? 'f' : type.isInt() ? 'i' : 'b',
                   [&](const Item &item) { return item.type() == type && !item.mayBeInf; });
    }
    if (x) carried.push_back(x->type().isFloat() ? tamed(*x, 4) : *x);
  }
  for (int i = 0, count = random.below(3); i < count; ++i)
    if (auto x = stack(pool, layer)) stacked.push_back(*x);
  if (carried.empty() && stacked.empty()) return false;

  Location loc = builder.getUnknownLoc();
  auto body = std::make_unique<Block>();
  Pool inner;
  inner.push_back({body->addArgument(type({}, 'i'), loc), 0, double(layer.count - 1)});
  for (const Item &item : carried) {
    double reach = std::max(item.size(), 1.0);
    Item argument{body->addArgument(item.type(), loc), -reach, reach, item.active};
    if (item.type().isInt()) argument.low = std::min(item.low, 0.0), argument.high = std::max(item.high, 12.0);
    if (item.type().isBool()) argument.low = 0, argument.high = 1;
    inner.push_back(argument);
  }
  for (const Item &item : stacked) {
    Item slice = item;
    slice.value = body->addArgument(item.type().without({axis}), loc);
    inner.push_back(slice);
  }
  for (int i = 0, count = random.below(4); i < count; ++i)
    if (auto above = pickWith(pool, random.chance(0.8) ? 'f' : 'i', free)) inner.push_back(*above);
  if (!pick(inner, 'f')) {
    auto above = pickWith(pool, 'f', [&](const Item &item) { return free(item) && !item.mayBeInf; });
    if (!above) return false;
    inner.push_back(*above);
  }

  OpBuilder::InsertPoint outside = builder.saveInsertionPoint();
  builder.setInsertionPointToEnd(body.get());
  open.push_back({layer.axis, layer.count, inner[0].value});
  int left = budget, share = std::min(left, 3 + static_cast<int>(random.below(open.size() > 1 ? 5 : 10)));
  budget = share;
  while (budget > 0) growOnce(inner) ? 0 : --budget;

  // What goes round: squashed into the range that came in.
  std::vector<Value> next;
  std::vector<Type> types;
  for (size_t i = 0; i < carried.size(); ++i) {
    const Item &argument = inner[1 + i];
    Tensor type = argument.type();
    Value value;
    if (random.chance(0.1)) {
      value = argument.value;  // unchanged
    } else if (i > 0 && carried[i - 1].type() == type && inner[i].size() <= argument.size() && random.chance(0.5)) {
      value = inner[i].value;  // what the slot before it had
    } else if (i + 1 < carried.size() && carried[i + 1].type() == type && inner[2 + i].size() <= argument.size() &&
               random.chance(0.4)) {
      value = inner[2 + i].value;  // what the slot behind it had
    } else if (type.isFloat()) {
      auto source = pickWith(inner, 'f', [&](const Item &item) { return !item.mayBeInf && free(item); });
      Item step = as(*source, type, argument.high / 2);
      Item half = binary("mul", argument, number(0.5));
      value = make("add", type, {half.value, step.value});
    } else if (type.isInt()) {
      Item sum = binary("add", argument, random.chance(0.5) ? inner[0] : integer(3));
      value = make("mod", type, {sum.value, integer(13).value});
    } else {
      value = make("not", type, {argument.value});
    }
    next.push_back(value);
    types.push_back(type);
  }
  std::vector<Item> collected;
  for (int i = 0, count = random.below(4); i < count; ++i) {
    const Item &item = inner[random.chance(0.75) ? inner.size() - 1 - random.below((inner.size() + 1) / 2)
                                                 : random.below(inner.size())];
    if (!free(item) || item.type().getNumElements() * layer.count > 2 * options.mostElements) continue;
    collected.push_back(item);
    next.push_back(item.value);
    types.push_back(item.type().withLeading(axis, layer.count));
  }
  YieldOp::create(builder, loc, next);
  open.pop_back();
  builder.restoreInsertionPoint(outside);
  budget = left - share;

  SmallVector<Value> carriedValues, stackedValues;
  for (const Item &item : carried) carriedValues.push_back(item.value);
  for (const Item &item : stacked) stackedValues.push_back(item.value);
  std::string name = "loop" + std::to_string(inputs++);
  auto repeat = RepeatOp::create(builder, loc, types, builder.getStringAttr(name), axis,
                                 builder.getI64IntegerAttr(layer.count),
                                 random.chance(0.3) ? builder.getUnitAttr() : UnitAttr(), carriedValues, stackedValues);
  repeat.getBody().push_back(body.release());
  bool active = llvm::any_of(inner, [](const Item &item) { return item.active; });
  for (size_t i = 0; i < carried.size(); ++i) {
    Item result = inner[1 + i];
    result.value = repeat.getResult(i);
    result.active = active && result.type().isFloat();
    add(pool, result);
  }
  for (size_t i = 0; i < collected.size(); ++i) {
    Item result = collected[i];
    result.value = repeat.getResult(carried.size() + i);
    add(pool, result);
  }
  return true;
}
