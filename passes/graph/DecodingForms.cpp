// See DecodingForms.h.
#include "passes/graph/DecodingForms.h"
#include "passes/TensorSize.h"
#include "passes/graph/GraphBuilder.h"
#include "passes/lower/Lowering.h"

using namespace mlir;
using namespace heddle;

static SmallVector<StringAttr> summedDims(Operation *op) {
  if (auto over = op->getAttrOfType<StringAttr>("over")) return {over};
  if (auto over = op->getAttrOfType<ArrayAttr>("over"); over && !isa<ConcatOp>(op))
    return llvm::to_vector(over.getAsRange<StringAttr>());
  return {};
}

DecodingForms::DecodingForms(func::FuncOp sample, BlockArgument ids, StringAttr time)
    : sample(sample), ids(ids), time(time), builder(sample.getContext()) {}

Value DecodingForms::fail(Operation *op, const Twine &why) {
  if (!at) reason = why.str(), at = op ? op : sample.getOperation();
  return {};
}

void DecodingForms::abandon() {
  for (Block *block : detached) block->dropAllReferences();
  for (Block *block : detached) delete block;
  decode.erase();
  for (KeptValue &value : kept) value.variable.erase();
  kept.clear();
}

OpBuilder &DecodingForms::in(Level &level) {
  builder.setInsertionPointToEnd(level.fresh);
  return builder;
}

//===------------------------------------------------------------------------------------------------- what is generated
// Values that depend on the ids, and their axes of positions. A turn of a repeat may add to what the next one sees.
void DecodingForms::findGenerated() {
  generated.insert(ids);
  axes[time] = 0;
  while (markGenerated(sample.getBody().front())) {}
}

bool DecodingForms::markGenerated(Block &block) {
  bool changed = false;
  auto mark = [&](Value value, bool is) { changed |= is && generated.insert(value).second; };
  auto name = [&](StringAttr axis, int64_t offset, Operation *op) {
    auto [known, fresh] = axes.try_emplace(axis, offset);
    changed |= fresh;
    if (known->second != offset) fail(op, "`" + axis.getValue() + "` counts positions in two ways");
  };
  for (Operation &op : block.without_terminator()) {
    if (auto repeat = dyn_cast<RepeatOp>(op)) {
      auto yielded = repeat.getYield()->getOperands();
      for (auto [i, arg] : llvm::enumerate(repeat.getCarriedArgs()))
        mark(arg, generated.contains(repeat.getCarried()[i]) || generated.contains(yielded[i]));
      for (auto [stack, arg] : llvm::zip(repeat.getStacked(), repeat.getStackedArgs())) mark(arg, generated.contains(stack));
      changed |= markGenerated(repeat.getBody().front());
      for (auto [i, arg] : llvm::enumerate(repeat.getCarriedArgs()))  // after one turn at least
        mark(repeat.getResult(i), generated.contains(arg) || generated.contains(yielded[i]));
      for (auto [value, result] : llvm::zip(yielded.drop_front(repeat.getCarried().size()), repeat.getCollected()))
        mark(result, generated.contains(value));
      continue;
    }
    bool is = llvm::any_of(op.getOperands(), [&](Value operand) { return generated.contains(operand); });
    for (Value result : op.getResults()) mark(result, is);
    if (auto rename = dyn_cast<RenameOp>(op); rename && is && axes.count(rename.getFromAttr()))
      name(rename.getToAttr(), axes.lookup(rename.getFromAttr()), &op);
    if (auto concat = dyn_cast<ConcatOp>(op); concat && is) {
      int64_t before = 0;
      for (auto [piece, over] : llvm::zip(concat.getPieces(), concat.getOver().getAsRange<StringAttr>())) {
        if (generated.contains(piece) && axes.count(over)) name(concat.getToAttr(), before + axes.lookup(over), &op);
        before += over.empty() ? 1 : tensorOf(piece).sizeOf(over);
      }
    }
  }
  return changed && !at;
}

