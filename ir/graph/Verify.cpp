// The verifiers of the graph dialect. Numbers in comments are those of HeddleOps.td.
#include "ir/graph/Heddle.h"

using namespace mlir;
using namespace heddle;

static Tensor tensorOf(Value value) { return cast<Tensor>(value.getType()); }

// Every dim of `part` is one of `whole`, with the same size; else an error that names it.
static LogicalResult within(Operation *op, Tensor part, Tensor whole, const Twine &what) {
  for (auto [name, size] : llvm::zip(part.getNames(), part.getSizes())) {
    if (!whole.has(name)) return op->emitOpError() << what << " has dim " << name << ", which the result lacks";
    if (whole.sizeOf(name) != size)
      return op->emitOpError() << what << " has " << name << "=" << size << ", the result " << name << "="
                               << whole.sizeOf(name);
  }
  return success();
}

// `type` holds exactly the dims `names` with `sizes`, in any order.
static bool holds(Tensor type, ArrayRef<StringAttr> names, ArrayRef<int64_t> sizes) {
  if (type.getRank() != static_cast<int64_t>(names.size())) return false;
  for (auto [name, size] : llvm::zip(names, sizes))
    if (!type.has(name) || type.sizeOf(name) != size) return false;
  return true;
}
static bool sameDims(Tensor a, Tensor b) { return holds(a, b.getNames(), b.getSizes()); }

// The dims of a and, behind them, those of b that a lacks.
static void unite(Tensor a, Tensor b, SmallVectorImpl<StringAttr> &names, SmallVectorImpl<int64_t> &sizes) {
  for (Tensor type : {a, b})
    for (auto [name, size] : llvm::zip(type.getNames(), type.getSizes()))
      if (!llvm::is_contained(names, name)) names.push_back(name), sizes.push_back(size);
}

LogicalResult heddle::verifyElementwise(Operation *op) {
  // elementwise_c1
  if (op->getNumResults() != 1) return op->emitOpError("has one result");
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (failed(within(op, tensorOf(operand), tensorOf(op->getResult(0)), "operand " + Twine(i)))) return failure();
  return success();
}
LogicalResult heddle::verifySameElement(Operation *op) {
  // same_element_c1
  Type element = tensorOf(op->getResult(0)).getElementType();
  for (Value operand : op->getOperands())
    if (tensorOf(operand).getElementType() != element)
      return op->emitOpError() << "operands and result need one element type, not "
                               << tensorOf(operand).getElementType() << " and " << element;
  return success();
}

LogicalResult ConstantOp::verify() {
  // constant_c1
  auto type = cast<Tensor>(getType());
  bool fits = type.isFloat() ? getValue().getType().isF64() : getValue().getType() == type.getElementType();
  if (!fits) return emitOpError() << "value " << getValue() << " does not fit elements of " << type.getElementType();
  return success();
}
LogicalResult PositionOp::verify() {
  // position_c1
  return tensorOf(getResult()).getRank() == 1 ? success() : emitOpError("result has exactly one dim, the axis");
}
LogicalResult BernoulliOp::verify() {
  // bernoulli_c1
  if (tensorOf(getSeed()).getNumElements() != 2) return emitOpError("seed has two elements");
  if (tensorOf(getStep()).getRank() != 0) return emitOpError("step is a scalar");
  for (Value index : getIndices())
    if (tensorOf(index).getRank() != 0) return emitOpError("indices are scalars");
  // bernoulli_c2
  double keep = getKeep().convertToDouble();
  if (!(keep > 0 && keep < 1)) return emitOpError() << "keep lies between 0 and 1, not " << keep;
  // bernoulli_c3
  Tensor type = tensorOf(getResult());
  bool permutation = static_cast<int64_t>(getOrder().size()) == type.getRank();
  for (StringAttr name : type.getNames()) permutation &= llvm::is_contained(getOrder(), name);
  return permutation ? success() : emitOpError("order holds the result's dims, each once");
}
LogicalResult VariableOp::verify() {
  // variable_c1
  if (!llvm::is_contained({"parameter", "optimizer", "state", "cache"}, getKind()))
    return emitOpError() << "kind '" << getKind() << "' is not parameter, optimizer, state or cache";
  if (!llvm::is_contained({"constant", "normal", "uniform"}, getInit()))
    return emitOpError() << "init '" << getInit() << "' is not constant, normal or uniform";
  // variable_c2
  int64_t repeats = getRepeats();
  if (repeats < 0 || repeats > cast<Tensor>(getType()).getRank())
    return emitOpError("repeats lies between 0 and the rank");
  if (static_cast<int64_t>(getSymName().count("{}")) != repeats)
    return emitOpError() << "the name holds as many {} as repeats, " << repeats;
  return success();
}
static LogicalResult verifyUse(Operation *op, FlatSymbolRefAttr symbol, Tensor type, SymbolTableCollection &symbols) {
  // read_c1, write_c1
  auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(op, symbol);
  if (!variable) return op->emitOpError() << "no variable " << symbol;
  auto declared = cast<Tensor>(variable.getType());
  if (declared != type) return op->emitOpError() << "variable " << symbol << " is " << declared << ", not " << type;
  return success();
}
LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getVariableAttr(), cast<Tensor>(getType()), symbols);
}
LogicalResult WriteOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getVariableAttr(), tensorOf(getValue()), symbols);
}

