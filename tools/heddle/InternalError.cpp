// The report is written from a signal handler on a stack of its own (a stack overflow is a crash too), so it uses
// nothing but system calls that are safe there: no allocation, no stdio. Files are read again for it, since most of their
// text is not in memory as it was written.
#include "tools/heddle/InternalError.h"

#include "tools/heddle/SubCommand.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heddle {
namespace {

int argumentCount = 0;
char **arguments = nullptr;
const char *directory = "/tmp";
volatile sig_atomic_t reporting = 0;
alignas(16) char handlerStack[64 * 1024];

constexpr int kMostFiles = 96; // more than a program may import
constexpr off_t kMostBytes = off_t(64) << 20; // of a file in the report
char files[kMostFiles][PATH_MAX];
int fileCount = 0;
std::string_view input, passName, passList, passText;
bool hasInput = false;

// What Heddle, its runtime and the compiler that it starts read.
constexpr const char *kVariables[] = {"HEDDLE_TARGET", "HEDDLE_HOME", "HEDDLE_CPU", "HEDDLE_CACHE", "CXX",
                                      "LC_ALL", "LC_NUMERIC", "NO_COLOR"};

void put(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(file, text.data(), text.size());
    if (written <= 0)
      return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// Without snprintf, which a handler may not call.
std::string_view decimal(uint64_t number, char (&digits)[24]) {
  size_t at = sizeof digits;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number);
  return {digits + at, sizeof digits - at};
}

void putHead(int file, std::string_view key, uint64_t bytes) {
  char digits[24];
  put(file, key);
  put(file, " ");
  put(file, decimal(bytes, digits));
  put(file, "\n");
}

void putRecord(int file, std::string_view key, std::string_view value) {
  putHead(file, key, value.size());
  put(file, value);
  put(file, "\n");
}

// Ends with a line break; its size is without.
size_t commandSize() {
  size_t size = 0;
  for (int i = 0; i < argumentCount; ++i)
    size += strlen(arguments[i]) + (i > 0);
  return size;
}
void putCommand(int file) {
  for (int i = 0; i < argumentCount; ++i) {
    put(file, i ? " " : "");
    put(file, arguments[i]);
  }
  put(file, "\n");
}

// As many bytes as were announced, whatever happens to the file meanwhile.
void putFile(int report, const char *path) {
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status;
  if (file < 0)
    return;
  putRecord(report, "file", path);
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= kMostBytes) {
    putHead(report, "text", static_cast<uint64_t>(status.st_size));
    static char piece[4096];
    for (off_t left = status.st_size; left > 0;) {
      ssize_t got = read(file, piece, sizeof piece);
      if (got <= 0)
        memset(piece, 0, sizeof piece), got = sizeof piece;
      if (got > left)
        got = static_cast<ssize_t>(left);
      put(report, {piece, static_cast<size_t>(got)});
      left -= got;
    }
    put(report, "\n");
  }
  close(file);
}

void putReport(int file, std::string_view what) {
  put(file, kReportTitle);
  putRecord(file, "what", what);
  putHead(file, "command", commandSize());
  putCommand(file);
  static char folder[PATH_MAX];
  if (getcwd(folder, sizeof folder))
    putRecord(file, "folder", folder);
  for (int i = 1; i < argumentCount; ++i)
    putRecord(file, "argument", arguments[i]);
  for (const char *name : kVariables)
    for (char **variable = environ; *variable; ++variable) {
      std::string_view pair = *variable;
      if (pair.starts_with(name) && pair.substr(strlen(name), 1) == "=")
        putRecord(file, "environment", pair);
    }
  if (!passName.empty()) {
    putRecord(file, "pass", passName);
    putRecord(file, "passes", passList);
    putRecord(file, "ir", passText);
  }
  for (int i = 0; i < fileCount; ++i)
    putFile(file, files[i]);
  if (hasInput) {
    putRecord(file, "file", "-");
    putRecord(file, "text", input);
  }
}

/// DIRECTORY/heddle-crash-PID.txt.
void reportPath(char *path, size_t size) {
  char digits[24];
  size_t at = 0;
  for (std::string_view part : {std::string_view(directory), std::string_view("/heddle-crash-"),
                                decimal(static_cast<uint64_t>(getpid()), digits), std::string_view(".txt")})
    for (char c : part)
      if (at + 1 < size)
        path[at++] = c;
  path[at] = 0;
}

[[noreturn]] void report(std::string_view what) {
  if (reporting) // it crashed while reporting
    _exit(exitInternal);
  reporting = 1;
  put(STDERR_FILENO, "heddle: internal error: ");
  put(STDERR_FILENO, what);
  if (!passName.empty()) {
    put(STDERR_FILENO, "\nIt happened in pass ");
    put(STDERR_FILENO, passName);
  }
  put(STDERR_FILENO, "\nThis is a bug in Heddle, not in your program. The command was:\n  ");
  putCommand(STDERR_FILENO);
  static char path[PATH_MAX];
  reportPath(path, sizeof path);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (file >= 0) {
    putReport(file, what);
    close(file);
    put(STDERR_FILENO, "A report to send to its authors, with the command and the text of the files that were read, is in\n  ");
    put(STDERR_FILENO, path);
    put(STDERR_FILENO, "\n`heddle replay` with that file runs the command again.\n");
  }
  _exit(exitInternal);
}

void onSignal(int signal) {
  report(signal == SIGSEGV   ? "bad access to memory"
         : signal == SIGBUS  ? "bad access to memory (bus error)"
         : signal == SIGILL  ? "illegal instruction"
         : signal == SIGFPE  ? "division by zero"
                             : "a check failed");
}

} // namespace

void reportInternalErrors(int argc, char **argv) {
  argumentCount = argc;
  arguments = argv;
  if (const char *wanted = std::getenv("TMPDIR"); wanted && *wanted)
    directory = wanted;
  stack_t stack{};
  stack.ss_sp = handlerStack;
  stack.ss_size = sizeof handlerStack;
  sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    sigaction(signal, &action, nullptr);
}

void internalError(std::string_view what) { report(what); }

void noteFile(std::string_view path) {
  if (path.empty() || path == "-" || path.size() >= PATH_MAX || fileCount == kMostFiles)
    return;
  for (int i = 0; i < fileCount; ++i)
    if (path == files[i])
      return;
  memcpy(files[fileCount], path.data(), path.size());
  files[fileCount++][path.size()] = 0;
}

void noteInput(std::string_view text) { input = text, hasInput = true; }

void notePass(std::string_view pass, std::string_view passes, std::string_view ir) {
  passName = pass, passList = passes, passText = ir;
}

} // namespace heddle
