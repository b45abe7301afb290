// See UnknownDim.h.
#include "frontend/UnknownDim.h"

#include "frontend/DidYouMean.h"

#include <fmt/format.h>

namespace heddle {

void reportUnknownDim(Diagnostics &diagnostics, const ast::Ident &name,
                      const std::function<std::vector<std::string>()> &candidates) {
  if (!diagnostics.firstTime("dim " + name.name))
    return;
  std::string meant = diagnostics.full() ? "" : nearest(name.name, candidates());
  Diagnostic *others = !meant.empty() ? nullptr : diagnostics.shared("unknown dims");
  if (!others) {
    Diagnostic &d = diagnostics.error(Code::H0201, name.span, fmt::format("there is no dim `{}`", name.name));
    if (!meant.empty()) {
      suggest(d, name.span, name.name, {meant});
      return;
    }
    d.help(fmt::format("declare it: `dim {0} = 8`, or `dim {0}` for a size that is given later", name.name));
    d.names = {name.name};
    diagnostics.share("unknown dims", d);
    return;
  }
  constexpr size_t mostNames = 10; // the rest of them are told by "others"
  if (others->names.size() > mostNames)
    return;
  others->names.push_back(name.name);
  if (others->names.size() > mostNames) {
    others->message += " and others";
    return;
  }
  others->label(name.span, "");
  std::string list, declarations;
  for (const std::string &each : others->names) {
    list += fmt::format("{}`{}`", list.empty() ? "" : each == others->names.back() ? " and " : ", ", each);
    declarations += fmt::format("{}{} = 8", declarations.empty() ? "" : ", ", each);
  }
  others->message = "there are no dims " + list;
  others->helps = {fmt::format("declare them: `dim {}`, or without a size that is given later", declarations)};
}

} // namespace heddle
