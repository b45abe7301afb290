// See Evaluate.h.
#include "runtime/Evaluate.h"

#include "runtime/Initialise.h"

#include <algorithm>
#include <cstring>

namespace heddle {

Losses::Losses(const HeddleEntry& entry) {
  for (int i = 0; i < entry.output_count; ++i) {
    std::string_view name = entry.outputs[i].name;
    if (name.starts_with("loss.")) all.push_back({std::string(name.substr(5)), &entry.outputs[i], 0});
  }
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.name < b.name; });
}

void Losses::read(Session& session) {
  for (Loss& loss : all) loss.value = session.scalar(*loss.output);
}

// Puts model state to its initial values, and what it was back at the end.
class Evaluation::FreshState {
public:
  FreshState(Evaluation& of, uint64_t seed) : of(of) {
    for (auto& [variable, bytes] : of.state) {
      memcpy(bytes.data(), of.session.memory(*variable), bytes.size());
      initialiseVariable(*variable, seed, of.session.variables.data(), of.session.pool);
    }
  }
  ~FreshState() {
    for (auto& [variable, bytes] : of.state) memcpy(of.session.memory(*variable), bytes.data(), bytes.size());
  }

private:
  Evaluation& of;
};

Evaluation::Evaluation(Session& session, DataSource& source)
    : entry(session.entry("eval")), means(entry), session(session), source(source), batch(entry) {
  for (int i = 0; i < session.program.variable_count; ++i) {
    const HeddleVariable& v = session.program.variables[i];
    if (v.kind == HEDDLE_STATE) state.emplace_back(&v, std::vector<char>(size_t(elementCount(v)) * 4));
  }
}

const Losses& Evaluation::run(uint64_t seed, int64_t batches) {
  FreshState fresh(*this, seed);
  for (auto& loss : means.all) loss.value = 0;
  batches = source.evaluationBatches(entry, batches);
  int64_t all = 0;
  for (int64_t b = 0; b < batches; ++b) {
    int64_t rows = source.fillEvaluation(session, entry, b, batches);
    all += rows;
    session.setCounters(entry, 0, seed);
    session.run(entry);
    batch.read(session);
    for (size_t i = 0; i < means.all.size(); ++i) means.all[i].value += double(rows) * batch.all[i].value;
  }
  for (auto& loss : means.all) loss.value /= double(all);
  return means;
}

}  // namespace heddle
