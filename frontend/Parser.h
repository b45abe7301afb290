// From source text to syntax tree.
//
// A recursive-descent parser with precedence climbing for operators: one function per rule of the grammar, with the
// rule above it, and never more than two tokens of look-ahead. The grammar as a whole stands in docs/language.md.
// An error abandons the statement it is in, and parsing goes on at the next statement, so one run reports several
// independent errors; a statement that failed is missing from the tree, so a tree of a file with errors is for tools
// that can live with holes (completion), not for checking.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include <memory>

namespace heddle {

/// Levels of brackets, blocks and prefix operators: what bounds the recursion of the parser.
constexpr uint32_t maxNesting = 256;
/// Levels of an expression's tree, chains of operators included: what bounds recursion over the tree.
constexpr uint32_t maxExpressionDepth = 1000;

/// Dims of a tensor: more than any model has, few enough that lists of them may be searched.
constexpr size_t maxTypeDims = 64;

/// Parses one file. Never null. If `diagnostics.hasErrors()` afterwards, parts are missing.
std::unique_ptr<ast::File> parse(const Source &source, Diagnostics &diagnostics);

} // namespace heddle
