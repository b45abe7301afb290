// What the command line says of how a program is built, for every sub-command that builds one.
#pragma once

#include "frontend/BuildGraph.h"

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// --use DIR, any number: directories whose files a program may import besides those of its own.
void addUseFlag(CLI::App &app, std::vector<std::string> &use);

/// Flags that programs are built with: --set NAME=VALUE (any number), --use DIR and, where the command wants it, --data PATH.
struct SettingFlags {
  std::vector<std::string> set, use;
  std::string data;
};
void addSettingFlags(CLI::App &app, SettingFlags &flags);

/// The settings for building the program in `file`: sizes by --set, and what the data tell, from them.
/// Returns exitDone, or says what is wrong and returns exitUsage.
int readSettings(const SettingFlags &flags, const std::string &file, BuildSettings &settings);

} // namespace heddle
