// The report is written from a signal handler on a stack of its own (a stack overflow is a crash too), so it uses
// nothing but system calls that are safe there: no allocation, no stdio. The report holds the text of the programs,
// since by the time somebody reads it the file will have changed.
#include "tools/heddle/InternalError.h"

#include "tools/heddle/SubCommand.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <initializer_list>
#include <signal.h>
#include <unistd.h>

namespace heddle {
namespace {

int argumentCount = 0;
char **arguments = nullptr;
const char *directory = "/tmp";
volatile sig_atomic_t reporting = 0;
alignas(16) char handlerStack[64 * 1024];

void put(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(file, text.data(), text.size());
    if (written <= 0)
      return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void putCommand(int file) {
  for (int i = 0; i < argumentCount; ++i) {
    put(file, i ? " " : "");
    put(file, arguments[i]);
  }
  put(file, "\n");
}

void putPrograms(int file) {
  for (int i = 1; i < argumentCount; ++i) {
    std::string_view name = arguments[i];
    int program = name.ends_with(".heddle") || name.ends_with(".mlir") ? open(arguments[i], O_RDONLY) : -1;
    if (program < 0)
      continue;
    put(file, "\n--- ");
    put(file, name);
    put(file, "\n");
    char piece[4096];
    for (ssize_t got; (got = read(program, piece, sizeof piece)) > 0;)
      put(file, {piece, static_cast<size_t>(got)});
    close(program);
  }
}

/// DIRECTORY/heddle-crash-PID.txt, without snprintf, which a handler may not call.
void reportPath(char *path, size_t size) {
  char digits[16];
  size_t count = 0;
  for (unsigned pid = static_cast<unsigned>(getpid()); pid; pid /= 10)
    digits[count++] = static_cast<char>('0' + pid % 10);
  size_t at = 0;
  auto add = [&](std::string_view text) {
    for (char c : text)
      if (at + 1 < size)
        path[at++] = c;
  };
  add(directory);
  add("/heddle-crash-");
  while (count)
    add({&digits[--count], 1});
  add(".txt");
  path[at] = 0;
}

[[noreturn]] void report(std::string_view what) {
  if (reporting) // it crashed while reporting
    _exit(exitInternal);
  reporting = 1;
  put(STDERR_FILENO, "heddle: internal error: ");
  put(STDERR_FILENO, what);
  put(STDERR_FILENO, "\nThis is a bug in Heddle, not in your program. The command was:\n  ");
  putCommand(STDERR_FILENO);
  char path[1024];
  reportPath(path, sizeof path);
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (file >= 0) {
    put(file, "heddle: internal error: ");
    put(file, what);
    put(file, "\n");
    putCommand(file);
    putPrograms(file);
    close(file);
    put(STDERR_FILENO, "A report to send to its authors, with the command and the text of its programs, is in\n  ");
    put(STDERR_FILENO, path);
    put(STDERR_FILENO, "\n");
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

} // namespace heddle
