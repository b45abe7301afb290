// See Evaluate.h.
#include "runtime/Evaluate.h"

#include "runtime/Initialise.h"

#include <cstring>
#include <string_view>
#include <vector>

namespace heddle {
namespace {

// Puts model state to its initial values, and what it was back at the end.
class FreshState {
public:
  FreshState(Session& session, uint64_t seed) : session(session) {
    for (int i = 0; i < session.program.variable_count; ++i) {
      const HeddleVariable& v = session.program.variables[i];
      if (v.kind != HEDDLE_STATE) continue;
      char* data = static_cast<char*>(session.memory(v));
      saved.push_back({&v, std::vector<char>(data, data + elementCount(v) * 4)});
      initialiseVariable(v, seed, session.variables.data(), session.pool);
    }
  }
  ~FreshState() {
    for (auto& [variable, bytes] : saved) memcpy(session.memory(*variable), bytes.data(), bytes.size());
  }

private:
  Session& session;
  std::vector<std::pair<const HeddleVariable*, std::vector<char>>> saved;
};

}  // namespace

std::map<std::string, float> readLosses(Session& session, const HeddleEntry& entry) {
  std::map<std::string, float> losses;
  for (int i = 0; i < entry.output_count; ++i) {
    std::string_view name = entry.outputs[i].name;
    if (name.starts_with("loss.")) losses[std::string(name.substr(5))] = session.scalar(entry.outputs[i]);
  }
  return losses;
}

std::map<std::string, double> evaluate(Session& session, DataSource& source, uint64_t seed, int64_t batches) {
  const HeddleEntry& entry = session.entry("eval");
  FreshState state(session, seed);
  std::map<std::string, double> means;
  for (int64_t batch = 0; batch < batches; ++batch) {
    source.fillEvaluation(session, entry, batch, batches);
    session.setCounters(entry, 0, seed);
    session.run(entry);
    for (auto& [name, loss] : readLosses(session, entry)) means[name] += loss;
  }
  for (auto& [name, sum] : means) sum /= double(batches);
  return means;
}

}  // namespace heddle
