// See CompileTime.h. LLVM's time profiler keeps the scopes and writes them as a Chrome trace; the table is made from that
// same trace, so that there is one record. Scopes with the names of kRows are Heddle's own, `detail` says which pass or
// kernel; the others (LLVM's code generation, function by function) are in the trace alone.
#include "tools/heddle/CompileTime.h"

#include "tools/heddle/SubCommand.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/TimeProfiler.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace heddle {

namespace {

struct Row {
  const char *scope; // of the trace
  const char *title; // of the table
  bool longestFirst; // else in the order in which they ran
};
constexpr Row kRows[] = {
    {"frontend", "frontend", false},
    {"cache", "cache of compiled code", false},
    {"pass", "passes", false},
    {"kernel", "machine code of each kernel (LLVM)", true},
    {"print", "C++ of each kernel", true},
    {"native", "native build", false},
};
constexpr size_t kShown = 20; // kernels of one kind, the longest

struct Line {
  std::string detail;
  double milliseconds;
};

std::vector<Line> linesOf(const nlohmann::json &events, const Row &row) {
  std::vector<std::pair<int64_t, Line>> found;
  for (const auto &event : events)
    if (event.value("ph", "") == "X" && event.value("name", "") == row.scope)
      found.push_back({event.at("ts"), {event.at("args").value("detail", ""), event.at("dur").get<double>() / 1000}});
  std::stable_sort(found.begin(), found.end(), [](auto &a, auto &b) { return a.first < b.first; });
  std::vector<Line> lines;
  for (auto &[start, line] : found)
    lines.push_back(std::move(line));
  if (row.longestFirst)
    std::stable_sort(lines.begin(), lines.end(), [](auto &a, auto &b) { return a.milliseconds > b.milliseconds; });
  return lines;
}

void printTable(const nlohmann::json &events) {
  for (const Row &row : kRows) {
    std::vector<Line> lines = linesOf(events, row);
    if (lines.empty())
      continue;
    double all = 0, rest = 0;
    for (size_t i = 0; i < lines.size(); ++i)
      (row.longestFirst && i >= kShown ? rest : all) += lines[i].milliseconds;
    fmt::print(stderr, "{:>10.2f} ms  {}\n", all + rest, row.title);
    for (size_t i = 0; i < lines.size() && !(row.longestFirst && i >= kShown); ++i)
      fmt::print(stderr, "{:>10.2f} ms    {}\n", lines[i].milliseconds, lines[i].detail);
    if (row.longestFirst && lines.size() > kShown)
      fmt::print(stderr, "{:>10.2f} ms    {} more\n", rest, lines.size() - kShown);
  }
}

} // namespace

CompileTime::CompileTime(std::string wish) : wish(std::move(wish)), running(!this->wish.empty()) {
  if (running)
    llvm::timeTraceProfilerInitialize(/*granularity, microseconds*/ 0, "heddle");
}

CompileTime::~CompileTime() {
  if (running)
    llvm::timeTraceProfilerCleanup();
}

int CompileTime::finish() {
  if (!running)
    return exitDone;
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::timeTraceProfilerWrite(stream);
  llvm::timeTraceProfilerCleanup();
  running = false;
  if (wish != "table")
    return writeOutput(wish, std::string_view(text.data(), text.size()));
  printTable(nlohmann::json::parse(text.begin(), text.end()).at("traceEvents"));
  return exitDone;
}

} // namespace heddle
