// See Predict.h. Records are an evaluation of a source that holds all of them out, so that batches, their filling and the
// checks of shapes are those of RecordSource.
#include "runtime/Predict.h"

#include "runtime/RunError.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace heddle {
namespace {

std::string nameOf(int64_t label, const std::vector<std::string>& classes) {
  return size_t(label) < classes.size() ? classes[size_t(label)] : std::to_string(label);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    const char* as = c == '\t' ? "\\t" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\\' ? "\\\\" : nullptr;
    as ? result += as : result += c;
  }
  return result;
}

std::vector<ClassProbability> likeliest(const float* probabilities, int64_t count, int64_t top, int64_t record) {
  std::vector<ClassProbability> all;
  for (int64_t label = 0; label < count; ++label) {
    if (!std::isfinite(probabilities[label]))
      throw RunError(kStopped, fmt::format("record {}: the probability of class {} is {}", record, label, probabilities[label]));
    all.push_back({label, probabilities[label]});
  }
  auto end = all.begin() + std::min(top, count);
  std::partial_sort(all.begin(), end, all.end(), [](auto& a, auto& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.label < b.label;
  });
  all.erase(end, all.end());
  return all;
}

const HeddleEntry& predictEntry(const Session& session) {
  if (auto* entry = session.findEntry("predict")) return *entry;
  throw RunError(kData, fmt::format("'{}' has no entry `predict`: it is no classifier of records", session.program.name),
                 "a classifier has a loss `cross_entropy(y, data.label, over C)` against a label of its records, with logits y "
                 "of the axes of the batch and of the classes");
}

void predictRecords(Session& session, DataSource& source, int64_t top,
                    const std::function<void(const std::vector<ClassProbability>&)>& emit) {
  const HeddleEntry& entry = predictEntry(session);
  const HeddleBuffer* output = session.findOutput(entry, "probabilities");
  if (!output || output->type != HEDDLE_F32 || output->rank != 2 || !session.findInput(entry, "$rows"))
    throw RunError(kInternal, "entry `predict` wants $rows bool[B] and probabilities f32[B, C]");
  int64_t classes = output->dims[1].size, record = 0;
  int64_t batches = source.evaluationBatches(entry, 0);
  for (int64_t batch = 0; batch < batches; ++batch) {
    int64_t rows = source.fillEvaluation(session, entry, batch, batches);
    session.run(entry);
    auto* found = static_cast<const float*>(session.memory(*output));
    for (int64_t row = 0; row < rows; ++row) emit(likeliest(found + row * classes, classes, top, ++record));
  }
}

std::string classesToJson(const std::vector<std::string>* classes) {
  // Bytes of names need not be UTF-8.
  return classes ? nlohmann::json(*classes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) : "";
}

std::vector<std::string> classesFromJson(const std::string& text, const std::string& path) {
  if (text.empty()) return {};
  nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
  bool good = list.is_array();
  for (size_t i = 0; good && i < list.size(); ++i) good = list[i].is_string();
  if (!good) throw RunError(kData, fmt::format("{}: byte 8: heddle.classes is no list of names", path));
  return list.get<std::vector<std::string>>();
}

std::string predictionLine(const std::vector<ClassProbability>& found, const std::vector<std::string>& classes) {
  std::string line;
  for (const ClassProbability& one : found)
    line += fmt::format("{}{}\t{:.6f}", line.empty() ? "" : "\t", escaped(nameOf(one.label, classes)), one.probability);
  return line + "\n";
}

std::string predictionJson(const std::vector<ClassProbability>& found, const std::vector<std::string>& classes) {
  auto one = [&](const ClassProbability& p) {
    nlohmann::json name = nameOf(p.label, classes);
    return fmt::format("\"label\":{},\"probability\":{}",
                       name.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), p.probability);
  };
  std::string list;
  for (const ClassProbability& p : found) list += fmt::format("{}{{{}}}", list.empty() ? "" : ",", one(p));
  return fmt::format("{{{},\"top\":[{}]}}\n", one(found[0]), list);
}

}  // namespace heddle
