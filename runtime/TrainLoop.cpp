// One object holds what a run holds; run() is the loop, and each of its lines is a method below.
//
// Everything that can be refused (data, memory, directory, checkpoint) is refused before the first step.
#include "runtime/TrainLoop.h"

#include "runtime/Checkpoint.h"
#include "runtime/DataPath.h"
#include "runtime/DataSource.h"
#include "runtime/Evaluate.h"
#include "runtime/Interrupt.h"
#include "runtime/Profile.h"
#include "runtime/Progress.h"
#include "runtime/Resume.h"
#include "runtime/RunConfig.h"
#include "runtime/RunDirectory.h"
#include "runtime/Session.h"
#include "runtime/StartFrom.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>

namespace heddle {
namespace {

// Numbers print as the shortest text that reads back as the same float.
template <typename Value> std::string lossesJson(const std::map<std::string, Value>& losses) {
  std::string text;
  for (auto& [name, loss] : losses)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", nlohmann::json(name).dump(), loss);
  return "{" + text + "}";
}

class Training {
public:
  Training(const HeddleProgram& program, const RunOptions& options)
      : options(options), config(RunConfig::parse(program.config)),
        session(program, threadCount(options), options.target), entry(session.entry("train")),
        source(openDataSource(config, options.data)), steps(options.steps.value_or(config.steps)),
        seed(options.seed.value_or(config.seed)) {
    if (steps < 1) throw RunError(kUsage, fmt::format("'{}' does not say how many steps", program.name),
                     "give --steps N");
    if (source) source->check(session, entry, false);
    for (const PeriodicAction& action : config.every)
      if (!action.save && source) source->check(session, session.entry("eval"), true);
    std::string name = config.program.empty() ? program.name : config.program;
    directory = std::make_unique<RunDirectory>(options.out.empty() ? "out/" + name : options.out, options.resume);
    options.resume ? resume() : start();
  }

  int run() {
    Interrupt interrupt;
    Progress bar(done + 1, steps, tokensPerStep());
    progress = &bar;
    int64_t first = done;
    while (done < steps && !Interrupt::requested()) {
      bar.begin();
      runStep();
      bar.update(done, shownLoss());
      writeMetrics(evaluateIfDue());
      saveIfDue();
    }
    if (savedStep != done || !metricsSaved) save(false);
    if (options.profile) fputs(profile.table(done - first).c_str(), stderr);
    if (done < steps) {
      bar.message(fmt::format("interrupted after step {}; saved {}; go on with --resume", done,
                              directory->checkpointPath(done)));
      return kInterrupted;
    }
    bar.message(fmt::format("saved {}", directory->checkpointPath(done)));
    return kDone;
  }

private:
  void say(const std::string& text) {
    if (progress)
      progress->message(text);
    else
      fputs((text + "\n").c_str(), stderr);
  }

  void start() {
    session.initialise(seed);
    if (config.from.empty()) return;
    StartingWeights weights = startFrom(resolveDataPath(config.base, config.from), session);
    say(fmt::format("starts from {}: {} tensors", weights.path, weights.loaded));
    for (auto& name : weights.missing) say(fmt::format("  not there, so as initialised: {}", name));
    for (auto& name : weights.unused) say(fmt::format("  not used: {}", name));
  }

  void resume() {
    auto [info, path] = loadNewest(directory->path(), session, LoadPart::kEverything, [&](auto& text) { say(text); });
    if (options.seed && *options.seed != info.seed)
      throw RunError(kUsage, fmt::format("{}: the run has seed {}, not {}", path, info.seed, *options.seed),
                     "leave out --seed to resume");
    std::string now = source ? source->fingerprint() : "";
    if (info.data != now)
      throw RunError(kData, fmt::format("the data are not those that the run started with: then {}, now {}", info.data, now),
                     "resume with the same data, or start a new run");
    seed = info.seed, done = savedStep = info.step;
    say(fmt::format("resumed from {}, step {}", path, done));
    if (int64_t lines = directory->truncateMetrics(done); lines != done)
      say(fmt::format("note: {}/metrics.jsonl holds lines of {} of these steps; the others could not be written, or are lost",
                      directory->path(), lines));
  }

  // Of the batch: elements of data.ids, or of the first integer input.
  int64_t tokensPerStep() const {
    if (auto* ids = session.findInput(entry, "data.ids")) return elementCount(*ids);
    for (int i = 0; i < entry.input_count; ++i)
      if (entry.inputs[i].name[0] != '$' && entry.inputs[i].type == HEDDLE_I32) return elementCount(entry.inputs[i]);
    return 0;
  }

