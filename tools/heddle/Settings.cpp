// --set and --data, and the sizes that the data tell, which the runtime reads.
#include "tools/heddle/Settings.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "runtime/DataSource.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"

#include <filesystem>
#include <fmt/format.h>

namespace heddle {

void addUseFlag(CLI::App &app, std::vector<std::string> &use) {
  app.add_option("--use", use, "a directory whose files the program may import, besides its own")->type_name("DIR")->allow_extra_args(false);
}

void addSettingFlags(CLI::App &app, SettingFlags &flags) {
  app.add_option("--set", flags.set, "NAME=VALUE: the size of a dim, steps, seed")->allow_extra_args(false);
  addUseFlag(app, flags.use);
  app.add_option("--data", flags.data, "a file in place of the one that the program names");
}

int readSettings(const SettingFlags &flags, const std::string &file, BuildSettings &settings) {
  for (const std::string &pair : flags.set) {
    size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return complain(exitUsage, fmt::format("--set {}: write --set NAME=VALUE", pair));
    if (settings.set.count(pair.substr(0, equals)))
      return complain(exitUsage, fmt::format("--set {} is given twice", pair.substr(0, equals)));
    settings.set[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  settings.base = std::filesystem::path(file).parent_path().string();
  if (settings.base.empty())
    settings.base = ".";
  settings.describeData = [given = flags.data](const std::string &text, std::string &error) -> DataFacts {
    try {
      RunConfig config = RunConfig::parse(text.c_str());
      for (const std::string &file : dataFiles(config, given))
        noteFile(file);
      if (std::string tokenizer = resolveTokenizer(config.base, config.data.tokenizer); isTokenizerFile(tokenizer))
        noteFile(tokenizer);
      return describeData(config, given).facts;
    } catch (const RunError &failed) {
      if (failed.exitCode != kData)
        throw;
      error = failed.what();
      return std::nullopt;
    }
  };
  return exitDone;
}

} // namespace heddle
