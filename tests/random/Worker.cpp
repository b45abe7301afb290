// A child tells its steps, findings and counts through a pipe, one line each: the kind of line, then fields between tabs.
#include "tests/random/Worker.h"
#include "passes/Pipeline.h"
#include "tests/random/Generator.h"
#include "mlir/IR/Verifier.h"
#include <fcntl.h>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace heddle;

//===------------------------------------------------------------------------------------------------- in the child
namespace {
class Child {
public:
  explicit Child(int pipe) : pipe(pipe) {}

  void run(const Job &job) {
    MLIRContext context(MLIRContext::Threading::DISABLED);
    loadDialects(context);
    std::vector<OwningOpRef<ModuleOp>> owners;
    std::vector<ModuleOp> programs;
    std::vector<int> numbers;  // of the programs that are tried
    Statistics statistics;
    for (size_t i = 0; i < job.size(); ++i) {
      say({"S", std::to_string(i), job.texts.empty() ? "generate" : "parse"});
      std::string error;
      OwningOpRef<ModuleOp> module;
      if (job.texts.empty()) {
        module = generateProgram(context, job.seeds[i]);
        // By way of the text: what is tried is what a file would hold.
        module = parseProgram(context, textOf(*module), error);
      } else {
        module = parseProgram(context, job.texts[i], error);
      }
      if (!module) {
        say({"F", std::to_string(i), "invalid", error});
        continue;
      }
      count(*module, statistics);
      numbers.push_back(i);
      programs.push_back(*module);
      owners.push_back(std::move(module));
    }
    auto progress = [&](int program, const std::string &step) {
      say({"S", std::to_string(program < 0 ? -1 : numbers[program]), step});
    };
    TrialOutcome outcome = runTrial(context, programs, job.options, progress);
    for (auto &[program, findings] : outcome.findings)
      for (const Finding &finding : findings)
        say({"F", std::to_string(program < 0 ? -1 : numbers[program]), finding.kind, finding.detail});
    statistics.add(outcome.statistics);
    tell(statistics);
    say({"E"});
  }

private:
  static void count(ModuleOp module, Statistics &statistics) {
    module.walk([&](Operation *op) {
      if (op->getName().getDialectNamespace() == "heddle") ++statistics.ops[op->getName().stripDialect().str()];
      int64_t depth = 0;
      for (Operation *around = op; around; around = around->getParentOp()) depth += isa<RepeatOp>(around);
      statistics.deepest = std::max(statistics.deepest, depth);
    });
  }
  void tell(const Statistics &s) {
    auto number = [&](const char *name, int64_t value) { say({"N", name, std::to_string(value)}); };
    number("programs", s.programs), number("rejected", s.rejected), number("untested", s.untested);
    number("native", s.native), number("results", s.results), number("vacuousResults", s.vacuousResults);
    number("elements", s.elements), number("vacuousElements", s.vacuousElements);
    number("gradients", s.gradients), number("gradientsSkipped", s.gradientsSkipped), number("deepest", s.deepest);
    number("blocked", s.blocked);
    for (auto &[op, times] : s.ops) say({"O", op, std::to_string(times)});
  }
  void say(std::vector<std::string> fields) {
    std::string line;
    for (const std::string &field : fields) {
      if (!line.empty()) line += '\t';
      for (char c : field) line += c == '\n' || c == '\t' ? ' ' : c;
    }
    line += '\n';
    for (size_t done = 0; done < line.size();) {
      ssize_t n = write(pipe, line.data() + done, line.size() - done);
      if (n <= 0) _exit(1);
      done += n;
    }
  }
  int pipe;
};
}  // namespace

//===------------------------------------------------------------------------------------------------- in the parent
Worker::Worker(Job given, double timeout)
    : work(std::move(given)), timeout(timeout), lastStep(std::chrono::steady_clock::now()) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    Child(ends[1]).run(work);
    _exit(0);  // a child owns nothing that must be put away
  }
  close(ends[1]);
  pipe = ends[0];
  fcntl(pipe, F_SETFL, O_NONBLOCK);
}
Worker::~Worker() {
  if (child > 0) kill(child, SIGKILL), waitpid(child, nullptr, 0);
  if (pipe >= 0) close(pipe);
}

void Worker::read(const std::string &line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
  fields.resize(4);
  const std::string &kind = fields[0];
  if (kind == "S") program = std::stoi(fields[1]), step = fields[2], lastStep = std::chrono::steady_clock::now();
  if (kind == "F") report.findings[std::stoi(fields[1])].push_back({fields[2], fields[3]});
  if (kind == "E") ended = true;
  if (kind == "O") report.statistics.ops[fields[1]] += std::stoll(fields[2]);
  if (kind != "N") return;
  Statistics &s = report.statistics;
  std::map<std::string, int64_t *> counts{
      {"programs", &s.programs}, {"rejected", &s.rejected}, {"untested", &s.untested}, {"native", &s.native},
      {"results", &s.results}, {"vacuousResults", &s.vacuousResults}, {"elements", &s.elements},
      {"vacuousElements", &s.vacuousElements}, {"gradients", &s.gradients},
      {"gradientsSkipped", &s.gradientsSkipped}, {"deepest", &s.deepest},
      {"blocked", &s.blocked}};
  *counts.at(fields[1]) = std::stoll(fields[2]);
}

void Worker::finish() {
  int status = 0;
  waitpid(child, &status, 0);
  child = -1;
  if (ended) return;
  std::string how = hung ? "hangs" : WIFSIGNALED(status) ? std::string("crashes: ") + strsignal(WTERMSIG(status))
                                                         : "exits with " + std::to_string(WEXITSTATUS(status));
  report.findings[program].push_back({(hung ? "hang " : "crash ") + step, "the step '" + step + "' " + how});
}

bool Worker::advance() {
  char chunk[4096];
  for (;;) {
    ssize_t n = ::read(pipe, chunk, sizeof chunk);
    if (n == 0) {
      finish();
      return true;
    }
    if (n < 0) break;
    buffer.append(chunk, n);
    for (size_t at; (at = buffer.find('\n')) != std::string::npos; buffer.erase(0, at + 1)) read(buffer.substr(0, at));
  }
  std::chrono::duration<double> silent = std::chrono::steady_clock::now() - lastStep;
  if (silent.count() < timeout) return false;
  hung = true;
  kill(child, SIGKILL);
  finish();
  return true;
}

Report heddle::runJob(const Job &job, double timeout) {
  Worker worker(job, timeout);
  while (!worker.advance()) {
    pollfd waited{worker.descriptor(), POLLIN, 0};
    poll(&waited, 1, 200);
  }
  return worker.take();
}
