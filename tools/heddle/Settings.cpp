// --set and --data, and the size of a text's vocabulary, which the runtime's tokenizer tells.
#include "tools/heddle/Settings.h"
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "runtime/DataPath.h"
#include "runtime/RunError.h"
#include "runtime/Tokenizer.h"

#include <filesystem>
#include <fmt/format.h>

namespace heddle {

void addSettingFlags(CLI::App &app, SettingFlags &flags) {
  app.add_option("--set", flags.set, "NAME=VALUE: the size of a dim, steps, seed")->allow_extra_args(false);
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
  settings.dataPath = flags.data;
  bool own = !flags.data.empty();
  settings.vocabulary = [own, base = settings.base](const std::string &path, const std::string &tokenizer,
                                                    std::string &error) -> std::optional<int64_t> {
    try {
      std::string file = own ? path : resolveDataPath(base, path);
      noteFile(file);
      std::string name = resolveTokenizer(base, tokenizer);
      if (isTokenizerFile(name))
        noteFile(name);
      return vocabularySize(file, name);
    } catch (const RunError &failed) {
      error = failed.what();
      return std::nullopt;
    }
  };
  return exitDone;
}

} // namespace heddle
