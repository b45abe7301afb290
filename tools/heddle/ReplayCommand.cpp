// heddle replay REPORT: runs the command of a crash report again, on the files as they were, and ends as it ends. With
// --extract, writes the report's parts to a folder instead, for whoever wants to look at them.
//
// The command runs in a temporary folder that stands for the root of the file system: files of the report lie under it at
// their paths, absolute paths among the arguments lead there too, and so does what it writes.
#include "tools/heddle/InternalError.h"
#include "tools/heddle/SubCommand.h"

#include "codegen/cpp/TemporaryFolder.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace heddle {
namespace {

namespace fs = std::filesystem;

struct Report {
  std::string what, folder, pass, passes, ir;
  std::vector<std::string> arguments, environment;
  struct File {
    std::string name;
    std::optional<std::string> text;
  };
  std::vector<File> files;
};

Report readReport(const std::string &path) {
  std::string text = InputFile(path).readAll();
  auto broken = [&](size_t at) {
    return RunError(kData, fmt::format("{}: byte {}: this is not a report of an internal error", path, at),
                    "such a report is named heddle-crash-NUMBER.txt");
  };
  if (!text.starts_with(kReportTitle))
    throw broken(0);
  Report report;
  for (size_t at = kReportTitle.size(); at < text.size();) {
    size_t space = text.find(' ', at), line = text.find('\n', at), bytes = 0;
    if (space == std::string::npos || line == std::string::npos || space > line)
      throw broken(at);
    auto [end, error] = std::from_chars(text.data() + space + 1, text.data() + line, bytes);
    if (error != std::errc() || end != text.data() + line || bytes >= text.size() - line - 1)
      throw broken(at);
    std::string key = text.substr(at, space - at), value = text.substr(line + 1, bytes);
    at = line + 1 + bytes + 1;
    if (key == "what") report.what = value;
    else if (key == "folder") report.folder = value;
    else if (key == "pass") report.pass = value;
    else if (key == "passes") report.passes = value;
    else if (key == "ir") report.ir = value;
    else if (key == "argument") report.arguments.push_back(value);
    else if (key == "environment") report.environment.push_back(value);
    else if (key == "file") report.files.push_back({value, std::nullopt});
    else if (key == "text" && !report.files.empty()) report.files.back().text = value;
    else if (key != "command") throw broken(at);
  }
  return report;
}

std::string oneLine(const Report &report) {
  return report.pass.empty() ? report.what : fmt::format("{} (in pass {})", report.what, report.pass);
}

void writeFile(const fs::path &path, std::string_view text) {
  fs::create_directories(path.parent_path());
  if (writeOutput(path.string(), text) != exitDone)
    throw RunError(kData, "the report cannot be unpacked");
}

// Where a path of the report lies under the root. `..` does not lead out of it.
fs::path under(const fs::path &root, const std::string &folder, const std::string &path) {
  return root / (fs::path("/") / folder / path).lexically_normal().relative_path();
}

// /a/b, and the value of --flag=/a/b, lead into the root.
std::string argumentUnder(const fs::path &root, const std::string &argument) {
  size_t path = argument.starts_with("/") ? 0 : argument.starts_with("--") ? argument.find("=/") : std::string::npos;
  if (path == std::string::npos)
    return argument;
  path += argument.starts_with("--");
  fs::path moved = under(root, "/", argument.substr(path));
  fs::create_directories(moved.parent_path());
  return argument.substr(0, path) + moved.string();
}

int runAgain(const Report &report, const fs::path &root, const fs::path &reports, const std::string &input) {
  fs::path folder = under(root, "/", report.folder);
  std::vector<std::string> words = {"heddle"};
  for (const std::string &argument : report.arguments)
    words.push_back(argumentUnder(root, argument));
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    int stdinFile = open(input.empty() ? "/dev/null" : input.c_str(), O_RDONLY);
    if (stdinFile >= 0)
      dup2(stdinFile, STDIN_FILENO);
    for (const char *name : {"HEDDLE_TARGET", "HEDDLE_CPU", "CXX", "LC_ALL", "LC_NUMERIC"})
      unsetenv(name);
    for (const std::string &pair : report.environment)
      if (size_t equals = pair.find('='); equals != std::string::npos)
        setenv(pair.substr(0, equals).c_str(), pair.substr(equals + 1).c_str(), 1);
    setenv("TMPDIR", reports.c_str(), 1);
    if (chdir(folder.c_str()) == 0)
      execv("/proc/self/exe", argv.data());
    _exit(exitInputOutput);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (child < 0)
    throw RunError(kData, fmt::format("cannot start the command: {}", std::strerror(errno)));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int replay(const std::string &path) {
  Report report = readReport(path);
  llvm::Expected<TemporaryFolder> folder = TemporaryFolder::make();
  if (!folder)
    throw RunError(kData, llvm::toString(folder.takeError()));
  fs::path root = folder->file("root"), reports = folder->file("reports");
  fs::create_directories(under(root, "/", report.folder));
  fs::create_directories(reports);
  std::string input;
  for (const Report::File &file : report.files) {
    if (!file.text)
      fmt::print(stderr, "replay: {} was too large for the report, so this run goes without it\n", file.name);
    else if (file.name == "-")
      writeFile(input = folder->file("input"), *file.text);
    else
      writeFile(under(root, report.folder, file.name), *file.text);
  }
  fmt::print(stderr, "replay: the failure was: {}\n", oneLine(report));
  int code = runAgain(report, root, reports, input);
  for (const fs::directory_entry &entry : fs::directory_iterator(reports))
    if (entry.path().filename().string().starts_with("heddle-crash-")) {
      std::string now = oneLine(readReport(entry.path().string()));
      fmt::print(stderr, "replay: {}\n", now == oneLine(report) ? "it fails the same way" : "it fails in another way: " + now);
      return code;
    }
  fmt::print(stderr, "replay: it does not fail any more: the command ended with exit code {}\n", code);
  return code;
}

int extract(const std::string &path, const std::string &folder) {
  Report report = readReport(path);
  std::string command = "heddle";
  for (const std::string &argument : report.arguments)
    command += " " + argument;
  writeFile(fs::path(folder) / "command.txt", fmt::format("{}\nin {}\n{}\n", command, report.folder, oneLine(report)));
  if (!report.pass.empty()) {
    writeFile(fs::path(folder) / "before-stage.mlir", report.ir);
    fmt::print("heddle-opt --pass-pipeline='builtin.module({})' {}/before-stage.mlir\n", report.passes, folder);
  }
  for (const Report::File &file : report.files)
    if (file.text)
      writeFile(file.name == "-" ? fs::path(folder) / "stdin" : under(fs::path(folder) / "files", "/", file.name), *file.text);
  return exitDone;
}

} // namespace

SubCommand addReplayCommand(CLI::App &root) {
  auto report = std::make_shared<std::string>(), folder = std::make_shared<std::string>();
  CLI::App *app = root.add_subcommand("replay", "run the command of an internal error's report again");
  app->add_option("REPORT", *report, "the file that the internal error left")->required();
  app->add_option("--extract", *folder, "write the report's parts to this folder instead")->type_name("DIR");
  return {app, [report, folder] {
            try {
              return folder->empty() ? replay(*report) : extract(*report, *folder);
            } catch (const RunError &problem) {
              return complain(problem);
            } catch (const fs::filesystem_error &problem) {
              return complain(exitInputOutput, problem.what());
            }
          }};
}

} // namespace heddle
