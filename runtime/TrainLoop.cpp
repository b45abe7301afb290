// One object holds what a run holds; run() is the loop, and each of its lines is a method below.
//
// Everything that can be refused (data, memory, directory, checkpoint) is refused before the first step. From then on
// steps, their metrics and progress, and evaluations take no memory: what they need stands in the object. A save takes
// what its header takes (names, shapes, checksums) and gives it back, and so does a sample what its text takes; tensors go to
// the file from where they lie.
#include "runtime/TrainLoop.h"

#include "runtime/Checkpoint.h"
#include "runtime/DataPath.h"
#include "runtime/DataSource.h"
#include "runtime/Evaluate.h"
#include "runtime/FindNotFinite.h"
#include "runtime/Interrupt.h"
#include "runtime/Predict.h"
#include "runtime/Profile.h"
#include "runtime/Progress.h"
#include "runtime/Resume.h"
#include "runtime/RunConfig.h"
#include "runtime/RunDirectory.h"
#include "runtime/Sample.h"
#include "runtime/Session.h"
#include "runtime/StartFrom.h"
#include "runtime/TrainingSteps.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <optional>

namespace heddle {
namespace {

template <typename... Args> void add(fmt::memory_buffer& to, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(fmt::appender(to), format, std::forward<Args>(args)...);
}

// A loss as metrics.jsonl tells it. Numbers print as the shortest text that reads back as the same one.
struct Reported {
  std::string key;    // its name as JSON
  double value = 0;
  bool given = false;
};

enum { kLearningRate, kGradNorm, kMeasures };
constexpr const char* kMeasureNames[kMeasures] = {"lr", "grad_norm"};

// An entry that trains: there is one for each length bucket.
struct TrainingEntry {
  TrainingEntry(const Session& session, const HeddleEntry& entry) : entry(entry), losses(entry) {
    for (int i = 0; i < kMeasures; ++i) measures[i] = session.findOutput(entry, kMeasureNames[i]);
    const HeddleBuffer* ids = session.findInput(entry, "data.ids");
    for (int i = 0; i < entry.input_count && !ids; ++i)
      if (entry.inputs[i].name[0] != '$' && entry.inputs[i].type == HEDDLE_I32) ids = &entry.inputs[i];
    tokens = ids ? elementCount(*ids) : 0;
  }
  TrainingEntry(const TrainingEntry&) = delete;

  const HeddleEntry& entry;
  Losses losses;  // of its last step; read at once, since evaluation uses the same workspace
  const HeddleBuffer* measures[kMeasures];  // null: the entry does not give it
  int64_t tokens;  // of its batch: elements of data.ids, or of the first integer input
};

class Training {
  using Action = PeriodicAction::Kind;

public:
  Training(const HeddleProgram& program, const RunOptions& options)
      : options(options), config(RunConfig::parse(program.config)),
        session(program, threadCount(options), options.target, config.samples() ? Caches::kept : Caches::none),
        source(openDataSource(config, options.data)), inputs(session, source.get()), steps(options.steps.value_or(config.steps)),
        seed(options.seed.value_or(config.seed)) {
    if (steps < 1) throw RunError(kUsage, fmt::format("'{}' does not say how many steps", program.name),
                     "give --steps N");
    for (const HeddleEntry* entry : session.trainingEntries()) entries.emplace_back(session, *entry);
    trained = &entries.back();
    for (const PeriodicAction& action : config.every)
      if (action.kind == Action::kEvaluate && source && !evaluation) {
        evaluation = std::make_unique<Evaluation>(session, *source);
        source->check(session, evaluation->entry, true);
      }
    for (const PeriodicAction& action : config.every)
      if (action.kind == Action::kSample) checkSample(action);
    if (source)
      for (const std::string& note : source->notes()) say(note);
    for (auto& loss : trained->losses.all) keys.push_back(nlohmann::json(loss.name).dump());
    if (evaluation)
      for (auto& loss : evaluation->losses.all) validation.push_back({nlohmann::json(loss.name).dump()});
    metrics.reserve(4096);
    std::string name = config.program.empty() ? program.name : config.program;
    directory = std::make_unique<RunDirectory>(options.out.empty() ? "out/" + name : options.out, options.resume);
    options.resume ? resume() : start();
    inputs.start(seed);
  }

