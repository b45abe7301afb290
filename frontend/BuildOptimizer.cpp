// From an optimizer and its groups to update rules in the graph.
//
// Parameters that share all arguments share a rule: a private function of the graph's own ops on one element, which
// passes/graph/ApplyOptimizer.h defines. So a rule is text of stage graph like everything else, checked by the verifiers
// of its ops, and the passes know no optimizer by name.
#include "frontend/AstWalk.h"
#include "frontend/DidYouMean.h"
#include "frontend/PrintAst.h"
#include "frontend/TrainBlock.h"

namespace heddle {
using namespace ast;

namespace {

/// Does a pattern, in which `*` stands for any characters, match a whole name?
bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// `h.3.wq` -> `h.{}.wq`: as the variable of all layers is called.
std::string withoutLayers(const std::string &pattern) {
  std::string result;
  for (size_t begin = 0; begin <= pattern.size();) {
    size_t end = std::min(pattern.find('.', begin), pattern.size());
    std::string word = pattern.substr(begin, end - begin);
    bool number = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    result += (begin ? "." : "") + (number ? "{}" : word);
    begin = end + 1;
  }
  return result;
}

struct Trained {
  VariableOp variable;
  std::string name;
  bool vector;
  std::vector<const Group *> groups;
};

class Builder {
public:
  Builder(const ModuleTable &table, Diagnostics &diagnostics, mlir::ModuleOp graph, const Optimizer &optimizer,
          int64_t steps, const std::map<std::string, int64_t> &sizes)
      : table(table), diagnostics(diagnostics), graph(graph), optimizer(optimizer), steps(steps), sizes(sizes),
        builder(graph.getContext()), stem(snakeCase(optimizer.rule->name.name)) {}

  std::optional<std::vector<OptimizerGroup>> run() {
    std::vector<Trained> parameters = trained();
    for (const Group &group : optimizer.groups)
      for (const GroupStmt::Selector &selector : group.ast->selectors)
        select(selector, group, parameters);
    refuseNames(parameters);
    if (diagnostics.hasErrors())
      return std::nullopt;
    std::vector<std::vector<const Trained *>> shared; // by what is the same for all
    for (const Trained &p : parameters) {
      auto same = llvm::find_if(shared, [&](auto &others) { return others[0]->groups == p.groups && (others[0]->vector == p.vector || !decay()); });
      if (same == shared.end())
        shared.push_back({&p});
      else
        same->push_back(&p);
    }
    std::vector<OptimizerGroup> result;
    size_t ops = 0;
    llvm::SmallVector<mlir::Attribute> rules;
    for (auto &members : shared) {
      std::string symbol = fmt::format("optimizer.{}", result.size());
      ops += rule(symbol, *members[0]) * members.size();
      if (ops > mostOps && !diagnostics.hasErrors())
        diagnostics.error(Code::H0603, optimizer.span, fmt::format("the updates of all parameters have more than {} operations", mostOps))
            .note("a rule is written for each parameter").help("stack the parameters of like layers: `repeat L as h { ... }`");
      if (diagnostics.hasErrors())
        return std::nullopt;
      OptimizerGroup group{settings(*members[0]), {}};
      llvm::SmallVector<mlir::Attribute> names;
      for (const Trained *p : members) {
        group.parameters.push_back(p->name);
        names.push_back(mlir::FlatSymbolRefAttr::get(builder.getContext(), p->name));
      }
      rules.push_back(builder.getDictionaryAttr({entry("rule", mlir::FlatSymbolRefAttr::get(builder.getContext(), symbol)),
                                                 entry("parameters", builder.getArrayAttr(names))}));
      result.push_back(std::move(group));
    }
    rate();
    if (diagnostics.hasErrors())
      return std::nullopt;
    graph->setAttr("heddle.optimizer",
                   builder.getDictionaryAttr({entry("name", builder.getStringAttr(stem)),
                                              entry("clip", builder.getF64FloatAttr(optimizer.clip)),
                                              entry("lr", mlir::FlatSymbolRefAttr::get(builder.getContext(), "optimizer.lr")),
                                              entry("rules", builder.getArrayAttr(rules))}));
    return result;
  }

private:
  static constexpr size_t mostOps = 500'000; // of all parameters together: compiled within seconds

  mlir::NamedAttribute entry(const char *name, mlir::Attribute value) { return builder.getNamedAttr(name, value); }

  std::vector<Trained> trained() {
    std::vector<Trained> all;
    for (auto variable : graph.getOps<VariableOp>()) {
      if (variable.getKind() != "parameter" || variable.getFrozen())
        continue;
      int64_t rank = llvm::cast<heddle::Tensor>(variable.getType()).getRank() - static_cast<int64_t>(variable.getRepeats());
      all.push_back({variable, variable.getSymName().str(), rank < 2, {}});
    }
    return all;
  }

