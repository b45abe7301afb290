// Printing by recursive descent over the tree, in the mirror image of the parser: each operand is printed at the
// precedence that its place demands and puts parentheses around itself if its own is lower.
#include "frontend/PrintAst.h"

#include <fmt/format.h>

namespace heddle {
namespace {

using namespace ast;

constexpr int unaryPrecedence = 8, powerPrecedence = 9, postfixPrecedence = 10;

int precedenceOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Then: return 1;
  case BinaryOp::Or: return 2;
  case BinaryOp::And: return 3;
  case BinaryOp::Equal:
  case BinaryOp::NotEqual:
  case BinaryOp::Less:
  case BinaryOp::LessEqual:
  case BinaryOp::Greater:
  case BinaryOp::GreaterEqual: return 5;
  case BinaryOp::Add:
  case BinaryOp::Subtract: return 6;
  case BinaryOp::Multiply:
  case BinaryOp::Divide:
  case BinaryOp::FloorDivide:
  case BinaryOp::Modulo: return 7;
  case BinaryOp::Power: return powerPrecedence;
  }
  return 0;
}

std::string names(const std::vector<Ident> &idents, const char *separator) {
  std::string text;
  for (const Ident &ident : idents)
    text += (text.empty() ? "" : separator) + ident.name;
  return text;
}

std::string typeText(const TensorType &type) {
  std::string text = spelling(type.element);
  if (!type.rest && type.dims.empty())
    return text;
  std::string rest = !type.rest ? "" : type.dims.empty() ? ".." : ".., ";
  return text + "[" + rest + names(type.dims, type.rest ? ", " : ",") + "]";
}

std::string quote(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  }
  return text + "\"";
}

std::string print(const Expr &expr, int context);

std::string overText(const Over &over) {
  std::string text;
  for (const Over::Axis &axis : over.axes)
    text += (text.empty() ? "" : over.into ? " + " : ", ") + axis.dim.name;
  return "over " + text + (over.into ? " -> " + over.into->name : "");
}

std::string argumentText(const Argument &argument) {
  switch (argument.kind) {
  case Argument::Kind::Positional: return print(*argument.value, 0);
  case Argument::Kind::Named: return argument.name.name + " = " + print(*argument.value, 0);
  case Argument::Kind::Over: return overText(argument.over);
  case Argument::Kind::Field: return argument.name.name + ": " + typeText(argument.type);
  }
  return "";
}

std::string argumentsText(const std::vector<Argument> &args) {
  std::string text;
  for (const Argument &argument : args)
    text += (text.empty() ? "" : ", ") + argumentText(argument);
  return "(" + text + ")";
}

std::string callText(const Call &call) {
  return call.callee.name + argumentsText(call.args) + (call.as ? " as " + call.as->name : "");
}

std::string indexText(const IndexItem &item) {
  using Kind = IndexItem::Kind;
  switch (item.kind) {
  case Kind::At: return item.from[0].name + " = " + print(*item.index, 0);
  case Kind::Rename: return item.from[0].name + " -> " + item.to[0].name;
  case Kind::Split: return fmt::format("{} -> ({})", item.from[0].name, names(item.to, ","));
  case Kind::Merge: return fmt::format("({}) -> {}", names(item.from, ","), item.to[0].name);
  case Kind::Add: return fmt::format("+{}", item.to[0].name);
  }
  return "";
}

std::string infix(const Expr &lhs, const std::string &op, const Expr &rhs, int left, int right) {
  return print(lhs, left) + " " + op + " " + print(rhs, right);
}