LogicalResult CompareOp::verify() {
  // compare_c1
  if (!llvm::is_contained({"eq", "ne", "lt", "le", "gt", "ge"}, getPredicate()))
    return emitOpError() << "predicate '" << getPredicate() << "' is not eq, ne, lt, le, gt or ge";
  // compare_c2
  if (tensorOf(getX()).getElementType() != tensorOf(getY()).getElementType())
    return emitOpError("operands need one element type");
  if (tensorOf(getX()).isBool() && getPredicate() != "eq" && getPredicate() != "ne")
    return emitOpError("bools have no order");
  return success();
}
LogicalResult SelectOp::verify() {
  // select_c1
  Type element = tensorOf(getResult()).getElementType();
  bool same = tensorOf(getX()).getElementType() == element && tensorOf(getY()).getElementType() == element;
  return same ? success() : emitOpError("x, y and the result need one element type");
}

// The dims that `over` names in `type`; an error for one that is missing or named twice.
static FailureOr<SmallVector<StringAttr>> axes(Operation *op, Tensor type, ArrayAttr over) {
  SmallVector<StringAttr> names;
  for (StringAttr name : over.getAsRange<StringAttr>()) {
    if (!type.has(name)) return op->emitOpError() << "cannot go over " << name << ": " << type << " has no such dim";
    if (llvm::is_contained(names, name)) return op->emitOpError() << "dim " << name << " is named twice";
    names.push_back(name);
  }
  return names;
}
LogicalResult ContractOp::verify() {
  Tensor x = tensorOf(getX()), y = tensorOf(getY()), result = tensorOf(getResult());
  // contract_c1
  if (getOver().empty()) return emitOpError("sums over at least one dim");
  auto summed = axes(*this, x, getOver());
  if (failed(summed) || failed(axes(*this, y, getOver()))) return failure();
  for (StringAttr name : x.getNames())
    if (y.has(name) && y.sizeOf(name) != x.sizeOf(name)) return emitOpError() << "dim " << name << " has two sizes";
  // contract_c2
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  unite(x.without(*summed), y.without(*summed), names, sizes);
  if (!holds(result, names, sizes))
    return emitOpError("the result's dims are those of both operands without the summed ones");
  // contract_c3
  for (Value value : getOnto()) {
    Tensor start = tensorOf(value);
    size_t rank = std::min<size_t>(start.getRank(), result.getRank());
    if (start.getNames() != result.getNames().take_back(rank) || start.getSizes() != result.getSizes().take_back(rank))
      return emitOpError() << "the dims of " << start << " are not the last of the result's";
  }
  return success();
}
LogicalResult ReduceOp::verify() {
  Tensor x = tensorOf(getX()), result = tensorOf(getResult());
  // reduce_c1
  if (!llvm::is_contained({"sum", "max", "min"}, getKind()))
    return emitOpError() << "kind '" << getKind() << "' is not sum, max or min";
  // reduce_c2
  auto over = axes(*this, x, getOver());
  if (failed(over)) return failure();
  // reduce_c3
  if (!sameDims(x.without(*over), result) || x.getElementType() != result.getElementType())
    return emitOpError("the result has the operand's other dims and its element type");
  return success();
}
static LogicalResult verifyAxisRemoved(Operation *op, Value x, StringAttr axis) {
  if (!tensorOf(x).has(axis)) return op->emitOpError() << "operand has no dim " << axis;
  if (!sameDims(tensorOf(x).without({axis}), tensorOf(op->getResult(0))))
    return op->emitOpError() << "the result has the operand's dims without " << axis;
  return success();
}
static LogicalResult verifyAxisKept(Operation *op, Value x, StringAttr axis) {
  if (!tensorOf(x).has(axis)) return op->emitOpError() << "operand has no dim " << axis;
  if (!sameDims(tensorOf(x), tensorOf(op->getResult(0))))
    return op->emitOpError() << "operand and result have one set of dims";
  return success();
}
static LogicalResult verifyNorm(Operation *op, Value x, StringAttr axis, double eps) {
  if (!(eps >= 0)) return op->emitOpError() << "eps is at least 0, not " << eps;
  return verifyAxisKept(op, x, axis);
}
// argmax_c1
LogicalResult ArgmaxOp::verify() { return verifyAxisRemoved(*this, getX(), getOverAttr()); }
// softmax_c1
LogicalResult SoftmaxOp::verify() { return verifyAxisKept(*this, getX(), getOverAttr()); }
// log_softmax_c1
LogicalResult LogSoftmaxOp::verify() { return verifyAxisKept(*this, getX(), getOverAttr()); }
// layer_norm_c1, layer_norm_c2
LogicalResult LayerNormOp::verify() { return verifyNorm(*this, getX(), getOverAttr(), getEps().convertToDouble()); }
// rms_norm_c1, rms_norm_c2
LogicalResult RmsNormOp::verify() { return verifyNorm(*this, getX(), getOverAttr(), getEps().convertToDouble()); }
LogicalResult CrossEntropyOp::verify() {
  // cross_entropy_c1
  if (failed(verifyAxisRemoved(*this, getLogits(), getOverAttr()))) return failure();
  // cross_entropy_c2
  return within(*this, tensorOf(getTarget()), tensorOf(getResult()), "target");
}

