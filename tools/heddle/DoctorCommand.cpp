// heddle doctor: is everything there that training needs? Looks at every part that can be missing or wrong, and tries what
// can only be told by trying. Exit code 0 if models train, in memory and as native programs; 3 if something is missing.
#include "tools/heddle/Doctor.h"
#include "tools/heddle/SubCommand.h"

#include "runtime/Abi.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace heddle {
namespace {

std::vector<Finding> examine() {
  std::vector<Finding> findings;
  auto add = [&](std::vector<Finding> more) { findings.insert(findings.end(), more.begin(), more.end()); };
  add({checkProcessor(), checkCores(), checkMemorySize(), checkHugePages(), checkDenormals(), tryJit(), checkCache()});
  add(checkCommand());
  add(checkNativeParts());
  add({checkTemporaryFolder()});
  add(tryCompiler());
  return findings;
}

const char *nameOf(Finding::Health health) {
  return health == Finding::ok ? "ok" : health == Finding::slower ? "slower" : "missing";
}

/// `text` with its further lines indented.
std::string indented(const std::string &text, size_t width) {
  std::string result;
  for (char c : text.substr(0, text.find_last_not_of('\n') + 1)) {
    result += c;
    if (c == '\n')
      result.append(width, ' ');
  }
  return result;
}

std::string asText(const std::vector<Finding> &findings, bool train, bool native) {
  size_t width = 0;
  for (const Finding &finding : findings)
    width = std::max(width, finding.part.size());
  std::string text;
  for (const Finding &finding : findings) {
    size_t indent = 9 + width + 2;
    text += fmt::format("{:9}{:{}}  {}\n", nameOf(finding.health), finding.part, width, indented(finding.found, indent));
    if (finding.health != Finding::ok && !finding.mend.empty())
      text += fmt::format("{:{}}mend it: {}\n", "", indent, indented(finding.mend, indent));
  }
  return text + fmt::format("\ntraining in memory: {}; native programs and --aot: {}\n", train ? "works" : "does not work",
                            native ? "work" : "do not work");
}

std::string asJson(const std::vector<Finding> &findings, bool train, bool native) {
  nlohmann::ordered_json json = {{"version", HEDDLE_VERSION}, {"abi", HEDDLE_ABI_VERSION}, {"train", train}, {"native", native},
                                 {"parts", nlohmann::ordered_json::array()}};
  for (const Finding &finding : findings)
    json["parts"].push_back({{"part", finding.part}, {"state", nameOf(finding.health)}, {"found", finding.found}, {"mend", finding.mend}});
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int run(bool json) {
  std::vector<Finding> findings = examine();
  bool train = true, native = true;
  for (const Finding &finding : findings) {
    if (finding.health != Finding::missing)
      continue;
    native = false;
    train &= finding.onlyNative;
  }
  int written = writeOutput("", json ? asJson(findings, train, native) : asText(findings, train, native));
  return written != exitDone ? written : train && native ? exitDone : exitInputOutput;
}

} // namespace

SubCommand addDoctorCommand(CLI::App &root) {
  auto json = std::make_shared<bool>(false);
  CLI::App *app = root.add_subcommand("doctor", "say what is missing on this machine, and how to mend it");
  app->add_flag("--json", *json, "print the findings as JSON");
  return {app, [json] { return run(*json); }};
}

} // namespace heddle