  int run() {
    Interrupt interrupt;
    Progress bar(done + 1, steps);
    progress = &bar;
    int64_t first = done;
    while (done < steps && !Interrupt::requested()) {
      bar.begin();
      runStep();
      bar.update(done, shownLoss(), trained->tokens);
      warnIfNothingIsLearned();
      evaluateIfDue();
      sampleIfDue();
      writeMetrics();
      saveIfDue();
    }
    if (savedStep != done || !metricsSaved) save(false);
    if (options.profile) say(profile.table(done - first) + fmt::format("arenas: {} bytes at the peak", Arena::peakMapped()));
    if (done < steps) {
      bar.message(fmt::format("interrupted after step {}; saved {}; go on with --resume", done,
                              directory->checkpointPath(done)));
      return kInterrupted;
    }
    bar.message(fmt::format("saved {}", directory->checkpointPath(done)));
    return kDone;
  }

private:
  void say(std::string_view text) {
    if (progress) return progress->message(text);
    fmt::print(stderr, "{}\n", text);
  }

  StartingWeights initialValues() {
    session.initialise(seed);
    return config.from.empty() ? StartingWeights() : startFrom(resolveDataPath(config.base, config.from), session);
  }

  void start() {
    StartingWeights weights = initialValues();
    if (config.from.empty()) return;
    say(fmt::format("starts from {}: {} tensors", weights.path, weights.loaded));
    for (auto& name : weights.missing) say(fmt::format("  not there, so as initialised: {}", name));
    for (auto& name : weights.unused) say(fmt::format("  not used: {}", name));
  }