StringAttr DecodingForms::onlyTimeAxis(Value value) {
  StringAttr only;
  for (StringAttr dim : tensorOf(value).getNames())
    if (axes.count(dim)) {
      if (only) return {};
      only = dim;
    }
  return only;
}

//===------------------------------------------------------------------------------------------------- rows
// The element of `axis` that belongs to the position, an i32.
Value DecodingForms::index(StringAttr axis, Level &level) {
  GraphBuilder b(in(level), position.getLoc());
  int64_t offset = axes.lookup(axis);
  return offset ? b.add(position, b.integer(offset)) : position;
}

Value DecodingForms::row(Value value, StringAttr axis) {
  if (Value known = rows.lookup({value, axis})) return known;
  Value made = at ? Value() : makeRow(value, axis);
  if (made) rows[{value, axis}] = made;
  return made;
}

Value DecodingForms::makeRow(Value value, StringAttr axis) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<ReadOp>(op)) return rowOfWhole(value, axis);
  if (auto repeat = dyn_cast<RepeatOp>(op)) {
    if (!generated.contains(value)) return rowOfWhole(value, axis);
    if (!takeApart(repeat)) return {};
    Value known = rows.lookup({value, axis});
    return known ? known : fail(op, "a result of the repeat is wanted along another axis");
  }
  if (isa<PositionOp>(op)) return index(axis, levelOf(value));
  Level &level = levelOf(value);
  Tensor type = tensorOf(value).without({axis});
  if (auto constant = dyn_cast<ConstantOp>(op)) return ConstantOp::create(in(level), op->getLoc(), type, constant.getValue());
  if (auto rename = dyn_cast<RenameOp>(op); rename && rename.getToAttr() == axis) return row(rename.getX(), rename.getFromAttr());
  if (auto concat = dyn_cast<ConcatOp>(op); concat && concat.getToAttr() == axis) return rowOfConcat(concat, axis);
  if (auto broadcast = dyn_cast<BroadcastOp>(op); broadcast && !tensorOf(broadcast.getX()).has(axis)) {
    Value x = whole(broadcast.getX());
    if (!x || x.getType() == type) return x;
    return BroadcastOp::create(in(level), op->getLoc(), type, x);
  }
  return cloneRow(op, axis);
}

// Of what does not depend on the ids.
Value DecodingForms::rowOfWhole(Value value, StringAttr axis) {
  if (generated.contains(value)) return fail(value.getDefiningOp(), "`" + axis.getValue() + "` cannot be followed");
  Value all = whole(value);
  if (!all) return {};
  Level &level = levelOf(value);
  Value element = index(axis, level);
  return GatherOp::create(in(level), value.getLoc(), tensorOf(value).without({axis}), all, element, axis);
}

Value DecodingForms::rowOfConcat(ConcatOp concat, StringAttr axis) {
  Value grown;
  StringAttr over;
  for (auto [piece, name] : llvm::zip(concat.getPieces(), concat.getOver().getAsRange<StringAttr>())) {
    if (grown) return fail(concat, "something stands behind the generated positions");
    if (generated.contains(piece)) grown = piece, over = name;
  }
  if (!grown) return rowOfWhole(concat, axis);
  if (!axes.count(over)) return fail(concat, "`" + axis.getValue() + "` does not count positions");
  Value made = row(grown, over);
  return made ? GraphBuilder(in(levelOf(concat)), concat.getLoc()).as(made, tensorOf(concat).without({axis})) : Value();
}