  void select(const GroupStmt::Selector &selector, const Group &group, std::vector<Trained> &parameters) {
    bool any = false;
    for (Trained &p : parameters) {
      if (selector.word ? p.vector != (selector.text == "vectors") : !matches(selector.text, p.name) && !matches(selector.text, asPattern(p.name)))
        continue;
      any = true;
      if (p.groups.empty() || p.groups.back() != &group)
        p.groups.push_back(&group);
    }
    if (any)
      return;
    if (selector.word) {
      diagnostics.error(Code::H0416, selector.span, fmt::format("no parameter that is trained is among the {}", selector.text))
          .help("leave it out");
      return;
    }
    Diagnostic &d = diagnostics.error(Code::H0416, selector.span, fmt::format("no parameter that is trained has a name like `{}`", selector.text));
    std::vector<std::string> names;
    for (const Trained &p : parameters) {
      names.push_back(asPattern(p.name));
      if (matches(withoutLayers(selector.text), p.name)) {
        d.note("the layers of a `repeat` are one parameter, which is updated together")
            .help(fmt::format("write `\"{}\"`", asPattern(withoutLayers(selector.text))));
        return;
      }
    }
    for (auto variable : graph.getOps<VariableOp>())
      if (variable.getFrozen() && matches(selector.text, variable.getSymName())) {
        d.note(fmt::format("`{}` is not trained", asPattern(variable.getSymName().str())));
        return;
      }
    constexpr size_t most = 12;
    std::string list, meant = nearest(selector.text, names);
    for (size_t i = 0; i < std::min(most, names.size()); ++i)
      list += (i ? ", " : "") + names[i];
    if (!meant.empty())
      d.help(fmt::format("did you mean `\"{}\"`?", meant));
    d.note("the parameters are " + list + (names.size() > most ? fmt::format(" and {} more", names.size() - most) : ""));
  }

  // The names of the optimizer's state are the optimizer's, the state's and the parameter's.
  void refuseNames(const std::vector<Trained> &parameters) {
    std::set<std::string> taken;
    for (auto variable : graph.getOps<VariableOp>())
      taken.insert(variable.getSymName().str());
    for (const StmtPtr &stmt : optimizer.rule->body)
      if (auto *state = stmt->as<StateStmt>())
        for (const Trained &p : parameters)
          if (std::string name = fmt::format("{}.{}.{}", stem, state->name.name, p.name); taken.count(name)) {
            diagnostics.error(Code::H0416, optimizer.span, fmt::format("a variable of the model is called `{}`, as the state of `{}` is", name, p.name))
                .help("give one of the two another name");
            return;
          }
  }

  /// The decay that matrices alone have; null if there is none.
  const Expr *decay() const {
    for (const Parameter &p : optimizer.rule->params) {
      if (p.name.name != "decay")
        continue;
      auto given = optimizer.given.find("decay");
      const Expr *e = given == optimizer.given.end() ? p.defaultValue.get() : given->second;
      bool zero = !e || (e->is<IntLiteral>() && e->as<IntLiteral>()->value == 0) ||
                  (e->is<FloatLiteral>() && e->as<FloatLiteral>()->value == 0);
      return zero ? nullptr : e;
    }
    return nullptr;
  }

  std::string settings(const Trained &p) {
    std::map<std::string, std::string> set;
    if (const Expr *e = decay())
      set["decay"] = p.vector ? "0" : printAst(*e);
    for (const Group *group : p.groups)
      for (auto &[name, e] : group->given)
        set[name] = printAst(*e);
    std::string text;
    for (auto &[name, value] : set)
      text += (text.empty() ? "" : ", ") + name + " = " + value;
    return text;
  }

