// What the command line says of how a program is built, for every sub-command that builds one.
#pragma once

#include "frontend/BuildGraph.h"

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// Flags that programs are built with: --set NAME=VALUE (any number) and, where the command wants it, --data PATH.
struct SettingFlags {
  std::vector<std::string> set;
  std::string data;
};
void addSettingFlags(CLI::App &app, SettingFlags &flags);

/// The settings for building the program in `file`: sizes by --set, and what the data tell, from them.
/// Returns exitDone, or says what is wrong and returns exitUsage.
int readSettings(const SettingFlags &flags, const std::string &file, BuildSettings &settings);

} // namespace heddle