// Whether `op` may sum over, or normalise over, its dims in one row: over positions only where later ones are masked.
bool DecodingForms::mayReduce(Operation *op, StringAttr axis) {
  for (StringAttr dim : summedDims(op)) {
    if (dim == axis) return fail(op, "`" + axis.getValue() + "` is summed or normalised over"), false;
    bool grows = llvm::any_of(op->getOperands(), [&](Value operand) {
      return generated.contains(operand) && tensorOf(operand).has(dim) && axes.count(dim);
    });
    if (!grows) continue;
    auto reduce = dyn_cast<ReduceOp>(op);
    bool sums = isa<ContractOp>(op) || (reduce && reduce.getKind() == "sum");
    bool most = isa<SoftmaxOp, LogSoftmaxOp, ArgmaxOp>(op) || (reduce && reduce.getKind() == "max");
    Masked masked = sums ? Masked::zero : Masked::minusInfinity;
    bool proven = (sums || most) && llvm::any_of(op->getOperands(), [&](Value operand) {
      return isMaskedBeyond(operand, axis, dim, masked, axes);
    });
    if (!proven)
      return fail(op, "it is not shown that `" + axis.getValue() + "` leaves out later positions of `" + dim.getValue() + "`"), false;
  }
  return true;
}

Value DecodingForms::cloneRow(Operation *op, StringAttr axis) {
  Value result = op->getResult(0);
  bool known = op->hasTrait<IsElementwise>() || isa<ContractOp, ReduceOp, SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp,
                                                     ArgmaxOp, CrossEntropyOp, GatherOp, RenameOp, RegroupOp, ConcatOp>(op);
  if (!known || op->getNumResults() != 1) return fail(op, "'" + op->getName().getStringRef() + "' has no form for one position");
  if (!mayReduce(op, axis)) return {};
  if (auto gather = dyn_cast<GatherOp>(op); gather && generated.contains(gather.getX()) && axes.count(gather.getAxisAttr()))
    return fail(op, "another position of `" + gather.getAxis() + "` is read");
  if (auto regroup = dyn_cast<RegroupOp>(op))
    if (llvm::is_contained(regroup.getFrom(), axis) || llvm::is_contained(regroup.getTo(), axis))
      return fail(op, "`" + axis.getValue() + "` is split or merged");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(tensorOf(operand).has(axis) ? row(operand, axis) : whole(operand));
    if (!operands.back()) return {};
  }
  in(levelOf(result));
  Operation *clone = op->clone();
  builder.insert(clone);
  clone->setOperands(operands);
  clone->getResult(0).setType(tensorOf(result).without({axis}));
  return clone->getResult(0);
}

//===------------------------------------------------------------------------------------------------- wholes
Value DecodingForms::whole(Value value) {
  if (Value known = wholes.lookup(value)) return known;
  Value made = at ? Value() : makeWhole(value);
  if (made) wholes[value] = made;
  return made;
}

Value DecodingForms::makeWhole(Value value) {
  if (generated.contains(value)) return cached(value);
  if (!isCheap(value)) return keep(value, false);
  Operation *op = value.getDefiningOp();
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(whole(operand));
    if (!operands.back()) return {};
  }
  if (isa<ReadOp>(op)) builder.setInsertionPointToStart(owned.front()->fresh);
  else in(levelOf(value));
  Operation *clone = op->clone();
  builder.insert(clone);
  clone->setOperands(operands);
  return clone->getResult(0);
}

// Parameters, and what is computed of them and of positions element by element.
bool DecodingForms::isCheap(Value value) {
  if (auto it = cheap.find(value); it != cheap.end()) return it->second;
  Operation *op = value.getDefiningOp();
  bool found = op ? isa<ReadOp>(op) || ((op->hasTrait<IsElementwise>() || isa<ConstantOp, PositionOp, RenameOp, RegroupOp>(op)) &&
                                        llvm::all_of(op->getOperands(), [&](Value operand) { return isCheap(operand); }))
                  : wholes.contains(value);  // the index and the slices of a repeat
  return cheap[value] = found;
}

