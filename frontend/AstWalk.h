// Visits the calls and names of a piece of syntax tree, in no promised order.
#pragma once
#include "frontend/Ast.h"

#include <functional>

namespace heddle {

struct AstVisitor {
  std::function<void(const ast::Expr &)> expr;        // every expression, before what is in it
  std::function<void(const ast::Call &)> call;
  std::function<void(const ast::Ident &)> dim;        // a dim where only a dim can stand
  std::function<void(const ast::Name &)> name;        // a name in an expression
  std::function<void(const ast::Attribute &)> attribute;
  bool intoRepeats = true;                            // false: the bodies of `repeat` are left out
};

void walk(const ast::Expr &expr, const AstVisitor &visitor);
void walk(const ast::TensorType &type, const AstVisitor &visitor);
void walk(const ast::Stmt &stmt, const AstVisitor &visitor);
void walk(const std::vector<ast::StmtPtr> &body, const AstVisitor &visitor);
/// Types of arguments and results, defaults, and the body.
void walk(const ast::Module &module, const AstVisitor &visitor);

} // namespace heddle