  void runStep() {
    int64_t step = done + 1;
    if (source) source->fillTraining(session, entry, seed, step, 0);
    session.setCounters(entry, step, seed);
    if (options.profile) session.executor.trace = [this](const StepTrace& t) { profile.add(t); };
    session.run(entry);
    session.executor.trace = nullptr;  // evaluations do not count
    done = step;
    losses = readLosses(session, entry);
    for (auto& [name, loss] : losses)
      if (!std::isfinite(loss)) stop(fmt::format("loss {} is {}", name, loss));
    measures.clear();
    for (const char* name : {"lr", "grad_norm"}) {
      auto* output = session.findOutput(entry, name);
      if (!output) continue;
      measures.emplace_back(name, session.scalar(*output));
      if (!std::isfinite(measures.back().second)) stop(fmt::format("{} is {}", name, measures.back().second));
    }
  }

  [[noreturn]] void stop(const std::string& why) {
    std::string kept = savedStep > 0 ? "the last checkpoint is " + directory->checkpointPath(savedStep)
                                     : "no checkpoint was written yet";
    throw RunError(kStopped, fmt::format("training stopped: {} at step {}", why, done),
                   kept + "; a smaller learning rate, warm-up or clipping may help");
  }

  float shownLoss() const {
    auto found = losses.find(config.minimise);
    return found != losses.end() ? found->second : losses.empty() ? 0.f : losses.begin()->second;
  }

  // Returns the evaluations' part of the metrics' line, or "".
  std::string evaluateIfDue() {
    std::map<std::string, double> results;
    for (const PeriodicAction& action : config.every) {
      if (action.save || done % action.n != 0 || !source) continue;
      for (auto& [name, loss] : evaluate(session, *source, seed, action.batches)) {
        if (!action.loss.empty() && action.loss != name) continue;
        results[name] = loss;
        say(fmt::format("step {}  validation {} {:.4f}", done, name, loss));
      }
    }
    for (auto& [name, loss] : results)
      if (!std::isfinite(loss)) stop(fmt::format("validation loss {} is {}", name, loss));
    return results.empty() ? "" : ",\"eval\":" + lossesJson(results);
  }

  void writeMetrics(const std::string& evaluations) {
    std::string line = fmt::format("{{\"step\":{},\"loss\":{}", done, lossesJson(losses));
    for (auto& [name, value] : measures) line += fmt::format(",\"{}\":{}", name, value);
    if (tokensPerStep()) line += fmt::format(",\"tokens_per_s\":{:.1f}", progress->tokensPerSecond());
    int error = directory->appendMetrics(line + evaluations + "}");
    if (error && !metricsFailing)
      say(fmt::format("warning: {}/metrics.jsonl: cannot be written: {}; its lines are kept for later", directory->path(),
                      strerror(error)));
    metricsFailing = error != 0;
  }

  void saveIfDue() {
    for (const PeriodicAction& action : config.every)
      if (action.save && done % action.n == 0 && savedStep != done) save(done < steps);
  }

  // With `forgiving`, a failure is told, training goes on and the next save tries again. The weights do not wait for the
  // metrics: either is saved although the other could not be.
  void save(bool forgiving) {
    std::optional<RunError> failure;
    auto attempt = [&](const char* what, const std::function<void()>& part) {
      try {
        part();
        return true;
      } catch (const DirectoryTaken&) {
        throw;
      } catch (const RunError& e) {
        if (e.exitCode != kData) throw;
        if (forgiving || failure) say(fmt::format("warning: {}{}", e.what(), forgiving ? "; training goes on" : ""));
        failure = e;
      } catch (const std::bad_alloc&) {
        failure = RunError(kData, fmt::format("{}: no memory to save {}", directory->checkpointPath(done), what));
        if (forgiving) say(fmt::format("warning: {}; training goes on", failure->what()));
      }
      return false;
    };
    metricsSaved = false;
    bool present = attempt("the run", [&] {
      if (std::string told = directory->restore(); !told.empty()) say("warning: " + told);
    });
    if (present) {
      metricsSaved = attempt("the metrics", [&] { directory->syncMetrics(); });
      if (savedStep != done) attempt("the weights", [&] { saveWeights(); });
    }
    if (failure && !forgiving) throw *failure;
  }

  void saveWeights() {
    CheckpointInfo info{done, seed, source ? source->fingerprint() : "",
                        source && source->tokenizer() ? source->tokenizer()->toJson() : "", ""};
    saveCheckpoint(directory->checkpointPath(done), session, info);
    savedStep = done;
  }

  const RunOptions& options;
  RunConfig config;
  Session session;
  const HeddleEntry& entry;
  std::unique_ptr<DataSource> source;
  int64_t steps;
  uint64_t seed;
  int64_t done = 0, savedStep = 0;
  std::unique_ptr<RunDirectory> directory;
  // Of the last step; read at once, since evaluation uses the same workspace.
  std::map<std::string, float> losses;
  std::vector<std::pair<const char*, float>> measures;
  Progress* progress = nullptr;
  Profile profile;
  bool metricsFailing = false;  // at the last line
  bool metricsSaved = true;     // at the last save
};

}  // namespace

int train(const HeddleProgram& program, const RunOptions& options) { return Training(program, options).run(); }

}  // namespace heddle
