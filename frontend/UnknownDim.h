// The error of a dim that nobody declares: one error for all of them.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include <functional>
#include <string>
#include <vector>

namespace heddle {

/// Reports that no dim has this name; `candidates` are the dims that can be named there. A name is reported once for a
/// file: a declaration that is missing is one mistake, however often the dim is used. Names that are like no candidate
/// share one error, since a line of declarations that is missing is one mistake too.
void reportUnknownDim(Diagnostics &diagnostics, const ast::Ident &name,
                      const std::function<std::vector<std::string>()> &candidates);

} // namespace heddle