/// The expression's text and how tightly its outermost operator binds.
std::pair<std::string, int> textOf(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::IntLiteral: return {fmt::to_string(expr.as<IntLiteral>()->value), postfixPrecedence};
  case ExprKind::FloatLiteral: return {expr.as<FloatLiteral>()->spelling, postfixPrecedence};
  case ExprKind::BoolLiteral: return {expr.as<BoolLiteral>()->value ? "true" : "false", postfixPrecedence};
  case ExprKind::StringLiteral: return {quote(expr.as<StringLiteral>()->value), postfixPrecedence};
  case ExprKind::Name: return {expr.as<Name>()->name, postfixPrecedence};
  case ExprKind::Attribute: {
    auto *node = expr.as<Attribute>();
    return {print(*node->base, postfixPrecedence) + "." + node->attribute.name, postfixPrecedence};
  }
  case ExprKind::Call: {
    // `f(x) as a + y` parses, but reads badly: a named call is an operand in parentheses.
    auto *node = expr.as<Call>();
    return {callText(*node), node->as ? 1 : postfixPrecedence};
  }
  case ExprKind::Tuple: {
    std::string text;
    for (const ExprPtr &element : expr.as<Tuple>()->elements)
      text += (text.empty() ? "" : ", ") + print(*element, 0);
    return {"(" + text + ")", postfixPrecedence};
  }
  case ExprKind::Unary: {
    auto *node = expr.as<Unary>();
    if (node->op == UnaryOp::Not)
      return {"not " + print(*node->operand, 4), 4};
    return {"-" + print(*node->operand, unaryPrecedence), unaryPrecedence};
  }
  case ExprKind::Binary: {
    auto *node = expr.as<Binary>();
    int own = precedenceOf(node->op);
    bool comparison = own == 5;
    if (node->op == BinaryOp::Power)
      return {infix(*node->lhs, "^", *node->rhs, postfixPrecedence, unaryPrecedence), own};
    return {infix(*node->lhs, spelling(node->op), *node->rhs, comparison ? own + 1 : own, own + 1), own};
  }
  case ExprKind::Contract: {
    auto *node = expr.as<Contract>();
    std::string op = node->dims ? "@[" + names(*node->dims, ",") + "]" : "@";
    return {infix(*node->lhs, op, *node->rhs, 7, 8), 7};
  }
  case ExprKind::Transpose: return {print(*expr.as<Transpose>()->operand, postfixPrecedence) + "^T", postfixPrecedence};
  case ExprKind::Index: {
    auto *node = expr.as<Index>();
    std::string items;
    for (const IndexItem &item : node->items)
      items += (items.empty() ? "" : ", ") + indexText(item);
    return {print(*node->base, postfixPrecedence) + "[" + items + "]", postfixPrecedence};
  }
  }
  return {"", postfixPrecedence};
}

std::string print(const Expr &expr, int context) {
  auto [text, precedence] = textOf(expr);
  return precedence < context ? "(" + text + ")" : text;
}

class FilePrinter {
public:
  std::string run(const File &file) {
    if (file.version)
      line(fmt::format("heddle {}", *file.version));
    for (const Use &use : file.uses)
      line("use " + (use.path.empty() ? quote(use.file) : names(use.path, ".")));
    for (const DimDecl &decl : file.dims)
      line("dim " + dimText(decl));
    for (const Module &module : file.modules)
      print(module);
    for (const Module &optimizer : file.optimizers)
      print(optimizer);
    for (const Train &train : file.trains) {
      line("");
      line("train " + train.name.name + " {");
      body(train.body);
    }
    return std::move(out);
  }

private:
  std::string out;
  int indent = 0;

  void line(const std::string &text) {
    out += text.empty() ? "\n" : std::string(2 * indent, ' ') + text + "\n";
  }

  static std::string dimText(const DimDecl &decl) {
    return decl.name.name + (decl.like ? " ~ " + decl.like->name : "") +
           (decl.size ? " = " + printAst(*decl.size) : "");
  }

  static std::string parameterText(const Parameter &parameter) {
    std::string text = parameter.kind == Parameter::Kind::Dim     ? "dim "
                       : parameter.kind == Parameter::Kind::Const ? "const "
                                                                  : "";
    text += parameter.name.name;
    if (parameter.kind == Parameter::Kind::Tensor)
      text += ": " + typeText(parameter.type);
    switch (parameter.constType) {
    case Parameter::ConstType::Unstated: break;
    case Parameter::ConstType::Int: text += ": int"; break;
    case Parameter::ConstType::Float: text += ": float"; break;
    case Parameter::ConstType::Bool: text += ": bool"; break;
    }
    return text + (parameter.defaultValue ? " = " + printAst(*parameter.defaultValue) : "");
  }

  void print(const Module &module) {
    std::string params, results;
    for (const Parameter &parameter : module.params)
      params += (params.empty() ? "" : ", ") + parameterText(parameter);
    for (const TensorType &result : module.results)
      results += (results.empty() ? "" : ", ") + typeText(result);
    if (module.resultsInParens)
      results = "(" + results + ")";
    line("");
    line(module.results.empty() ? fmt::format("optimizer {}({}) {{", module.name.name, params)
                                : fmt::format("module {}({}) -> {} {{", module.name.name, params, results));
    body(module.body);
  }

