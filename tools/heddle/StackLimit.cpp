// The stack of a main thread grows up to the soft limit as it stands at that moment, so raising it takes effect at once
// (the kernel keeps 128 MiB of addresses free below the stack, whatever the limit was when the program started).
#include "tools/heddle/StackLimit.h"
#include "tools/heddle/SubCommand.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/resource.h>

namespace heddle {

namespace {
constexpr rlim_t enough = 8 << 20; // what systems give; the deepest program that the parser takes fits in a quarter of it
constexpr rlim_t least = 1 << 20;  // a program that is not deeply nested takes some 100 KiB
} // namespace

int ensureStack() {
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= enough) // RLIM_INFINITY is the largest number
    return exitDone;
  limit.rlim_cur = std::min(enough, limit.rlim_max);
  if (setrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= least)
    return exitDone;
  return complain(exitInputOutput, fmt::format("the stack may take only {} KiB, and heddle needs 1024; raise the limit "
                                               "(`ulimit -s 8192`)", limit.rlim_cur / 1024));
}

} // namespace heddle
