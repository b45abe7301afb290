// Axes split, merged and joined. The dims that they lead to exist where they are small: AB = A * B, AA = A + A2 and
// A1 = A + 1.
#include "tests/random/Generator.h"

using namespace mlir;
using namespace heddle;

void Generator::addRegroupedDims() {
  int64_t a = sizeOf("A"), b = sizeOf("B");
  if (a * b <= 160) dims.push_back({"AB", a * b});
  if (a <= 80) dims.insert(dims.end(), {{"AA", 2 * a}, {"A1", a + 1}});
}

static bool has(Tensor type, StringRef name) { return type.has(StringAttr::get(type.getContext(), name)); }
static char letterOf(Tensor type) { return type.isFloat() ? 'f' : type.isInt() ? 'i' : 'b'; }
static ArrayAttr strings(Builder &builder, ArrayRef<std::string> names) {
  return builder.getStrArrayAttr(SmallVector<StringRef>(names.begin(), names.end()));
}

bool Generator::growRegroup(Pool &pool) {
  static const std::vector<char> letters{'f', 'f', 'f', 'i', 'b'};
  static const std::vector<Names> groups{{"AB"}, {"A", "B"}, {"B", "A"}, {"A2", "B2"}, {"B2", "A2"}, {"A", "B2"}};
  bool merged = llvm::any_of(dims, [](auto &dim) { return dim.first == "AB"; });
  for (int tries = 0; tries < 6; ++tries) {
    const Names &from = random.of(groups), &to = random.of(groups);
    auto isMerged = [](const Names &names) { return names.size() == 1; };
    if ((isMerged(from) || isMerged(to)) && !merged) continue;
    if (llvm::any_of(from, [&](const std::string &name) { return llvm::is_contained(to, name); })) continue;
    auto x = pickWith(pool, random.of(letters), [&](const Item &item) {
      return llvm::all_of(from, [&](const std::string &name) { return has(item.type(), name); }) &&
             llvm::none_of(to, [&](const std::string &name) { return has(item.type(), name); });
    });
    if (!x) continue;
    Names names = to;
    for (StringAttr name : x->type().getNames())
      if (!llvm::is_contained(from, name.str())) names.push_back(name.str());
    NamedAttribute attributes[] = {builder.getNamedAttr("from", strings(builder, from)),
                                   builder.getNamedAttr("to", strings(builder, to))};
    add(pool, {make("regroup", shuffled(type(names, letterOf(x->type()))), {x->value}, attributes), x->low, x->high,
               x->active, x->mayBeInf});
    return true;
  }
  return false;
}

// x behind its own like along A2, or with the largest of it at one end.
bool Generator::growConcat(Pool &pool) {
  if (llvm::none_of(dims, [](auto &dim) { return dim.first == "AA"; })) return false;
  auto x = pickWith(pool, random.chance(0.8) ? 'f' : 'i', [&](const Item &item) {
    Tensor type = item.type();
    return has(type, "A") && !has(type, "A2") && !has(type, "AA") && !has(type, "A1") && !item.mayBeInf &&
           type.getNumElements() * 2 <= options.mostElements;
  });
  if (!x) return false;
  bool twice = random.chance(0.5);
  Item other = *x;
  if (!twice) other = reduce("max", *x, {"A"});
  else if (auto found = pickWith(pool, letterOf(x->type()), [&](const Item &item) {
             Tensor type = item.type();
             return type.getRank() == x->type().getRank() && !item.mayBeInf &&
                    llvm::all_of(x->type().getNames(), [&](StringAttr name) { return type.has(name); });
           }))
    other = rename(*found, "A", "A2");
  else
    other = rename(*x, "A", "A2");
  Names over{"A", twice ? "A2" : ""}, names{twice ? "AA" : "A1"};
  SmallVector<Value> pieces{x->value, other.value};
  if (random.chance(0.5)) std::swap(over[0], over[1]), std::swap(pieces[0], pieces[1]);
  for (StringAttr name : x->type().getNames())
    if (name != "A") names.push_back(name.str());
  NamedAttribute attributes[] = {builder.getNamedAttr("over", strings(builder, over)),
                                 builder.getNamedAttr("to", builder.getStringAttr(names[0]))};
  add(pool, {make("concat", shuffled(type(names, letterOf(x->type()))), pieces, attributes), std::min(x->low, other.low),
             std::max(x->high, other.high), x->active || other.active});
  return true;
}
