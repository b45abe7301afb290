// See Commands.h. Writing to stdout is checked: a full disk or a closed pipe is an error, not a silent loss.
#include "runtime/Commands.h"

#include "runtime/Bench.h"
#include "runtime/DataSource.h"
#include "runtime/DryRun.h"
#include "runtime/Evaluate.h"
#include "runtime/InputTexts.h"
#include "runtime/Predict.h"
#include "runtime/Resume.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/TargetClass.h"
#include "runtime/TargetTexts.h"
#include "runtime/TrainLoop.h"
#include "runtime/Unlabelled.h"

#include <cxxabi.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <typeinfo>

namespace heddle {
namespace {

void writeOut(std::string_view text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0)
    throw RunError(kData, fmt::format("standard output cannot be written: {}", strerror(errno)));
}

void say(const std::string& text) { fputs((text + "\n").c_str(), stderr); }

LoadedCheckpoint loadFor(Session& session, const RunConfig& config, const RunOptions& options) {
  std::string name = config.program.empty() ? session.program.name : config.program;
  return loadNewest(options.checkpoint.empty() ? "out/" + name : options.checkpoint, session,
                    LoadPart::kWithoutOptimizer, say);
}

void dryRun(const HeddleProgram& program, const RunOptions& options) {
  checkProgram(program);
  std::optional<int64_t> dataBytes;
  try {
    dataBytes = describeData(RunConfig::parse(program.config), options.data).bytes;
  } catch (const RunError& e) {
    if (e.exitCode != kData) throw;
    say(fmt::format("note: the memory that the data take is left out: {}", e.what()));
  }
  writeOut(describeRun(program, chooseTarget(program, options.target), threadCount(options), dataBytes, options.json));
}

void runEval(const HeddleProgram& program, const RunOptions& options) {
  if (options.beams && !options.generate) throw RunError(kUsage, "--beams is for targets that are generated", "give --generate N too");
  RunConfig config = RunConfig::parse(program.config);
  if (options.generate) requirePairs(config);
  Session session(program, threadCount(options), options.target, options.generate ? Caches::kept : Caches::none);
  auto source = openDataSource(config, options.data);
  if (!source) throw RunError(kData, fmt::format("'{}' has no data to evaluate on", program.name));
  source->check(session, session.entry("eval"), true);
  Evaluation evaluation(session, *source);
  LoadedCheckpoint loaded = loadFor(session, config, options);
  for (const std::string& note : source->notes()) say(note);
  std::optional<TargetEvaluation> generated;
  if (options.generate)
    generated.emplace(session, config, loaded.info.tokenizer, SearchOptions{.beams = options.beams.value_or(1)}, *source, *options.generate);
  if (generated)
    for (const std::string& note : generated->notes) say(note);
  int64_t batches = 0;
  for (auto action = config.every.rbegin(); action != config.every.rend(); ++action)
    if (action->kind == PeriodicAction::Kind::kEvaluate) batches = action->batches;
  batches = source->evaluationBatches(evaluation.entry, options.batches.value_or(batches));
  std::map<std::string, double> losses;
  for (auto& loss : evaluation.run(loaded.info.seed, batches).all) losses[loss.name] = loss.value;
  if (options.json) {
    nlohmann::ordered_json json = {{"checkpoint", loaded.path}, {"step", loaded.info.step}, {"batches", batches},
                                   {"loss", losses}};
    if (generated) json["generated"] = nlohmann::ordered_json::parse(generated->json());
    return writeOut(json.dump() + "\n");
  }
  for (auto& [name, loss] : losses) writeOut(fmt::format("{} {:.6f}\n", name, loss));
  if (generated)
    for (auto& [name, score] : generated->scores()) writeOut(fmt::format("{} {:.6f}\n", name, score));
}

void runSample(const HeddleProgram& program, const RunOptions& options) {
  RunConfig config = RunConfig::parse(program.config);
  if (config.data.kind == "pairs")
    throw RunError(kUsage, fmt::format("'{}' tells the targets of texts, and goes on with none", program.name), "`predict --text TEXT` gives the target of a text");
  Session session(program, threadCount(options), options.target);
  LoadedCheckpoint loaded = loadFor(session, config, options);
  if (loaded.info.tokenizer.empty())
    throw RunError(kData, fmt::format("{}: has no tokenizer: its data were not text", loaded.path));
  SampleOptions sample = options.sample;
  sample.seed = options.seed.value_or(config.seed);
  std::string text;
  sampleText(session, Tokenizer::fromJson(loaded.info.tokenizer), sample, [&](std::string_view piece) {
    text += piece;
    if (!options.json) writeOut(piece);
  });
  if (!options.json) return writeOut("\n");
  nlohmann::ordered_json json = {{"checkpoint", loaded.path}, {"step", loaded.info.step},   {"seed", sample.seed},
                                 {"prompt", sample.prompt.value_or("")},   {"tokens", sample.tokens}, {"text", text}};
  // Bytes of a `byte` model need not be UTF-8.
  writeOut(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

constexpr size_t kPiece = 1 << 16;  // bytes of results that are written at once

// Of pairs: the target of each text.
void predictTargets(const HeddleProgram& program, const RunConfig& config, const RunOptions& options) {
  if (options.predict.top != 1) throw RunError(kUsage, "--top is for classes, but this model tells targets");
  Session session(program, threadCount(options), options.target);
  LoadedCheckpoint loaded = loadFor(session, config, options);
  if (loaded.info.tokenizer.empty()) throw RunError(kData, fmt::format("{}: has no tokenizer", loaded.path));
  Tokenizer words = Tokenizer::fromJson(loaded.info.tokenizer);
  TargetTexts targets(session, config, words, SearchOptions{.beams = options.beams.value_or(1)});
  InputTexts input(options.predict.input);
  for (size_t first = 0, next; first < input.size(); first = next) {
    next = std::min(input.size(), first + size_t(targets.together()));
    std::vector<std::string> sources;
    for (size_t i = first; i < next; ++i) sources.emplace_back(input.text(i));
    std::string lines;
    for (const TargetText& target : targets.of(sources, [&](size_t i) { return input.place(first + i); })) {
      nlohmann::ordered_json json = {{"target", target.text}, {"log_probability", target.logProbability}, {"ended", target.ended}};
      lines += (options.json ? json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) : escaped(target.text)) + "\n";
    }
    writeOut(lines);
  }
  for (const std::string& note : targets.notes()) say(note);
}

void runPredict(const HeddleProgram& program, const RunOptions& options) {
  const PredictOptions& predict = options.predict;
  if (predict.input.text && !predict.input.path.empty()) throw RunError(kUsage, "--text and --input exclude each other");
  RunConfig config = RunConfig::parse(program.config);
  if (config.data.kind == "pairs") return predictTargets(program, config, options);
  if (options.beams) throw RunError(kUsage, "--beams is for targets, but this model tells classes");
  Session session(program, threadCount(options), options.target, Caches::none);
  const HeddleEntry& entry = predictEntry(session);
  LoadedCheckpoint loaded = loadFor(session, config, options);
  std::optional<Tokenizer> tokenizer;
  if (!loaded.info.tokenizer.empty()) tokenizer = Tokenizer::fromJson(loaded.info.tokenizer);
  std::vector<std::string> classes = classesFromJson(loaded.info.classes, loaded.path);
  auto source = openUnlabelled(config, entry, tokenizer ? &*tokenizer : nullptr, predict.input);
  source->check(session, entry, true);
  for (const std::string& note : source->notes()) say(note);
  std::string lines;
  predictRecords(session, *source, predict.top, [&](const std::vector<ClassProbability>& found) {
    lines += options.json ? predictionJson(found, classes) : predictionLine(found, classes);
    if (lines.size() < kPiece) return;
    writeOut(lines);
    lines.clear();
  });
  writeOut(lines);
}

int dispatch(const HeddleProgram& program, const RunOptions& options) {
  if (options.dryRun && options.command == Command::kTrain) return dryRun(program, options), kDone;
  switch (options.command) {
    case Command::kTrain: return train(program, options);
    case Command::kEval: return runEval(program, options), kDone;
    case Command::kSample: return runSample(program, options), kDone;
    case Command::kPredict: return runPredict(program, options), kDone;
    case Command::kBench: return writeOut(bench(program, options)), kDone;
  }
  return kInternal;
}

int outOfMemory() {
  fputs("error: out of memory\n", stderr);
  return kData;
}

// Destructors of the JSON library allocate, and may not throw: without memory they end up here.
std::terminate_handler otherwise;
void onTerminate() {
  const std::type_info* thrown = abi::__cxa_current_exception_type();
  if (thrown && *thrown == typeid(std::bad_alloc)) _exit(outOfMemory());
  otherwise();
}

int runAndTell(const HeddleProgram& program, const RunOptions& options) {
  try {
    return dispatch(program, options);
  } catch (const RunError& e) {
    fputs(e.text().c_str(), stderr);
    return e.exitCode;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    fputs(fmt::format("internal error: {}\n", e.what()).c_str(), stderr);
    return kInternal;
  }
}

}  // namespace

int runCommand(const HeddleProgram& program, const RunOptions& options) {
  if (std::get_terminate() != onTerminate) otherwise = std::set_terminate(onTerminate);
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of the write,
  signal(SIGXFSZ, SIG_IGN);  // and so is a file at the size limit (ulimit -f)
  try {
    return runAndTell(program, options);
  } catch (const std::bad_alloc&) {  // perhaps while another error was put in words
    return outOfMemory();
  }
}

}  // namespace heddle