Value DecodingForms::cached(Value value) {
  StringAttr axis = onlyTimeAxis(value);
  Operation *op = value.getDefiningOp();
  if (!axis) {
    bool none = llvm::none_of(tensorOf(value).getNames(), [&](StringAttr dim) { return axes.count(dim); });
    return fail(op ? op : value.getParentBlock()->getParentOp(),
                none ? "this depends on all positions at once" : "all of a tensor of positions by positions is needed");
  }
  Value element = row(value, axis);
  if (!element) return {};
  Value old = keep(value, true);
  if (!old) return {};
  Level &level = levelOf(value);
  Value now = index(axis, level);
  GraphBuilder b(in(level), value.getLoc());
  Tensor type = tensorOf(value);
  Value here = b.compare("eq", b.position(axis, type.sizeOf(axis)), now);
  Value fresh = SelectOp::create(builder, value.getLoc(), type, here, element, old);
  level.written.push_back({fresh, kept.back().variable});
  return fresh;
}

Value DecodingForms::keep(Value value, bool cache) {
  VariableOp variable = newVariable(value);
  kept.push_back({value, variable, cache});
  if (isTooLarge(cast<Tensor>(variable.getType()))) return fail(value.getDefiningOp(), "it would have to keep more than 2^40 elements");
  return slice(levelOf(value), read(kept.back().variable));
}

VariableOp DecodingForms::newVariable(Value value) {
  Tensor type = tensorOf(value);
  std::string name;
  int64_t repeats = 0;
  for (Level *level = &levelOf(value); level->repeat; level = level->parent, ++repeats) {
    type = type.withLeading(level->repeat.getAxisAttr(), level->repeat.getCount());
    name = (level->repeat.getName() + ".{}." + name).str();
  }
  auto module = sample->getParentOfType<ModuleOp>();
  std::string own = name + "cache";
  for (int n = 2; module.lookupSymbol(own); ++n) own = name + "cache_" + std::to_string(n);
  builder.setInsertionPoint(sample);
  for (auto variable : module.getOps<VariableOp>()) builder.setInsertionPointAfter(variable);
  return VariableOp::create(builder, value.getLoc(), builder.getStringAttr(own), TypeAttr::get(type), builder.getStringAttr("cache"),
                            builder.getI64IntegerAttr(repeats), builder.getStringAttr("constant"), builder.getF64FloatAttr(0),
                            builder.getF64FloatAttr(0), builder.getI64IntegerAttr(0), UnitAttr(), IntegerAttr());
}

Value DecodingForms::read(VariableOp variable) {
  builder.setInsertionPointToStart(owned.front()->fresh);
  return ReadOp::create(builder, variable.getLoc(), variable.getType(), variable.getSymName());
}

// What an iteration sees of a value at the top with a leading dim for each repeat.
Value DecodingForms::slice(Level &level, Value top) {
  if (!level.repeat) return top;
  Value stack = slice(*level.parent, top);
  level.stacked.push_back(stack);
  Tensor type = tensorOf(stack);
  return level.fresh->addArgument(type.without({type.getNames()[0]}), stack.getLoc());
}

