// See Evaluate.h.
#include "runtime/Evaluate.h"

#include "runtime/Initialise.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace heddle {

Losses::Losses(const HeddleEntry& entry) {
  for (int i = 0; i < entry.output_count; ++i) {
    std::string_view name = entry.outputs[i].name;
    for (std::string_view kind : {"loss.", "metric."})
      if (name.starts_with(kind))
        all.push_back({std::string(name.substr(kind.size())), &entry.outputs[i], 0, kind == "metric."});
  }
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.name < b.name; });
}

void Losses::read(Session& session) {
  for (Loss& loss : all) loss.value = session.scalar(*loss.output);
}

Totals::Totals(Session& session, const HeddleEntry& eval, const HeddleEntry* report) {
  auto add = [&](const HeddleBuffer* from, const HeddleBuffer& to, bool isMean) {
    if (!from || from->type != to.type || elementCount(*from) != elementCount(to))
      throw RunError(kInternal, fmt::format("the entry `eval` does not give what `report` takes: {}", to.name));
    all.push_back({from, &to, isMean, std::vector<double>(size_t(elementCount(to)))});
  };
  for (int i = 0; report && i < report->input_count; ++i) {
    const HeddleBuffer& to = report->inputs[i];
    add(session.findOutput(eval, to.name), to, std::string_view(to.name).starts_with("mean."));
  }
  for (int i = 0; !report && i < eval.output_count; ++i) add(&eval.outputs[i], eval.outputs[i], true);
}

void Totals::clear() {
  rows = 0;
  for (Total& total : all) std::fill(total.values.begin(), total.values.end(), 0);
}

void Totals::add(Session& session, int64_t count) {
  rows += double(count);
  for (Total& total : all) {
    const void* memory = session.memory(*total.from);
    for (size_t i = 0; i < total.values.size(); ++i) {
      double value = total.from->type == HEDDLE_F32 ? double(static_cast<const float*>(memory)[i])
                                                    : double(static_cast<const int32_t*>(memory)[i]);
      total.values[i] += total.isMean ? value * double(count) : value;
    }
  }
}

void Totals::give(Session& session) const {
  for (const Total& total : all) {
    void* memory = session.memory(*total.to);
    for (size_t i = 0; i < total.values.size(); ++i) {
      double value = total.isMean ? total.values[i] / rows : total.values[i];
      if (total.to->type == HEDDLE_F32) static_cast<float*>(memory)[i] = float(value);
      else static_cast<int32_t*>(memory)[i] = int32_t(std::clamp(value, -2147483648.0, 2147483647.0));
    }
  }
}

// Puts model state to its initial values, and what it was back at the end.
class Evaluation::FreshState {
public:
  FreshState(Session& session, uint64_t seed) : session(session) {
    exchange([&](const HeddleVariable& variable, void* now, void* kept, size_t bytes) {
      memcpy(kept, now, bytes);
      initialiseVariable(variable, seed, session.variables.data(), session.pool);
    });
  }
  ~FreshState() {
    exchange([](const HeddleVariable&, void* now, void* kept, size_t bytes) { memcpy(now, kept, bytes); });
  }

private:
  template <typename F> void exchange(F f) {
    char* kept = session.keptState.data();
    for (int i = 0; i < session.program.variable_count; ++i) {
      const HeddleVariable& variable = session.program.variables[i];
      if (variable.kind != HEDDLE_STATE) continue;
      size_t bytes = size_t(elementCount(variable)) * 4;
      f(variable, session.memory(variable), kept, bytes);
      kept += bytes;
    }
  }
  Session& session;
};

Evaluation::Evaluation(Session& session, DataSource& source)
    : entry(session.entry("eval")), report(session.findEntry("report")), losses(report ? *report : entry),
      session(session), source(source), totals(session, entry, report) {}

const Losses& Evaluation::run(uint64_t seed, int64_t batches) {
  FreshState fresh(session, seed);
  totals.clear();
  batches = source.evaluationBatches(entry, batches);
  for (int64_t b = 0; b < batches; ++b) {
    int64_t rows = source.fillEvaluation(session, entry, b, batches);
    session.setCounters(entry, 0, seed);
    session.run(entry);
    totals.add(session, rows);
  }
  totals.give(session);
  if (report) session.run(*report);
  losses.read(session);
  return losses;
}

}  // namespace heddle