LogicalResult GatherOp::verify() {
  Tensor x = tensorOf(getX()), index = tensorOf(getIndex()), result = tensorOf(getResult());
  StringAttr axis = getAxisAttr();
  // gather_c1
  if (!x.has(axis)) return emitOpError() << "operand has no dim " << axis;
  if (index.has(axis)) return emitOpError() << "the index itself has dim " << axis;
  // gather_c2
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  unite(x.without({axis}), index, names, sizes);
  if (failed(within(*this, index, result, "index"))) return failure();
  if (!holds(result, names, sizes) || result.getElementType() != x.getElementType())
    return emitOpError("the result's dims are the operand's without the axis and the index's");
  return success();
}
LogicalResult ScatterAddOp::verify() {
  Tensor updates = tensorOf(getUpdates()), index = tensorOf(getIndex()), result = tensorOf(getResult());
  StringAttr axis = getAxisAttr();
  // scatter_add_c1
  if (!result.has(axis)) return emitOpError() << "the result has no dim " << axis;
  if (updates.has(axis) || index.has(axis)) return emitOpError() << "updates and index have no dim " << axis;
  // scatter_add_c2
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  unite(result.without({axis}), index, names, sizes);
  if (!holds(updates, names, sizes))
    return emitOpError("dims of updates are those of the index and of the result without the axis");
  // scatter_add_c3
  if (getOnto() && getOnto().getType() != result) return emitOpError() << "adds onto " << result;
  return success();
}
LogicalResult RenameOp::verify() {
  // rename_c1
  Tensor x = tensorOf(getX()), result = tensorOf(getResult());
  if (!x.has(getFromAttr())) return emitOpError() << "operand has no dim " << getFromAttr();
  if (x.has(getToAttr())) return emitOpError() << "operand has dim " << getToAttr() << " already";
  SmallVector<StringAttr> names(x.getNames());
  names[x.indexOf(getFromAttr())] = getToAttr();
  if (result != Tensor::get(names, x.getSizes(), x.getElementType()))
    return emitOpError() << "the result is the operand with " << getFromAttr() << " named " << getToAttr();
  return success();
}

