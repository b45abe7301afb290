// Parsed by hand rather than with a library: native programs need no dependency for it, and both commands get the
// same messages.
#include "runtime/Options.h"

#include "runtime/RunError.h"
#include "runtime/ThreadPool.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <set>

namespace heddle {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxThreads = 1024;

template <typename T> bool parseExactly(const std::string& text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

uint64_t parseSeed(const std::string& text) {
  uint64_t value;
  if (!parseExactly(text, value))
    throw RunError(kUsage, fmt::format("--seed wants a whole number from 0 to 2^64 - 1, not '{}'", text));
  return value;
}

double parseTemperature(const std::string& text) {
  double value;
  if (!parseExactly(text, value) || !std::isfinite(value) || value < 0)
    throw RunError(kUsage, fmt::format("--temperature wants a number from 0, not '{}'", text));
  return value;
}

size_t editDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

int64_t parseWhole(const std::string& what, const std::string& text, int64_t least, int64_t most) {
  int64_t value;
  if (!parseExactly(text, value) || value < least || value > most)
    throw RunError(kUsage, fmt::format("{} wants a whole number from {} to {}, not '{}'", what, least, most, text));
  return value;
}

std::vector<OptionSpec> runOptionSpecs(Command command, RunOptions& o) {
  o.command = command;
  auto text = [](std::string& field, const char* name) {
    return [&field, name](const std::string& v) {
      if (v.empty()) throw RunError(kUsage, fmt::format("{} is empty", name));
      field = v;
    };
  };
  auto on = [](bool& field) { return [&field](const std::string&) { field = true; }; };
  auto seed = [&o](const std::string& v) { o.seed = parseSeed(v); };
  std::vector<OptionSpec> specs;
  if (command == Command::kTrain) {
    specs = {
        {"--steps", "", "N", "stop after step N, whatever the program says",
         [&o](const std::string& v) { o.steps = parseWhole("--steps", v, 1, kMost); }},
        {"--out", "", "DIR", "run directory: metrics and checkpoints (default out/NAME)", text(o.out, "--out")},
        {"--resume", "", "", "continue the run in that directory from its newest good checkpoint", on(o.resume)},
        {"--seed", "", "S", "seed of initial values, batches and dropout, instead of the program's", seed},
        {"--dry-run", "", "", "parameters, work and exact peak memory; nothing is run or written", on(o.dryRun)},
        {"--profile", "", "", "time per kernel, to stderr at the end", on(o.profile)},
        {"--json", "", "", "with --dry-run: as JSON", on(o.json)}};
  } else if (command == Command::kBench) {
    specs = {{"--steps", "", "N", "measure N steps (default 20), after two that are not",
              [&o](const std::string& v) { o.steps = parseWhole("--steps", v, 1, kMost - 2); }},
             {"--seed", "", "S", "seed of initial values, batches and dropout, instead of the program's", seed},
             {"--dry-run", "", "", "FLOPs and bytes by kernel, the same on every machine; nothing is run", on(o.dryRun)},
             {"--json", "", "", "as JSON", on(o.json)}};
  } else {
    specs = {{"--ckpt", "", "FILE", "checkpoint, or run directory (its newest; default out/NAME)",
              text(o.checkpoint, "--ckpt")},
             {"--json", "", "", command == Command::kPredict ? "an object for each record" : "result as JSON", on(o.json)}};
  }
  if (command == Command::kEval)
    specs.push_back({"--generate", "", "N", "of pairs of texts: search the targets of N held-out pairs (0: all), and score them",
                     [&o](const std::string& v) { o.generate = parseWhole("--generate", v, 0, kMost); }});
  if (command == Command::kEval || command == Command::kPredict)
    specs.push_back({"--beams", "", "W", "of pairs of texts: how many targets a search goes on with (default 1: the likeliest token)",
                     [&o](const std::string& v) { o.beams = parseWhole("--beams", v, 1, kMost); }});
  if (command == Command::kEval)
    specs.push_back({"--batches", "", "N", "batches of held-out data (default: the program's; else all records)",
                     [&o](const std::string& v) { o.batches = parseWhole("--batches", v, 1, kMost); }});
  if (command == Command::kTrain || command == Command::kEval || command == Command::kBench)
    specs.push_back({"--data", "", "PATH", "data file, instead of the program's", text(o.data, "--data")});
  if (command == Command::kSample) {
    std::vector<OptionSpec> own = {
        {"--prompt", "", "TEXT", "text to continue (default: a new line)",
         [&o](const std::string& v) { o.sample.prompt = v; }},
        {"--tokens", "", "N", "tokens to add (default 300)",
         [&o](const std::string& v) { o.sample.tokens = parseWhole("--tokens", v, 0, kMost); }},
        {"--temperature", "", "X", "below 1 safer, above 1 wilder, 0 the likeliest (default 1)",
         [&o](const std::string& v) { o.sample.temperature = parseTemperature(v); }},
        {"--top-k", "", "K", "draw among the K likeliest tokens (default: all)",
         [&o](const std::string& v) { o.sample.topK = parseWhole("--top-k", v, 1, kMost); }},
        {"--seed", "", "S", "seed of the draws (default: the program's)", seed},
        {"--recompute", "", "", "compute all positions for every token, without the kept keys and values",
         on(o.sample.recompute)}};
    specs.insert(specs.end(), own.begin(), own.end());
  }
  if (command == Command::kPredict) {
    std::vector<OptionSpec> own = {
        {"--text", "", "TEXT", "one text, instead of --input",
         [&o](const std::string& v) { o.predict.input.text = v; }},
        {"--input", "", "FILE", "records: a text a line (default: standard input), a table, or images",
         text(o.predict.input.path, "--input")},
        {"--top", "", "K", "tell the K likeliest classes of each record (default 1)",
         [&o](const std::string& v) { o.predict.top = parseWhole("--top", v, 1, kMost); }}};
    specs.insert(specs.end(), own.begin(), own.end());
  }
  specs.push_back({"--threads", "-j", "N", "threads (default: all cores); results do not depend on it",
                   [&o](const std::string& v) { o.threads = int(parseWhole("-j", v, 1, kMaxThreads)); }});
  return specs;
}

std::vector<std::string> parseOptions(const std::vector<OptionSpec>& specs, const std::vector<std::string>& args,
                                      bool& help) {
  std::vector<std::string> words, names;
  std::set<std::string> given;
  for (auto& s : specs) names.push_back(s.name);
  help = false;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string arg = args[i], value;
    if (arg == "--") {
      words.insert(words.end(), args.begin() + std::ptrdiff_t(i) + 1, args.end());
      break;
    }
    if (arg == "-h" || arg == "--help") {
      help = true;
      return words;
    }
    if (arg.size() < 2 || arg[0] != '-') {
      words.push_back(arg);
      continue;
    }
    bool hasValue = false;
    if (size_t equals = arg.find('='); arg.starts_with("--") && equals != std::string::npos)
      hasValue = true, value = arg.substr(equals + 1), arg.resize(equals);
    else if (!arg.starts_with("--") && arg.size() > 2)
      hasValue = true, value = arg.substr(2), arg.resize(2);
    auto spec = std::find_if(specs.begin(), specs.end(), [&](auto& s) { return s.name == arg || s.alias == arg; });
    if (spec == specs.end())
      throw RunError(kUsage, fmt::format("unknown option '{}'", arg), didYouMean(arg, names));
    if (!given.insert(spec->name).second) throw RunError(kUsage, fmt::format("{} is given twice", spec->name));
    if (spec->value.empty() && hasValue) throw RunError(kUsage, fmt::format("{} takes no value", spec->name));
    if (!spec->value.empty() && !hasValue) {
      if (++i == args.size())
        throw RunError(kUsage, fmt::format("{} wants a value: {} {}", arg, spec->name, spec->value));
      value = args[i];
    }
    spec->set(value);
  }
  return words;
}

std::string optionsHelp(const std::vector<OptionSpec>& specs) {
  std::vector<std::string> lefts;
  size_t width = 0;
  for (auto& s : specs) {
    std::string left = s.alias.empty() ? s.name : s.alias + ", " + s.name;
    if (!s.value.empty()) left += " " + s.value;
    width = std::max(width, left.size());
    lefts.push_back(std::move(left));
  }
  std::string text;
  for (size_t i = 0; i < specs.size(); ++i) text += fmt::format("  {:{}}  {}\n", lefts[i], width, specs[i].help);
  return text;
}

std::string didYouMean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  size_t distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (auto& c : candidates)
    if (size_t d = editDistance(word, c); d < distance) best = &c, distance = d;
  return best ? fmt::format("did you mean {}?", *best) : "";
}

int threadCount(const RunOptions& options) {
  if (options.threads > 0) return options.threads;
  const char* variable = getenv("HEDDLE_THREADS");
  if (variable && *variable) return int(parseWhole("HEDDLE_THREADS", variable, 1, kMaxThreads));
  return ThreadPool::availableCores();
}

}  // namespace heddle
