// random-programs: makes programs from seeds, runs them by all executors, shrinks what differs.
//
//   random-programs --seed 1 --count 10000 -j 2       programs of the seeds 1 to 10000
//   random-programs --replay FILE...                  programs of files, on every class of this machine
//
// Exit codes: 0 nothing differs, 1 something does, or an op was never used, 2 usage, 3 a file cannot be read.
#include "runtime/TargetClass.h"
#include "tests/random/Shrink.h"
#include "tests/random/Worker.h"
#include "ir/graph/Heddle.h"
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <list>
#include <poll.h>
#include <set>
#include <sstream>

using namespace heddle;

namespace {
using Clock = std::chrono::steady_clock;

struct Settings {
  uint64_t seed = 1;
  int64_t count = 200, batch = 8, nativeEvery = 3, threads = 1;
  double minutes = 0, timeout = 300;
  bool shrink = false, requireAllOps = false, print = false;
  std::vector<std::string> replay;
  std::string out = ".";
};

// Ops that stand in graphs before any pass has run.
std::set<std::string> graphOps() {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<HeddleDialect, mlir::func::FuncDialect>();
  std::set<std::string> ops;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperationsByDialect("heddle"))
    if (!llvm::is_contained({"fused", "attention", "attention_backward", "part", "entry", "call", "loop"}, name.stripDialect())) ops.insert(name.stripDialect().str());
  return ops;
}

class Campaign {
public:
  explicit Campaign(Settings settings) : settings(std::move(settings)), classes(runnableTargetClasses()) {}

  int run() {
    if (settings.replay.empty()) {
      int64_t batches = (settings.count + settings.batch - 1) / settings.batch;
      for (int64_t k = 0; k < batches; ++k) jobs.push_back(seedJob(k));
    } else if (!readFiles()) {
      return 3;
    }
    work();
    return summarise();
  }

private:
  // Classes, and which of them are compiled as C++, in rotation.
  TrialOptions optionsOf(int64_t k) const {
    TrialOptions options;
    int64_t n = classes.size();
    bool native = settings.nativeEvery > 0 && k % settings.nativeEvery == 0;
    int64_t turn = settings.nativeEvery > 0 ? k + k / settings.nativeEvery : k;
    options.targetClass = classes[turn % n];
    options.unfusedClass = classes[(turn + 1) % n];
    options.native = native;
    options.blocks = k % 2;
    return options;
  }
  Job seedJob(int64_t k) const {
    Job job;
    for (int64_t i = k * settings.batch; i < std::min((k + 1) * settings.batch, settings.count); ++i)
      job.seeds.push_back(settings.seed + i);
    job.options = optionsOf(k);
    return job;
  }
  bool readFiles() {
    std::vector<std::string> texts;
    for (const std::string &path : settings.replay) {
      std::ifstream in(path);
      std::stringstream text;
      text << in.rdbuf();
      if (!in) return std::cerr << "random-programs: cannot read " << path << "\n", false;
      texts.push_back(text.str());
    }
    for (const std::string &name : classes)
      for (bool blocks : {false, true}) {
        Job job;
        job.texts = texts;
        job.options = {name, name, settings.nativeEvery > 0, blocks};
        jobs.push_back(job);
      }
    return true;
  }

  std::string nameOf(const Job &job, int program) const {
    if (program < 0) return "all of a batch";
    return job.texts.empty() ? fmt::format("seed {}", job.seeds[program]) : settings.replay[program];
  }

  void work() {
    auto started = Clock::now();
    auto minutes = [&] { return std::chrono::duration<double>(Clock::now() - started).count() / 60; };
    std::list<Worker> workers;
    auto shown = Clock::now();
    while (!jobs.empty() || !workers.empty()) {
      bool late = settings.minutes > 0 && minutes() > settings.minutes;
      if (late) skipped += jobs.size(), jobs.clear();
      while (!jobs.empty() && static_cast<int64_t>(workers.size()) < settings.threads) {
        workers.emplace_back(jobs.front(), settings.timeout);
        jobs.pop_front();
      }
      std::vector<pollfd> waited;
      for (Worker &worker : workers) waited.push_back({worker.descriptor(), POLLIN, 0});
      poll(waited.data(), waited.size(), 500);
      for (auto it = workers.begin(); it != workers.end();)
        if (it->advance()) finish(it->job(), it->take()), it = workers.erase(it);
        else ++it;
      if (Clock::now() - shown > std::chrono::seconds(30)) {
        shown = Clock::now();
        fmt::print("{:6.1f} min: {} programs, {} differ\n", minutes(), total.programs, failures);
        std::fflush(stdout);
      }
    }
    elapsed = minutes();
  }

  // What stopped a whole batch is looked for in each of its programs.
  void finish(const Job &job, Report report) {
    bool together = report.findings.count(-1);
    if (together && job.size() > 1) {
      size_t before = failures;
      for (size_t i = 0; i < job.size(); ++i) {
        Job alone = job;
        if (job.texts.empty()) alone.seeds = {job.seeds[i]};
        else alone.texts = {job.texts[i]};
        Report own = runJob(alone, settings.timeout);
        total.add(own.statistics);
        for (auto &[program, findings] : own.findings) fail(job, i, findings.front());
      }
      if (failures == before) fail(job, -1, report.findings[-1].front());
      return;
    }
    total.add(report.statistics);
    for (auto &[program, findings] : report.findings) fail(job, std::max(program, 0), findings.front());
  }

