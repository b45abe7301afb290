// Trials in processes of their own, so that a crash of the compiler, or of what it compiled, is a finding like others.
#pragma once
#include "tests/random/Trial.h"
#include <chrono>
#include <sys/types.h>

namespace heddle {

/// Programs to try together: the texts where there are some, else the programs of seeds.
struct Job {
  std::vector<uint64_t> seeds;
  std::vector<std::string> texts;
  TrialOptions options;
  size_t size() const { return texts.empty() ? seeds.size() : texts.size(); }
};

/// What became of a job. A crash or a hang is a finding of the program that was at work, or of -1.
struct Report {
  std::map<int, std::vector<Finding>> findings;
  Statistics statistics;
};

/// A job at work in a child.
class Worker {
public:
  Worker(Job job, double timeout);
  ~Worker();
  Worker(const Worker &) = delete;

  int descriptor() const { return pipe; }
  /// Takes what the child wrote, or ends one that has been silent for longer than the timeout; true once it is done.
  bool advance();
  const Job &job() const { return work; }
  Report take() { return std::move(report); }

private:
  void read(const std::string &line);
  void finish();

  Job work;
  double timeout;  // seconds without a step
  pid_t child = -1;
  int pipe = -1;
  std::string buffer, step = "start";
  int program = -1;
  bool ended = false, hung = false;
  std::chrono::steady_clock::time_point lastStep;
  Report report;
};

/// One job from start to end.
Report runJob(const Job &job, double timeout);

}  // namespace heddle