LogicalResult RegroupOp::verify() {
  Tensor x = tensorOf(getX()), result = tensorOf(getResult());
  // regroup_c1
  if (getFrom().empty()) return emitOpError("goes from at least one dim");
  auto from = axes(*this, x, getFrom());
  if (failed(from)) return failure();
  // regroup_c2
  if (getTo().empty()) return emitOpError("goes to at least one dim");
  auto to = axes(*this, result, getTo());
  if (failed(to)) return failure();
  for (StringAttr name : *to)
    if (llvm::is_contained(*from, name)) return emitOpError() << "dim " << name << " stands on both sides";
  if (!sameDims(x.without(*from), result.without(*to)) || x.getElementType() != result.getElementType())
    return emitOpError("the result has the operand's other dims and its element type");
  // regroup_c3
  auto product = [](Tensor type, ArrayRef<StringAttr> names) {
    int64_t elements = 1;
    for (StringAttr name : names) elements *= type.sizeOf(name);
    return elements;
  };
  int64_t before = product(x, *from), after = product(result, *to);
  if (before != after) return emitOpError() << "regroups " << before << " positions as " << after;
  if (before > INT32_MAX) return emitOpError() << "regroups " << before << " positions, more than 2147483647";
  return success();
}
LogicalResult ConcatOp::verify() {
  Tensor result = tensorOf(getResult());
  StringAttr to = getToAttr();
  // concat_c1
  if (getOver().size() != getPieces().size() || getPieces().empty())
    return emitOpError() << "names " << getOver().size() << " axes for " << getPieces().size() << " pieces";
  // concat_c2
  if (!result.has(to)) return emitOpError() << "the result has no dim " << to;
  int64_t size = 0;
  for (auto [piece, name] : llvm::zip(getPieces(), getOver().getAsRange<StringAttr>())) {
    Tensor type = tensorOf(piece), rest = type;
    if (!name.getValue().empty()) {
      if (!type.has(name)) return emitOpError() << "a piece has no dim " << name;
      rest = type.without({name});
    }
    if (rest.has(to)) return emitOpError() << "a piece has dim " << to << " of the result";
    if (!sameDims(rest, result.without({to})) || type.getElementType() != result.getElementType())
      return emitOpError("the result has the other dims of every piece and their element type");
    size += name.getValue().empty() ? 1 : type.sizeOf(name);
  }
  // concat_c3
  if (size != result.sizeOf(to)) return emitOpError() << "the pieces have " << size << " positions, not " << result.sizeOf(to);
  return success();
}

LogicalResult RepeatOp::verify() {
  // repeat_c3
  if (static_cast<int64_t>(getCount()) < 1) return emitOpError("count is at least 1");
  StringAttr axis = getAxisAttr();
  int64_t count = getCount();
  auto slice = [&](Type type) -> Type {
    auto tensor = cast<Tensor>(type);
    if (tensor.getRank() == 0 || tensor.getNames()[0] != axis || tensor.getSizes()[0] != count) return {};
    return tensor.without({axis});
  };
  // repeat_c1
  auto args = getBody().getArguments();
  if (args.size() != 1 + getCarried().size() + getStacked().size())
    return emitOpError("block arguments are the index, the carried values and the slices");
  if (args[0].getType() != Tensor::get({}, {}, IntegerType::get(getContext(), 32)))
    return emitOpError("the first block argument is the index, an i32 scalar");
  for (auto [arg, value] : llvm::zip(getCarriedArgs(), getCarried()))
    if (arg.getType() != value.getType())
      return emitOpError() << "a carried value is " << value.getType() << " outside and " << arg.getType() << " inside";
  for (auto [arg, value] : llvm::zip(getStackedArgs(), getStacked()))
    if (arg.getType() != slice(value.getType()))
      return emitOpError() << "a slice of " << value.getType() << " cannot be " << arg.getType();
  // repeat_c2
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || yield.getValues().size() != getNumResults() || getNumResults() < getCarried().size())
    return emitOpError("yields as many values as it has results");
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    bool carried = i < getCarried().size();
    Type result = getResult(i).getType();
    if (carried && result != getCarried()[i].getType())
      return emitOpError() << "carried result " << i << " changes its type";
    if (value.getType() != (carried ? result : slice(result)))
      return emitOpError() << "yields " << value.getType() << " for result " << result;
  }
  return success();
}