  void resume() {
    auto [info, path] = loadNewest(directory->path(), session, LoadPart::kEverything, [&](auto& text) { say(text); });
    if (options.seed && *options.seed != info.seed)
      throw RunError(kUsage, fmt::format("{}: the run has seed {}, not {}", path, info.seed, *options.seed),
                     "leave out --seed to resume");
    std::string classes = source ? classesToJson(source->classes()) : "";
    if (!info.classes.empty() && info.classes != classes)
      throw RunError(kData, fmt::format("{}: the classes are not those that the run started with: then {}, now {}", path,
                                        info.classes, classes.empty() ? "none" : classes),
                     "resume with the same data, or start a new run");
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

  // The inputs of a step, for the entry that `trained` becomes.
  void fill(int64_t step) { trained = &entries[inputs.fill(step)]; }

  void runStep() {
    auto start = std::chrono::steady_clock::now();
    fill(done + 1);
    profile.addBatch(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (done + 1 < steps) inputs.makeAhead(done + 2);
    if (options.profile) session.executor.trace = [this](const StepTrace& t) { profile.add(t); };
    session.run(trained->entry);
    session.executor.trace = nullptr;  // evaluations do not count
    done += 1;
    trained->losses.read(session);
    for (auto& loss : trained->losses.all)
      if (!std::isfinite(loss.value)) stop(fmt::format("loss {} is {}", loss.name, loss.value), firstBadOfStep());
    for (int i = 0; i < kMeasures; ++i) {
      if (!trained->measures[i]) continue;
      measured[i] = session.scalar(*trained->measures[i]);
      if (!std::isfinite(measured[i])) stop(fmt::format("{} is {}", kMeasureNames[i], measured[i]), firstBadOfStep());
    }
  }

  [[noreturn]] void stop(const std::string& why, const std::string& cause) {
    std::string kept = savedStep > 0 ? "the last checkpoint is " + directory->checkpointPath(savedStep)
                                     : "no checkpoint was written yet";
    throw RunError(kStopped, fmt::format("training stopped: {} at step {}{}{}", why, done, cause.empty() ? "" : "\n  ", cause),
                   kept + "; a smaller learning rate, warm-up or clipping may help");
  }

  // Runs the steps since the last checkpoint (or the start) again, which gives the same bits, and looks through the
  // results of the last one: by now the weights of that time are gone, since a step also updates them.
  std::string firstBadOfStep() {
    try {
      int64_t from = 0;
      if (savedStep > 0) from = loadCheckpoint(directory->checkpointPath(savedStep), session, LoadPart::kEverything).step;
      else initialValues();
      if (done - from > 1)
        say(fmt::format("looking for the first value that is not finite: steps {} to {} are run again (interrupt to "
                        "skip this)", from + 1, done));
      for (int64_t step = from + 1; step < done; ++step) {
        if (Interrupt::requested()) return "";
        fill(step);
        session.run(trained->entry);
      }
      fill(done);
      return findNotFinite(session, trained->entry);
    } catch (const RunError& e) {
      return fmt::format("the op that made it is not known: {}", e.what());
    }
  }

  std::string firstBadOfEvaluation(int64_t batches) {
    std::string found;
    inputs.rest();
    batches = source->evaluationBatches(evaluation->entry, batches);
    for (int64_t batch = 0; batch < batches && found.empty(); ++batch) {
      source->fillEvaluation(session, evaluation->entry, batch, batches);
      session.setCounters(evaluation->entry, 0, seed);
      found = findNotFinite(session, evaluation->entry);
    }
    return found;
  }

  float shownLoss() const {
    const std::vector<Losses::Loss>& losses = trained->losses.all;
    for (auto& loss : losses)
      if (loss.name == config.minimise) return float(loss.value);
    return losses.empty() ? 0.f : float(losses[0].value);
  }

  // Once a run: a loss whose mask leaves all rows out is 0, and so are its gradients.
  void warnIfNothingIsLearned() {
    if (warned || !trained->measures[kGradNorm] || measured[kGradNorm] != 0 || trained->losses.all.empty()) return;
    for (auto& loss : trained->losses.all)
      if (loss.value != 0) return;
    warned = true;
    say(fmt::format("warning: step {}: the loss is exactly 0, and so are all gradients: are all labels of the batch left "
                    "out?", done));
  }

  void evaluateIfDue() {
    for (Reported& result : validation) result.given = false;
    for (const PeriodicAction& action : config.every) {
      if (action.kind != Action::kEvaluate || done % action.n != 0 || !evaluation) continue;
      inputs.rest();  // the source serves one at a time
      const Losses& found = evaluation->run(seed, action.batches);
      for (size_t i = 0; i < found.all.size(); ++i) {
        auto& loss = found.all[i];
        if (!action.loss.empty() && action.loss != loss.name) continue;
        validation[i].value = loss.value, validation[i].given = true;
        text.clear();
        add(text, "step {}  validation {} {:.4f}", done, loss.name, loss.value);
        say({text.data(), text.size()});
        if (!std::isfinite(loss.value) && !loss.isMetric)
          stop(fmt::format("validation loss {} is {}", loss.name, loss.value), firstBadOfEvaluation(action.batches));
      }
    }
  }

  // That what is sampled while training can be sampled is found before the first step.
  void checkSample(const PeriodicAction& action) {
    session.entry("sample");
    if (config.data.kind == "pairs")
      throw RunError(kData, fmt::format("'{}' cannot sample: it tells the targets of texts, and goes on with none", session.program.name));
    if (!source || !source->tokenizer())
      throw RunError(kData, fmt::format("'{}' cannot sample: its data have no tokenizer", session.program.name));
    firstTokens(*source->tokenizer(), action.sample, "the prompt of `sample`");
  }

  void sampleIfDue() {
    samples.clear();
    for (const PeriodicAction& action : config.every) {
      if (action.kind != Action::kSample || done % action.n != 0) continue;
      SampleOptions sample = action.sample;
      sample.seed = action.seed.value_or(seed);
      std::string found;
      try {
        sampleText(session, *source->tokenizer(), sample, [&](std::string_view piece) { found += piece; });
      } catch (const RunError& e) {
        if (e.exitCode == kStopped) stop(e.what(), firstBadOfStep());
        throw;
      }
      say(fmt::format("step {}  sample {}", done, found));
      // Bytes of a `byte` model need not be UTF-8.
      samples.push_back(nlohmann::json(found).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
  }

  void writeMetrics() {
    metrics.clear();
    add(metrics, "{{\"step\":{},\"loss\":{{", done);
    for (size_t i = 0; i < keys.size(); ++i) add(metrics, "{}{}:{}", i ? "," : "", keys[i], float(trained->losses.all[i].value));
    add(metrics, "}}");
    for (int i = 0; i < kMeasures; ++i)
      if (trained->measures[i]) add(metrics, ",\"{}\":{}", kMeasureNames[i], measured[i]);
    if (trained->tokens) add(metrics, ",\"tokens_per_s\":{:.1f}", progress->tokensPerSecond());
    bool evaluated = false;
    for (const Reported& result : validation) {
      if (!result.given) continue;
      add(metrics, "{}{}:", evaluated ? "," : ",\"eval\":{", result.key);
      if (std::isfinite(result.value)) add(metrics, "{}", result.value);
      else add(metrics, "null");  // of a metric; JSON has no NaN and no infinity
      evaluated = true;
    }
    add(metrics, "{}", evaluated ? "}" : "");
    for (size_t i = 0; i < samples.size(); ++i) add(metrics, "{}{}", i ? "," : ",\"samples\":[", samples[i]);
    add(metrics, "{}}}", samples.empty() ? "" : "]");
    int error = directory->appendMetrics({metrics.data(), metrics.size()});
    if (error && !metricsFailing)
      say(fmt::format("warning: {}/metrics.jsonl: cannot be written: {}; its lines are kept for later", directory->path(),
                      strerror(error)));
    metricsFailing = error != 0;
  }

  void saveIfDue() {
    for (const PeriodicAction& action : config.every)
      if (action.kind == Action::kSave && done % action.n == 0 && savedStep != done) save(done < steps);
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
                        source && source->tokenizer() ? source->tokenizer()->toJson() : "",
                        source ? classesToJson(source->classes()) : "", ""};
    try {
      saveCheckpoint(directory->checkpointPath(done), session, info);
      savedStep = done;
    } catch (const RunError& e) {
      if (e.exitCode == kStopped) stop(e.what(), firstBadOfStep());
      throw;
    }
  }

  const RunOptions& options;
  RunConfig config;
  Session session;
  std::deque<TrainingEntry> entries;  // of the length buckets; else one
  TrainingEntry* trained = nullptr;   // the one of the last step
  std::unique_ptr<DataSource> source;
  TrainingSteps inputs;
  int64_t steps;
  uint64_t seed;
  int64_t done = 0, savedStep = 0;
  std::unique_ptr<RunDirectory> directory;
  std::vector<std::string> keys;  // of the losses, as JSON
  float measured[kMeasures] = {};
  std::unique_ptr<Evaluation> evaluation;
  std::vector<Reported> validation;
  std::vector<std::string> samples;  // of the last step, as JSON
  fmt::memory_buffer metrics, text;
  Progress* progress = nullptr;
  Profile profile;
  bool metricsFailing = false;  // at the last line
  bool metricsSaved = true;     // at the last save
  bool warned = false;          // that nothing is learned
};

}  // namespace

int train(const HeddleProgram& program, const RunOptions& options) { return Training(program, options).run(); }

}  // namespace heddle