  void body(const std::vector<StmtPtr> &statements) {
    ++indent;
    for (const StmtPtr &statement : statements)
      print(*statement);
    --indent;
    line("}");
  }

  static std::string initText(const Initialiser &init) {
    return init.name.name + (init.args.empty() ? "" : argumentsText(init.args));
  }

  void print(const Stmt &stmt) {
    switch (stmt.kind) {
    case StmtKind::Dim: {
      std::string decls;
      for (const DimDecl &decl : stmt.as<DimStmt>()->decls)
        decls += (decls.empty() ? "" : ", ") + dimText(decl);
      return line("dim " + decls);
    }
    case StmtKind::Param: {
      auto *node = stmt.as<ParamStmt>();
      return line(fmt::format("{}param {}: {} ~ {}", node->frozen ? "frozen " : "", names(node->names, ", "),
                              typeText(node->type), initText(node->init)));
    }
    case StmtKind::State: {
      auto *node = stmt.as<StateStmt>();
      return line(fmt::format("state {}: {} = {}", node->name.name, typeText(node->type), initText(node->init)));
    }
    case StmtKind::Let: {
      auto *node = stmt.as<LetStmt>();
      return line(names(node->targets, ", ") + " = " + printAst(*node->value));
    }
    case StmtKind::Next: {
      auto *node = stmt.as<NextStmt>();
      return line("next " + node->target.name + " = " + printAst(*node->value));
    }
    case StmtKind::Collect: {
      auto *node = stmt.as<CollectStmt>();
      return line(fmt::format("collect {}[{}] = {}", node->target.name, node->dim.name, printAst(*node->value)));
    }
    case StmtKind::Repeat: {
      auto *node = stmt.as<RepeatStmt>();
      line(fmt::format("repeat {} as {} {{", node->dim.name, node->index.name));
      return body(node->body);
    }
    case StmtKind::Return: {
      std::string values;
      for (const ExprPtr &value : stmt.as<ReturnStmt>()->values)
        values += (values.empty() ? "" : ", ") + printAst(*value);
      return line("return " + values);
    }
    case StmtKind::Setting: {
      auto *node = stmt.as<SettingStmt>();
      return line(node->name.name + " = " + printAst(*node->value));
    }
    case StmtKind::Size: {
      std::string entries;
      for (const SizeStmt::Entry &entry : stmt.as<SizeStmt>()->entries) {
        std::string sizes;
        for (const ExprPtr &size : entry.sizes)
          sizes += (sizes.empty() ? "" : " | ") + printAst(*size);
        entries += (entries.empty() ? "" : ", ") + entry.dim.name + " = " + sizes;
      }
      return line("size " + entries);
    }
    case StmtKind::Loss: {
      auto *node = stmt.as<LossStmt>();
      return line("loss " + node->name.name + " = " + printAst(*node->value));
    }
    case StmtKind::Metric: {
      auto *node = stmt.as<MetricStmt>();
      return line("metric " + node->name.name + " = " + printAst(*node->value));
    }
    case StmtKind::Minimise: return line("minimise " + printAst(*stmt.as<MinimiseStmt>()->value));
    case StmtKind::Precision: return line("precision " + stmt.as<PrecisionStmt>()->element.name);
    case StmtKind::Every: {
      auto *node = stmt.as<EveryStmt>();
      line("every " + printAst(*node->period) + " {");
      ++indent;
      for (const std::unique_ptr<Call> &action : node->actions)
        line(action->args.empty() ? action->callee.name : callText(*action));
      --indent;
      return line("}");
    }
    case StmtKind::Group: {
      auto *node = stmt.as<GroupStmt>();
      std::string selectors;
      for (const GroupStmt::Selector &selector : node->selectors)
        selectors += (selectors.empty() ? "" : ", ") + (selector.word ? selector.text : quote(selector.text));
      line("group " + selectors + " {");
      ++indent;
      for (const std::unique_ptr<LetStmt> &setting : node->settings)
        print(*setting);
      --indent;
      return line("}");
    }
    }
  }
};

} // namespace

std::string printAst(const File &file) { return FilePrinter().run(file); }
std::string printAst(const Expr &expr) { return print(expr, 0); }

} // namespace heddle
