// What an input may cost: 1 s of processor time. libFuzzer's own -timeout is by the clock on the wall, which on a busy
// machine says little about the input; it stays as the net for hangs. Memory is libFuzzer's -rss_limit_mb.
//
// A target opens with `Budget budget;`. At the end of the process the longest input and the peak of the resident set
// are printed, for docs/testing.md.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace heddle::fuzz {

// Standard error as it was before libFuzzer's -close_fd_mask sent what the program says to nowhere.
inline const int console = dup(2);

/// Ends the process as a crash, so that libFuzzer keeps the input.
[[noreturn]] inline void finding(const std::string &what) {
  dprintf(console, "FINDING: %s\n", what.c_str());
  std::abort();
}

class Budget {
public:
  static constexpr double maxSeconds = 1;

  Budget() : start(now()) { static Report report; }
  ~Budget() {
    double taken = now() - start;
    longest = taken > longest ? taken : longest;
    if (taken > maxSeconds)
      finding("the input took " + std::to_string(taken) + " s of processor time");
  }

private:
  struct Report {
    ~Report() {
      rusage usage;
      getrusage(RUSAGE_SELF, &usage);
      dprintf(console, "longest input: %.3f s of processor time; peak resident set: %ld MB\n", longest,
              usage.ru_maxrss / 1024);
    }
  };
  static double now() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
  }
  static inline double longest = 0;
  double start;
};

} // namespace heddle::fuzz