// The region of an op that is isolated from above.
static LogicalResult verifyIsolated(Operation *op, TypeRange yielded) {
  Block &body = op->getRegion(0).front();
  if (TypeRange(body.getArgumentTypes()) != TypeRange(op->getOperandTypes()))
    return op->emitOpError("block arguments have the operands' types");
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || TypeRange(yield.getValues().getTypes()) != yielded) return op->emitOpError("yields the results' types");
  return success();
}
static LogicalResult verifyIsolated(Operation *op) { return verifyIsolated(op, op->getResultTypes()); }
LogicalResult FusedOp::verify() {
  // fused_c1
  if (failed(verifyIsolated(*this))) return failure();
  // fused_c2
  for (Operation &op : getBody().front().without_terminator())
    if (!op.hasTrait<IsElementwise>() &&
        !isa<ReduceOp, ArgmaxOp, GatherOp, PositionOp, ConstantOp, BernoulliOp, RenameOp, ContractOp>(op))
      return op.emitOpError("cannot stand in heddle.fused");
  return success();
}

static bool isOver(ArrayAttr over, StringAttr name) { return over.size() == 1 && over[0] == name; }
static LogicalResult verifyBlockwise(Operation *op, bool backward) {
  for (Operation &inner : op->getRegion(0).front().without_terminator()) {
    bool known = inner.hasTrait<IsElementwise>() ||
                 isa<ContractOp, ReduceOp, GatherOp, RenameOp, PositionOp, ConstantOp, BernoulliOp>(inner);
    if (!known && !(backward && isa<ScatterAddOp>(inner)))
      return inner.emitOpError() << "cannot stand in " << op->getName();
    auto contract = dyn_cast<ContractOp>(inner);
    auto scatter = dyn_cast<ScatterAddOp>(inner);
    if ((contract && !contract.getOnto().empty()) || (scatter && scatter.getOnto()))
      return inner.emitOpError() << "adds onto nothing in " << op->getName();
  }
  return success();
}
// The axes of rows, against the numbers of a row.
static LogicalResult verifyRows(Operation *op, ArrayAttr rows, StringAttr keys, ValueRange numbers) {
  if (rows.empty()) return op->emitOpError("there is an axis of rows");
  if (numbers[0].getType() != numbers[1].getType() || !tensorOf(numbers[0]).isFloat())
    return op->emitOpError("a row's largest score and its sum are f32 tensors of one type");
  for (auto name : rows.getAsRange<StringAttr>())
    if (name == keys || !tensorOf(numbers[0]).has(name))
      return op->emitOpError() << "axis " << name << " of rows is one of the rows' sums, and not that of the keys";
  return success();
}
// Blocks have the axes of the score: where all keys or rows have one score, it is spread over them before.
static bool sharesAxes(SubOp shifted) {
  return llvm::all_of(tensorOf(shifted).getNames(), [&](StringAttr name) { return tensorOf(shifted.getX()).has(name); });
}
LogicalResult AttentionOp::verify() {
  // attention_c1
  if (failed(verifyIsolated(*this))) return failure();
  // attention_c2
  if (failed(verifyBlockwise(*this, false))) return failure();
  // attention_c3
  if (getNumResults() != 3) return emitOpError("has three results: the sum of values, a row's largest score and its sum");
  for (Value result : getResults())
    if (tensorOf(result).has(getOverAttr())) return emitOpError() << "a result has the axis of keys " << getOverAttr();
  auto product = getYield()->getOperand(0).getDefiningOp<ContractOp>();
  if (!product || !isOver(product.getOver(), getOverAttr()))
    return emitOpError() << "its first result is a contraction over " << getOverAttr();
  auto sum = getYield()->getOperand(2).getDefiningOp<ReduceOp>();
  auto exp = sum ? sum.getX().getDefiningOp<ExpOp>() : ExpOp();
  auto shifted = exp ? exp.getX().getDefiningOp<SubOp>() : SubOp();
  if (!shifted || sum.getKind() != "sum" || !isOver(sum.getOver(), getOverAttr()) ||
      shifted.getY() != getYield()->getOperand(1))
    return emitOpError() << "its last result is the sum over " << getOverAttr() << " of exp(score - its second result)";
  if (!sharesAxes(shifted)) return emitOpError("the score has all axes of exp(score - largest)");
  auto divides = [&](Operation *user) { return isa<DivOp>(user) && user->getOperand(0) == exp.getResult(); };
  if (llvm::count_if(exp->getUsers(), divides) != 1)
    return emitOpError("the probability is exp(score - largest), divided once");
  // attention_c4
  if (failed(verifyRows(*this, getRows(), getOverAttr(), getResults().drop_front()))) return failure();
  return success();
}
std::optional<std::pair<StringAttr, int64_t>> AttentionBackwardOp::getParts() {
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || yield.getValues().size() != getNumResults()) return std::nullopt;
  for (auto [result, value] : llvm::zip(getResults(), yield.getValues()))
    if (Tensor type = tensorOf(result); type.getRank() == tensorOf(value).getRank() + 1)
      return std::pair(type.getNames()[0], type.getSizes()[0]);
  return std::nullopt;
}
LogicalResult AttentionBackwardOp::verify() {
  // attention_backward_c1
  auto parts = getParts();
  SmallVector<Type> yielded;
  for (Value result : getResults()) {
    Tensor type = tensorOf(result);
    bool isSum = parts && !type.has(getOverAttr());
    if (isSum && (type.getNames().empty() || type.getNames()[0] != parts->first || type.getSizes()[0] != parts->second))
      return emitOpError() << type << " does not begin with the " << parts->second << " parts of " << parts->first;
    yielded.push_back(isSum ? type.without({parts->first}) : type);
  }
  if (failed(verifyIsolated(*this, yielded))) return failure();
  auto namesParts = [&](Type type) { return parts && cast<Tensor>(type).has(parts->first); };
  bool isTaken = llvm::any_of(getOperandTypes(), namesParts);
  for (Operation &inner : getBody().front().without_terminator()) isTaken |= llvm::any_of(inner.getResultTypes(), namesParts);
  if (isTaken) return emitOpError() << "the dim " << parts->first << " of partial sums is a dim of something else";
  // attention_backward_c2
  if (failed(verifyBlockwise(*this, true))) return failure();
  // attention_backward_c3
  for (Value result : getResults()) {
    Tensor type = tensorOf(result);
    bool rows = llvm::any_of(getRows().getAsRange<StringAttr>(), [&](StringAttr name) { return type.has(name); });
    if (rows && type.has(getOverAttr()) && !llvm::is_contained(getInputs().getTypes(), Type(type)))
      return emitOpError() << type << " is of rows and keys, and no input is of this type";
  }
  // attention_backward_c4
  if (getInputs().size() < 2) return emitOpError("its last inputs are a row's largest score and its sum");
  Value max = getBody().getArgument(getInputs().size() - 2);
  auto shifted = max.hasOneUse() ? dyn_cast<SubOp>(*max.user_begin()) : SubOp();
  if (!shifted || shifted.getY() != max || llvm::none_of(shifted->getUsers(), [](Operation *user) { return isa<ExpOp>(user); }))
    return emitOpError("the row's largest score, its last input but one, is used in exp(score - largest) alone");
  if (!sharesAxes(shifted)) return emitOpError("the score has all axes of exp(score - largest)");
  // attention_backward_c5
  if (failed(verifyRows(*this, getRows(), getOverAttr(), getInputs().take_back(2)))) return failure();
  return success();
}