  void fail(const Job &job, int program, const Finding &finding) {
    ++failures;
    ++kinds[finding.kind];
    fmt::print("{}: {} [{}{}{}{}]\n  {}\n", nameOf(job, program), finding.kind, job.options.targetClass,
               finding.kind.find("unfused") != std::string::npos ? ", unfused " + job.options.unfusedClass : "",
               job.options.native ? ", native" : "", job.options.blocks ? ", by blocks" : "", finding.detail);
    std::fflush(stdout);
    if (!settings.shrink || program < 0) return;
    std::string text = job.texts.empty() ? programText(job.seeds[program]) : job.texts[program];
    std::string name = job.texts.empty() ? std::to_string(job.seeds[program]) : "replayed";
    std::string path = fmt::format("{}/random-{}-{}.mlir", settings.out, name, failures);
    std::string small = shrink(text, finding, job.options, settings.timeout);
    std::ofstream(path) << fmt::format("// {}: {} [{}]\n// {}\n// random-programs --replay {}\n", nameOf(job, program),
                                       finding.kind, job.options.targetClass, finding.detail, path)
                        << small;
    fmt::print("  random-programs --replay {}   ({} lines)\n", path, std::count(small.begin(), small.end(), '\n'));
    std::fflush(stdout);
  }

  int summarise() {
    auto share = [](int64_t part, int64_t all) { return all ? 100.0 * part / all : 0; };
    fmt::print("programs: {} (seeds {} to {}), {} more refused for a loss without parameters, {} of them also native\n",
               total.programs, settings.seed, settings.seed + settings.count - 1, total.rejected, total.native);
    fmt::print("classes: {}; loops in loops: up to {}; products by blocks of rows: {}\n", fmt::join(classes, ", "), total.deepest,
               total.blocked);
    fmt::print("compared within bounds: {} results, {} elements\n", total.results, total.elements);
    fmt::print("vacuous bounds: {:.2f} % of results, {:.2f} % of elements; {} programs without any other\n",
               share(total.vacuousResults, total.results), share(total.vacuousElements, total.elements), total.untested);
    fmt::print("gradients: {} compared with differences of the loss, {} skipped at kinks\n", total.gradients,
               total.gradientsSkipped);
    std::string ops, missing;
    for (auto &[op, count] : total.ops) ops += fmt::format("{}{} {}", ops.empty() ? "" : ", ", op, count);
    for (const std::string &op : graphOps())
      if (!total.ops.count(op)) missing += " " + op;
    fmt::print("ops: {}\n", ops);
    if (skipped) fmt::print("left out for lack of time: {} batches\n", skipped);
    fmt::print("differences: {}\n", failures);
    for (auto &[kind, count] : kinds) fmt::print("  {}: {}\n", kind, count);
    fmt::print("time: {:.1f} min\n", elapsed);
    bool lacks = settings.replay.empty() && settings.requireAllOps && (!missing.empty() || !total.blocked);
    if (lacks) fmt::print("ops of the dialect that no program had:{}{}\n", missing, total.blocked ? "" : " products by blocks");
    return failures || lacks ? 1 : 0;
  }

  Settings settings;
  std::vector<std::string> classes;
  std::list<Job> jobs;
  Statistics total;
  std::map<std::string, int64_t> kinds;
  size_t failures = 0, skipped = 0;
  double elapsed = 0;
};
}  // namespace

int main(int argc, char **argv) {
  Settings settings;
  CLI::App app("random programs against all executors");
  app.add_option("--seed", settings.seed, "seed of the first program (1)");
  app.add_option("--count", settings.count, "programs (200)")->check(CLI::PositiveNumber);
  app.add_option("--batch", settings.batch, "programs that are compiled together (8)")->check(CLI::PositiveNumber);
  app.add_option("--native-every", settings.nativeEvery, "which batches are compiled as C++ too: every N-th (3), 0: none");
  app.add_option("--minutes", settings.minutes, "start no more batches after so many");
  app.add_option("--timeout", settings.timeout, "seconds that one step may take (300)");
  app.add_option("--replay,--from", settings.replay, "run the programs of these files instead")->check(CLI::ExistingFile);
  app.add_option("--out", settings.out, "folder for shrunk programs (.)")->check(CLI::ExistingDirectory);
  app.add_option("-j", settings.threads, "batches at once (1)")->check(CLI::PositiveNumber);
  app.add_flag("--shrink", settings.shrink, "shrink every program that differs, and write it to a file");
  app.add_flag("--all-ops", settings.requireAllOps, "fail if some op of the dialect is in no program");
  app.add_flag("--print", settings.print, "print the program of --seed, run nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) ? 2 : 0;
  }
  if (settings.print) {
    std::cout << programText(settings.seed);
    return 0;
  }
  return Campaign(settings).run();
}
