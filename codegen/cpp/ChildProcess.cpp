// A compiler is a tree of processes (launcher, driver, compiler proper, linker), so the child leads a process group of its
// own, and an interrupt kills the group. The handlers stand only while the child runs.
#include "codegen/cpp/ChildProcess.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heddle;

static constexpr int kEnding[] = {SIGINT, SIGTERM, SIGHUP};
static std::atomic<pid_t> runningGroup = 0;
static std::atomic<bool> wasInterrupted = false;

static void killGroup(int) {
  wasInterrupted = true;
  if (pid_t group = runningGroup) kill(-group, SIGKILL);
}

namespace {
/// Sends signals that would end this process to killGroup, for as long as it lives.
class Interrupts {
 public:
  Interrupts() {
    wasInterrupted = false;
    struct sigaction action {};
    action.sa_handler = killGroup;
    for (size_t i = 0; i < std::size(kEnding); ++i) {
      sigaction(kEnding[i], nullptr, &before[i]);
      if (before[i].sa_handler != SIG_IGN) sigaction(kEnding[i], &action, nullptr);
    }
  }
  ~Interrupts() {
    runningGroup = 0;
    for (size_t i = 0; i < std::size(kEnding); ++i) sigaction(kEnding[i], &before[i], nullptr);
  }

 private:
  struct sigaction before[std::size(kEnding)];
};
}  // namespace

/// This process's environment, with another TMPDIR.
static std::vector<std::string> environmentWith(llvm::StringRef folder) {
  std::vector<std::string> variables;
  for (char **variable = environ; variable && *variable; ++variable)
    if (!llvm::StringRef(*variable).starts_with("TMPDIR=")) variables.push_back(*variable);
  variables.push_back(("TMPDIR=" + folder).str());
  return variables;
}

static std::vector<char *> pointersTo(std::vector<std::string> &texts) {
  std::vector<char *> pointers;
  for (std::string &text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Starts the child; returns its process number, or 0 with the reason in `reason`.
static pid_t start(std::vector<std::string> argv, llvm::StringRef folder, const std::string &messages,
                   std::string &reason) {
  std::vector<std::string> environment = environmentWith(folder);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t plain;
  sigemptyset(&plain);
  sigaddset(&plain, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &plain);
  pid_t child = 0;
  int code = posix_spawn(&child, argv[0].c_str(), &files, &attributes, pointersTo(argv).data(),
                         pointersTo(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (code) reason = std::strerror(code);
  return code ? 0 : child;
}

ChildEnd heddle::runChild(llvm::ArrayRef<std::string> argv, llvm::StringRef folder) {
  ChildEnd end;
  std::string messages = (folder + "/messages").str();
  Interrupts interrupts;
  pid_t child = start(argv.vec(), folder, messages, end.notStarted);
  if (!child) return end;
  runningGroup = child;
  if (wasInterrupted) kill(-child, SIGKILL);  // it came before there was a group to kill
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  runningGroup = 0;
  end.interrupted = wasInterrupted;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  else end.exitCode = WEXITSTATUS(status);
  if (auto text = llvm::MemoryBuffer::getFile(messages)) end.output = (*text)->getBuffer().take_front(4000).str();
  return end;
}