//===------------------------------------------------------------------------------------------------- repeats
bool DecodingForms::takeApart(RepeatOp repeat) {
  if (!apart.insert(repeat).second) return !at;
  Level &parent = *levels.lookup(repeat->getBlock());
  owned.push_back(std::make_unique<Level>());
  Level &level = *owned.back();
  level.old = &repeat.getBody().front();
  level.fresh = new Block();
  level.parent = &parent;
  level.repeat = repeat;
  detached.push_back(level.fresh);
  levels[level.old] = &level;

  Location loc = repeat.getLoc();
  wholes[repeat.getIndex()] = level.fresh->addArgument(repeat.getIndex().getType(), loc);
  // The form of a value around or in the loop: its row if it is generated. `seen` is how the body knows it.
  auto form = [&](Value value, Value seen) -> Value {
    if (!generated.contains(seen)) return whole(value);
    StringAttr axis = onlyTimeAxis(seen);
    return axis ? row(value, axis) : fail(repeat, "a value of the loop has no axis of positions, or two");
  };
  auto know = [&](Value old, Value fresh) {
    if (generated.contains(old)) rows[{old, onlyTimeAxis(old)}] = fresh;
    else wholes[old] = fresh;
  };
  SmallVector<Value> carried, stacked, yielded;
  for (auto [value, arg] : llvm::zip(repeat.getCarried(), repeat.getCarriedArgs())) {
    carried.push_back(form(value, arg));
    if (!carried.back()) return false;
    know(arg, level.fresh->addArgument(carried.back().getType(), loc));
  }
  for (auto [value, arg] : llvm::zip(repeat.getStacked(), repeat.getStackedArgs())) {
    stacked.push_back(form(value, arg));
    if (!stacked.back()) return false;
    Tensor type = tensorOf(stacked.back());
    know(arg, level.fresh->addArgument(type.without({repeat.getAxisAttr()}), loc));
  }
  for (auto [value, arg] : llvm::zip(repeat.getYield()->getOperands(), repeat.getCarriedArgs())) {
    yielded.push_back(form(value, arg));
    if (!yielded.back()) return false;
  }
  for (Value value : repeat.getYield()->getOperands().drop_front(carried.size())) {
    yielded.push_back(form(value, value));
    if (!yielded.back()) return false;
  }
  SmallVector<Type> types(ValueRange(carried).getTypes());
  auto collect = [&](Value value) {
    types.push_back(tensorOf(value).withLeading(repeat.getAxisAttr(), repeat.getCount()));
  };
  for (Value value : ArrayRef(yielded).drop_front(carried.size())) collect(value);
  for (auto [value, variable] : level.written) {
    collect(value);
    yielded.push_back(value);
  }
  YieldOp::create(in(level), loc, yielded);
  stacked.append(level.stacked);
  auto made = RepeatOp::create(in(parent), loc, types, repeat.getNameAttr(), repeat.getAxisAttr(), repeat.getCountAttr(),
                               repeat.getReverseAttr(), carried, stacked);
  made.getBody().push_back(level.fresh);
  llvm::erase(detached, level.fresh);
  for (auto [i, result] : llvm::enumerate(repeat.getResults())) know(result, made.getResult(i));
  for (auto [i, written] : llvm::enumerate(level.written))
    parent.written.push_back({made.getResult(repeat.getNumResults() + i), written.second});
  return true;
}

bool DecodingForms::derive() {
  findGenerated();
  Location loc = sample.getLoc();
  Tensor token = tensorOf(ids).without({time});
  Tensor scalar = Tensor::get({}, {}, builder.getI32Type());
  Value logits = sample.getBody().front().getTerminator()->getOperand(0);
  builder.setInsertionPointAfter(sample);
  decode = func::FuncOp::create(builder, loc, "decode",
                                builder.getFunctionType({token, scalar}, {tensorOf(logits).without({time})}));
  owned.push_back(std::make_unique<Level>());
  Level &top = *owned.back();
  top.old = &sample.getBody().front();
  top.fresh = decode.addEntryBlock();
  levels[top.old] = &top;
  rows[{ids, time}] = top.fresh->getArgument(0);
  GraphBuilder b(in(top), loc);
  // Within the axis whatever the caller says: the proof of every index by it.
  position = b.min(b.max(top.fresh->getArgument(1), b.integer(0)), b.integer(tensorOf(ids).sizeOf(time) - 1));

  Value result = at ? Value() : row(logits, time);
  if (!result) return abandon(), false;
  for (auto [value, variable] : top.written) WriteOp::create(in(top), value.getLoc(), value, variable.getSymName());
  func::ReturnOp::create(in(top), loc, result);
  decode.setArgAttr(0, kNameAttr, sample.getArgAttr(ids.getArgNumber(), kNameAttr));
  decode.setArgAttr(1, kNameAttr, builder.getStringAttr("$position"));
  decode.setResultAttr(0, kNameAttr, sample.getResultAttr(0, kNameAttr));
  return true;
}
