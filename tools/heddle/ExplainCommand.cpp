// heddle explain CODE: what an error code means, an example of it and its remedy, and why the rule exists. The pages
// are frontend/errors/CODE.md.
#include "tools/heddle/SubCommand.h"

#include "frontend/Diagnostics.h"
#include "frontend/DidYouMean.h"

#include <fmt/format.h>
#include <memory>

namespace heddle {
namespace {

/// A page for a terminal: examples indented instead of fenced.
std::string plain(std::string_view page) {
  std::string out;
  bool example = false;
  while (!page.empty()) {
    size_t end = std::min(page.find('\n'), page.size() - 1) + 1;
    std::string_view line = page.substr(0, end);
    page.remove_prefix(end);
    if (line.starts_with("```")) {
      example = !example;
      out += "\n";
    } else {
      out.append(example && line != "\n" ? "    " : "").append(line);
    }
  }
  return out;
}

int run(const std::string &name) {
  const CodeInfo *code = findCode(name);
  if (code)
    return writeOutput("", fmt::format("{}: {}\n\n{}", code->name, code->title, plain(code->page)));
  std::vector<std::string> names;
  for (const CodeInfo &row : allCodes())
    names.push_back(row.name);
  std::string guess = didYouMean(name, names);
  return complain(exitUsage, fmt::format("there is no code `{}`{}", name, guess.empty() ? "" : "; " + guess));
}

} // namespace

SubCommand addExplainCommand(CLI::App &root) {
  auto name = std::make_shared<std::string>();
  CLI::App *app = root.add_subcommand("explain", "say what an error code means");
  app->add_option("CODE", *name, "a code such as H0203")->required();
  return {app, [name] { return run(*name); }};
}

} // namespace heddle
