// What a call site keeps from step to step (`state`, `next`), and what a loop gathers (`collect`).
//
// A state is a variable, as a parameter is: reads of a step see the value before it, and the last op of the entry writes
// the next one. Both a `next` and a `collect` inside loops leave them as the loop's stacked results.
#include "frontend/DidYouMean.h"
#include "frontend/Elaborator.h"

namespace heddle {
using namespace ast;

void Elaborator::state(const StateStmt &stmt, Frame &frame) {
  const std::string &name = stmt.name.name;
  frame.names[name] = Value();
  std::vector<Axis *> dims;
  bool good = resolve(stmt.type, frame, dims) && !refuseElement(stmt.type.element, stmt.type.elementSpan);
  if (good && stmt.type.element != Element::F32) {
    error(Code::H0305, stmt.type.elementSpan, "a state is f32").help("keep it as f32: whole numbers up to 2^24 are exact");
    good = false;
  }
  auto init = initialiser(stmt.init, dims, frame);
  if (init && std::string_view(init->kind) != "constant") {
    error(Code::H0309, stmt.init.span, "a state starts with the same number everywhere")
        .help("write `zeros`, `ones` or `constant(0.5)`");
    good = false;
  }
  State known;
  known.span = stmt.name.span;
  known.depth = loops.size();
  if (!good || !init) {
    frame.states[name] = known; // its `next` needs no second error
    return;
  }
  Value value = Value::tensor(Element::F32, dims);
  value.name = name;
  value.made = stmt.name.span;
  if (building()) {
    known.full = frame.path + name;
    if (ruleState) {
      value.ir = ruleState(name, init->a);
    } else if (!keepsState) {
      value = broadcast(stmt.name.span, constant(stmt.name.span, init->a, Element::F32), dims);
    } else {
      auto [other, fresh] = stateNames.emplace(known.full, stmt.name.span);
      if (!fresh) {
        error(Code::H0307, inMainFile(stmt.name.span), fmt::format("two states are called `{}`", known.full))
            .help("calls with one `as` share their parameters, but a state belongs to one call: give each its own name");
        return;
      }
      if (!variable(known.full, value, stmt.name.span, "state", *init, false))
        return;
      value = read(known.full, value, stmt.name.span);
    }
    value.index = false;
    value.name = name;
    value.made = stmt.name.span;
  }
  known.value = value;
  frame.states[name] = known;
  frame.names[name] = value;
}

void Elaborator::next(const NextStmt &stmt, Frame &frame) {
  const std::string &name = stmt.target.name;
  Value v = expr(*stmt.value, frame);
  auto it = frame.states.find(name);
  if (it == frame.states.end()) {
    std::vector<std::string> names;
    for (auto &[state, known] : frame.states)
      names.push_back(state);
    Diagnostic &d = error(Code::H0318, stmt.target.span, fmt::format("`{}` is no state of this {}", name,
                                                                        frame.module && frame.module->results.empty()
                                                                            ? "optimizer"
                                                                            : "module"));
    if (!suggest(d, stmt.target.span, name, names))
      d.help(fmt::format("declare it: `state {}: f32[B,M,D] = zeros`; other values are assigned with `{} = ...`", name, name));
    return;
  }
  State &state = it->second;
  if (state.next.valid()) {
    error(Code::H0318, stmt.target.span, fmt::format("`next {}` stands twice", name)).label(state.next, "here first");
    return;
  }
  state.next = stmt.target.span;
  if (state.depth != loops.size()) {
    error(Code::H0318, stmt.target.span, fmt::format("`next {}` stands in a loop in which its state is not declared", name))
        .label(state.span, "declared here")
        .help("a state has one next value: move the `state` into the loop, or the `next` out of it");
    return;
  }
  if (v.isUnknown() || state.value.isUnknown())
    return;
  if (v.isNumber() || v.isI32())
    v = toFloat(stmt.value->span, v);
  const std::vector<Axis *> &dims = state.value.dims;
  if (v.isF32() && v.index && llvm::all_of(v.dims, [&](Axis *axis) { return state.value.has(axis); }))
    v = broadcast(stmt.value->span, v, dims);
  if (!v.isF32() || v.dims.size() != dims.size() || !llvm::all_of(dims, [&](Axis *axis) { return v.has(axis); })) {
    Diagnostic &d = error(Code::H0318, stmt.value->span, fmt::format("the next value of `{}` is {}", name, typeText(v)));
    d.label(state.span, fmt::format("the state is {}", typeText(state.value)));
    labelMade(d, v, stmt.value->span);
    return;
  }
  if (!building() || !keepsState)
    return;
  v.dims = dims;
  if (mlir::Value whole = ordered(stmt.value->span, v))
    (loops.empty() ? writes : loops.back().writes).push_back({state.full, whole});
}

void Elaborator::endStates(Frame &frame) {
  for (auto it = frame.states.begin(); it != frame.states.end();) {
    const State &state = it->second;
    if (state.depth < loops.size() || (state.depth == loops.size() && !loops.empty())) {
      ++it;
      continue;
    }
    if (!building() && !state.next.valid())
      error(Code::H0318, state.span, fmt::format("the state `{}` has no next value", it->first))
          .help(fmt::format("say what it is in the next step: `next {} = ...`", it->first));
    it = frame.states.erase(it);
  }
}

void Elaborator::collect(const CollectStmt &stmt, Frame &frame) {
  Value v = expr(*stmt.value, frame);
  if (loops.empty()) {
    frame.names[stmt.target.name] = Value();
    error(Code::H0319, stmt.span, "`collect` stands inside a `repeat`")
        .help("it gathers a value of every iteration; outside of a loop write `hs = x`");
    return;
  }
  Axis *axis = dim(stmt.dim, frame);
  Loop &loop = loops.back();
  for (const Collected &other : loop.collected)
    if (other.name.name == stmt.target.name) {
      error(Code::H0319, stmt.target.span, fmt::format("`{}` is collected twice", stmt.target.name))
          .label(other.name.span, "here first");
      return;
    }
  loop.collected.push_back({stmt.target, Value(), nullptr});
  if (!axis || v.isUnknown())
    return;
  if (axis != loop.axis) {
    error(Code::H0319, stmt.dim.span, fmt::format("`collect` goes over the dim of its `repeat`, which is `{}`", loop.axis->name))
        .help(fmt::format("write `collect {}[{}] = ...`", stmt.target.name, loop.axis->name));
    return;
  }
  if (v.isNumber())
    v = toTensor(stmt.value->span, v, v.number.element());
  if (!v.isTensor()) {
    error(Code::H0319, stmt.value->span, "`collect` gathers tensors").here(fmt::format("this is {}", typeText(v)));
    return;
  }
  if (!lacksAxis(v, axis, stmt.dim))
    return;
  Collected &made = loop.collected.back();
  made.inside = building() ? ordered(stmt.value->span, v) : mlir::Value();
  made.value = Value::tensor(v.element, {axis});
  made.value.dims.insert(made.value.dims.end(), v.dims.begin(), v.dims.end());
  made.value.index = v.index;
  made.value.range = v.range;
  made.value.name = stmt.target.name;
  made.value.made = stmt.target.span;
}

} // namespace heddle
