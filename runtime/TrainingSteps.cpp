// See TrainingSteps.h.
#include "runtime/TrainingSteps.h"

#include "runtime/DataSource.h"

namespace heddle {

TrainingSteps::TrainingSteps(Session& session, DataSource* source)
    : session(session), source(source), entries(session.trainingEntries()) {
  std::vector<const HeddleEntry*> fed;
  for (const HeddleEntry* entry : entries) fed.push_back(&batches.emplace_back(*entry, session.target)[0]);
  if (source) source->checkTraining(session, fed);
}

void TrainingSteps::start(uint64_t s) {
  seed = s;
  if (source) ahead.emplace([this](int64_t step) { make(step); });
}

void TrainingSteps::make(int64_t step) {
  MicroBatches& of = batches[source->trainingEntry(step)];
  for (int32_t micro = 0; micro < of.count; ++micro) source->fillTraining(session, of[micro], seed, step, micro);
}

size_t TrainingSteps::fill(int64_t step) {
  size_t number = 0;
  if (source) {
    ahead->get(step);
    number = source->trainingEntry(step);
    batches[number].moveIn(session);
  }
  session.setCounters(*entries[number], step, seed);
  return number;
}

void TrainingSteps::makeAhead(int64_t step) {
  if (ahead) ahead->begin(step);
}

void TrainingSteps::rest() {
  if (ahead) ahead->rest();
}

}  // namespace heddle
