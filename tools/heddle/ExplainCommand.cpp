// heddle explain CODE: what an error code means and what to do.
#include "tools/heddle/SubCommand.h"

#include "frontend/Diagnostics.h"
#include "frontend/DidYouMean.h"

#include <fmt/format.h>
#include <memory>

namespace heddle {
namespace {

/// The text with line breaks such that no line is longer than `width`.
std::string wrap(std::string_view text, size_t width) {
  std::string out, line;
  auto add = [&](std::string_view word) {
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.clear();
    }
    if (!line.empty())
      line += ' ';
    line += word;
  };
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + line + "\n";
}

int run(const std::string &name) {
  const CodeInfo *code = findCode(name);
  if (code)
    return writeOutput("", fmt::format("{}: {}\n\n{}", code->name, code->title, wrap(code->explanation, 79)));
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
