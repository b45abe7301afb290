// Messages and output of the sub-commands: data goes to stdout, everything else to stderr. A write that fails (a full
// disk, a closed pipe) is an error like any other, so that a script never takes half an output for a whole one.
#include "tools/heddle/SubCommand.h"

#include "runtime/RunError.h"
#include "tools/heddle/InternalError.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace heddle {

int complain(int code, std::string_view message) {
  fmt::print(stderr, "heddle: {}\n", message);
  return code;
}

int complain(const RunError &problem) {
  if (problem.exitCode == exitInternal)
    internalError(problem.what());
  fmt::print(stderr, "heddle: {}", problem.text());
  return problem.exitCode;
}

int checkOutput(const std::string &path, const std::vector<std::string> &inputs) {
  if (path.empty() || path == "-")
    return exitDone;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return complain(exitInputOutput, fmt::format("cannot write `{}`: it is a directory", path));
  for (const std::string &input : inputs) // the same file by a link of either kind, too
    if (std::filesystem::equivalent(path, input, ignored))
      return complain(exitUsage, fmt::format("the output `{}` would overwrite the input `{}`", path, input));
  bool there = std::filesystem::exists(path, ignored);
  if (there && !std::filesystem::is_regular_file(path, ignored))
    return exitDone; // opening a pipe or a device is an act of its own
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0 && errno != ETXTBSY) // a running program is replaced, not written over
    return complain(exitInputOutput, fmt::format("cannot write `{}`: {}", path, std::strerror(errno)));
  if (fd >= 0)
    close(fd);
  if (!there)
    unlink(path.c_str());
  return exitDone;
}

int writeOutput(const std::string &path, std::string_view text) {
  bool toStdout = path.empty() || path == "-";
  std::FILE *file = toStdout ? stdout : std::fopen(path.c_str(), "wb");
  if (!file)
    return complain(exitInputOutput, fmt::format("cannot write `{}`: {}", path, std::strerror(errno)));
  bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  int reason = errno;
  if (!toStdout && std::fclose(file) != 0 && written) {
    written = false;
    reason = errno;
  }
  if (!written)
    return complain(exitInputOutput, fmt::format("cannot write {}: {}", toStdout ? "the output" : "`" + path + "`",
                                                 std::strerror(reason)));
  return exitDone;
}

} // namespace heddle