  /// A private function under construction, in which `step` is an argument.
  struct Function {
    Function(Builder &b, const std::string &symbol) : el(b.table, b.diagnostics, Elaborator::Mode::Build, b.sizes), b(b) {
      place = mlir::FileLineColLoc::get(b.builder.getContext(), b.optimizer.span.source->name(),
                                        b.optimizer.span.start().line, b.optimizer.span.start().column);
      b.builder.setInsertionPointToEnd(b.graph.getBody());
      func = mlir::func::FuncOp::create(b.builder, place, symbol, b.builder.getFunctionType({}, {}));
      func.setPrivate();
      block = func.addEntryBlock();
      b.builder.setInsertionPointToEnd(block);
      el.builder = &b.builder, el.graph = b.graph, el.entry = block;
      el.declareFileDims();
      el.current = &frame;
      frame.file = &b.table.file();
    }
    mlir::Value argument(const std::string &name, mlir::Type type) {
      names.push_back(name);
      return block->addArgument(type, mlir::NameLoc::get(b.builder.getStringAttr(name), place));
    }
    /// Whether what gives the rule its numbers is arithmetic, of `step` at most; an error otherwise.
    bool areNumbers() {
      for (mlir::Operation &op : *block) {
        if (op.hasTrait<IsElementwise>() || llvm::isa<ConstantOp>(op))
          continue;
        Diagnostic &d = b.diagnostics.error(Code::H0415, b.optimizer.span,
                                            "what an optimizer is given is a number, made by arithmetic of `step`");
        if (auto line = op.getLoc()->findInstanceOf<mlir::FileLineColLoc>())
          d.note(fmt::format("`{}` of line {} is none", std::string(op.getName().stripDialect()), line.getLine()));
        d.help("a schedule may call functions of numbers, and modules of such functions");
        return false;
      }
      return true;
    }
    Value step() {
      Value step = Elaborator::stepValue();
      step.ir = argument("$step", heddle::Tensor::get({}, {}, b.builder.getI32Type()));
      return step;
    }
    void close(const std::vector<std::pair<std::string, mlir::Value>> &results) {
      llvm::SmallVector<mlir::Value> values;
      for (auto &[name, value] : results)
        values.push_back(value);
      mlir::func::ReturnOp::create(b.builder, place, values);
      func.setFunctionType(b.builder.getFunctionType(block->getArgumentTypes(), mlir::ValueRange(values).getTypes()));
      for (auto [i, name] : llvm::enumerate(names))
        func.setArgAttr(i, kNameAttr, b.builder.getStringAttr(name));
      for (auto [i, initial] : initials)
        func.setArgAttr(i, "heddle.init", b.builder.getF64FloatAttr(initial));
      for (size_t i = 0; i < results.size(); ++i)
        func.setResultAttr(i, kNameAttr, b.builder.getStringAttr(results[i].first));
    }
    Elaborator el;
    Elaborator::Frame frame;
    Builder &b;
    mlir::Location place = mlir::UnknownLoc::get(b.builder.getContext());
    mlir::func::FuncOp func;
    mlir::Block *block = nullptr;
    std::vector<std::string> names;
    std::vector<std::pair<unsigned, double>> initials;
  };

  void rate() {
    Function f(*this, "optimizer.lr");
    Elaborator::nameSteps(f.frame, f.step(), steps);
    f.frame.subject = "lr";
    std::map<std::string, Value> values = argumentValues(optimizer, false, {}, f.el, f.frame);
    if (!diagnostics.hasErrors() && f.areNumbers())
      f.close({{"lr", values["lr"].ir}});
  }

  /// The number of the rule's operations.
  size_t rule(const std::string &symbol, const Trained &p) {
    Function f(*this, symbol);
    Elaborator::Frame rule;
    Value step = f.step();
    f.el.openRule(*optimizer.rule, rule, step, steps);
    Elaborator::nameSteps(f.frame, step, steps);
    mlir::Type type = f.el.irType(optimizer.span, Value::tensor(Element::F32, rule.rest));
    for (size_t i = 0; i < 2; ++i) {
      const Parameter &param = optimizer.rule->params[i];
      Value v = Value::tensor(Element::F32, rule.rest);
      v.ir = f.argument(i ? "gradient" : "parameter", type);
      v.name = param.name.name;
      v.made = param.span;
      rule.names[param.name.name] = v;
    }
    for (auto &[name, value] : argumentValues(optimizer, p.vector, p.groups, f.el, f.frame))
      rule.names[name] = value;
    f.el.ruleState = [&](const std::string &name, double initial) {
      f.initials.push_back({static_cast<unsigned>(f.names.size()), initial});
      return f.argument("state." + name, type);
    };
    if (diagnostics.hasErrors() || !f.areNumbers())
      return 0;
    f.el.walkRule(rule);
    if (diagnostics.hasErrors())
      return 0;
    std::vector<std::pair<std::string, mlir::Value>> results;
    for (auto &[name, value] : f.el.writes)
      results.push_back({name == optimizer.rule->params[0].name.name ? "parameter" : "state." + name, value});
    f.close(results);
    return f.block->getOperations().size();
  }

  const ModuleTable &table;
  Diagnostics &diagnostics;
  mlir::ModuleOp graph;
  const Optimizer &optimizer;
  int64_t steps;
  const std::map<std::string, int64_t> &sizes;
  mlir::OpBuilder builder;
  std::string stem; // of the names of its state
};

} // namespace

std::optional<std::vector<OptimizerGroup>> buildOptimizer(const ModuleTable &table, Diagnostics &diagnostics,
                                                          mlir::ModuleOp graph, const Optimizer &optimizer, int64_t steps,
                                                          const std::map<std::string, int64_t> &sizes) {
  return Builder(table, diagnostics, graph, optimizer, steps, sizes).run();
}

} // namespace heddle
