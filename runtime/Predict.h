// The classes of records, as a trained classifier tells them.
#ifndef HEDDLE_RUNTIME_PREDICT_H
#define HEDDLE_RUNTIME_PREDICT_H
#include "runtime/DataSource.h"
#include "runtime/Session.h"
#include "runtime/Unlabelled.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace heddle {

struct PredictOptions {
  UnlabelledInput input;
  int64_t top = 1;  // classes told of each record
};

struct ClassProbability {
  int64_t label;
  float probability;
};

/// The `top` likeliest of `count` classes, or all if there are fewer, the likeliest first; the lower label wins a tie.
/// Throws RunError(kStopped) if a probability is not finite; `record` (from 1) names it.
std::vector<ClassProbability> likeliest(const float* probabilities, int64_t count, int64_t top, int64_t record);

/// Gives `emit` the likeliest classes of each record of a source that was checked for `predict`, in their order. The entry `predict` takes `data.*`
/// inputs and $rows bool[B], and gives probabilities f32[B, C]; the last batch is filled up, and what fills it is not told.
/// Throws RunError.
void predictRecords(Session& session, DataSource& source, int64_t top,
                    const std::function<void(const std::vector<ClassProbability>&)>& emit);

/// The entry `predict`. Throws RunError(kData) that says what a program needs to have one.
const HeddleEntry& predictEntry(const Session& session);

/// How a checkpoint keeps the names of classes, "" for none: a JSON list.
std::string classesToJson(const std::vector<std::string>* classes);
/// Throws RunError(kData), with `path`, if it is none.
std::vector<std::string> classesFromJson(const std::string& json, const std::string& path);

/// A text on one line: tabs, line breaks and backslashes are written \t, \n, \r, \\.
std::string escaped(const std::string& text);

/// One record's result as a line: escaped names and probabilities of its classes in turn, with tabs between. A class without
/// a name is called by its number.
std::string predictionLine(const std::vector<ClassProbability>& found, const std::vector<std::string>& classes);
/// The same as an object: {"label":"up","probability":0.9,"top":[{"label":"up","probability":0.9}, ...]}.
std::string predictionJson(const std::vector<ClassProbability>& found, const std::vector<std::string>& classes);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_PREDICT_H
