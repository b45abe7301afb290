// The syntax tree as .heddle text: what `heddle compile --emit=ast` prints.
#pragma once

#include "frontend/Ast.h"

namespace heddle {

/// Text that parses back to the same tree: comments and layout are lost, parentheses stand only where they are
/// needed or where a named call would be hard to read. Dims come first, then modules, then train blocks.
std::string printAst(const ast::File &file);
/// One expression, on one line.
std::string printAst(const ast::Expr &expr);

} // namespace heddle
