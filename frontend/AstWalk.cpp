// One case per form of the syntax tree; a visitor's empty functions are skipped.
#include "frontend/AstWalk.h"

namespace heddle {
using namespace ast;

static void dims(const std::vector<Ident> &names, const AstVisitor &v) {
  if (v.dim)
    for (const Ident &name : names)
      v.dim(name);
}
static void arguments(const std::vector<Argument> &args, const AstVisitor &v) {
  for (const Argument &arg : args) {
    if (arg.value)
      walk(*arg.value, v);
    if (arg.kind == Argument::Kind::Field)
      walk(arg.type, v);
    if (arg.kind == Argument::Kind::Over && v.dim) {
      for (const Over::Axis &axis : arg.over.axes)
        if (!axis.size)
          v.dim(axis.dim);
      if (arg.over.into)
        v.dim(*arg.over.into);
    }
  }
}

void walk(const TensorType &type, const AstVisitor &v) { dims(type.dims, v); }

void walk(const Expr &expr, const AstVisitor &v) {
  if (v.expr)
    v.expr(expr);
  switch (expr.kind) {
  case ExprKind::IntLiteral:
  case ExprKind::FloatLiteral:
  case ExprKind::BoolLiteral:
  case ExprKind::StringLiteral:
    return;
  case ExprKind::Name:
    if (v.name)
      v.name(*expr.as<Name>());
    return;
  case ExprKind::Attribute:
    if (v.attribute)
      v.attribute(*expr.as<Attribute>());
    return walk(*expr.as<Attribute>()->base, v);
  case ExprKind::Call:
    if (v.call)
      v.call(*expr.as<Call>());
    return arguments(expr.as<Call>()->args, v);
  case ExprKind::Tuple:
    for (const ExprPtr &element : expr.as<Tuple>()->elements)
      walk(*element, v);
    return;
  case ExprKind::Unary:
    return walk(*expr.as<Unary>()->operand, v);
  case ExprKind::Binary:
    walk(*expr.as<Binary>()->lhs, v);
    return walk(*expr.as<Binary>()->rhs, v);
  case ExprKind::Contract:
    walk(*expr.as<Contract>()->lhs, v);
    walk(*expr.as<Contract>()->rhs, v);
    if (expr.as<Contract>()->dims)
      dims(*expr.as<Contract>()->dims, v);
    return;
  case ExprKind::Transpose:
    return walk(*expr.as<Transpose>()->operand, v);
  case ExprKind::Index:
    walk(*expr.as<Index>()->base, v);
    for (const IndexItem &item : expr.as<Index>()->items) {
      dims(item.from, v);
      dims(item.to, v);
      if (item.index)
        walk(*item.index, v);
    }
    return;
  }
}

void walk(const std::vector<StmtPtr> &body, const AstVisitor &v) {
  for (const StmtPtr &stmt : body)
    walk(*stmt, v);
}

void walk(const Stmt &stmt, const AstVisitor &v) {
  switch (stmt.kind) {
  case StmtKind::Dim:
    for (const DimDecl &decl : stmt.as<DimStmt>()->decls) {
      if (decl.like && v.dim)
        v.dim(*decl.like);
      if (decl.size)
        walk(*decl.size, v);
    }
    return;
  case StmtKind::Param:
    walk(stmt.as<ParamStmt>()->type, v);
    return arguments(stmt.as<ParamStmt>()->init.args, v);
  case StmtKind::State:
    walk(stmt.as<StateStmt>()->type, v);
    return arguments(stmt.as<StateStmt>()->init.args, v);
  case StmtKind::Let:
    return walk(*stmt.as<LetStmt>()->value, v);
  case StmtKind::Next:
    return walk(*stmt.as<NextStmt>()->value, v);
  case StmtKind::Collect:
    return walk(*stmt.as<CollectStmt>()->value, v);
  case StmtKind::Repeat:
    if (v.dim)
      v.dim(stmt.as<RepeatStmt>()->dim);
    if (v.intoRepeats)
      walk(stmt.as<RepeatStmt>()->body, v);
    return;
  case StmtKind::Return:
    for (const ExprPtr &value : stmt.as<ReturnStmt>()->values)
      walk(*value, v);
    return;
  case StmtKind::Setting:
    return walk(*stmt.as<SettingStmt>()->value, v);
  case StmtKind::Size:
    return;
  case StmtKind::Loss:
    return walk(*stmt.as<LossStmt>()->value, v);
  case StmtKind::Metric:
    return walk(*stmt.as<MetricStmt>()->value, v);
  case StmtKind::Minimise:
    return walk(*stmt.as<MinimiseStmt>()->value, v);
  case StmtKind::Precision:
  case StmtKind::Every:
    return;
  case StmtKind::Group:
    for (const std::unique_ptr<LetStmt> &setting : stmt.as<GroupStmt>()->settings)
      walk(*setting, v);
    return;
  }
}

void walk(const Module &module, const AstVisitor &v) {
  for (const Parameter &param : module.params) {
    walk(param.type, v);
    if (param.defaultValue)
      walk(*param.defaultValue, v);
  }
  for (const TensorType &result : module.results)
    walk(result, v);
  walk(module.body, v);
}

} // namespace heddle
