// The executor's trace calls back after every kernel call; HeddleArg::floats says what the call has written.
#include "runtime/FindNotFinite.h"

#include "runtime/Checkpoint.h"
#include "runtime/Initialise.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace heddle {
namespace {

// The first element that is NaN or infinite, and the first of these that is not -inf; -1 for none.
struct Bad {
  int64_t any = -1, worse = -1;
};

Bad search(const void* data, int64_t elements) {
  auto* words = static_cast<const uint32_t*>(data);
  Bad bad;
  for (int64_t i = 0; i < elements; ++i) {
    if ((words[i] & 0x7F800000u) != 0x7F800000u) continue;
    if (bad.any < 0) bad.any = i;
    if (words[i] == 0xFF800000u) continue;
    bad.worse = i;
    break;
  }
  return bad;
}

float valueAt(const void* data, int64_t element) { return withoutNanSign(static_cast<const float*>(data)[element]); }

// " in h.3, inner.0": the open loops by name and index.
std::string layers(const HeddleEntry& entry, const StepTrace& trace) {
  std::string text;
  int depth = 0;
  const HeddleStep* open[HEDDLE_MAX_LOOPS];
  for (const HeddleStep* step = entry.steps; step != trace.step; ++step) {
    if (step->kind == HEDDLE_LOOP || step->kind == HEDDLE_REVERSE_LOOP) open[depth++] = step;
    else if (step->kind == HEDDLE_END) --depth;
  }
  for (int d = 0; d < depth; ++d)
    text += fmt::format("{}{}.{}", d ? ", " : " in ", open[d]->name ? open[d]->name : "layer", trace.loops[d]);
  return text;
}

std::string place(const HeddleEntry& entry, const StepTrace& trace) {
  std::string where = trace.step->where ? trace.step->where : "";
  return fmt::format("{}{} (kernel {})", where.empty() ? "a step without a place" : where, layers(entry, trace),
                     trace.kernel);
}

// What is wrong before the first kernel: an input or a variable.
std::string startsWith(Session& session, const HeddleEntry& entry) {
  for (int i = 0; i < entry.input_count; ++i) {
    const HeddleBuffer& input = entry.inputs[i];
    if (input.type != HEDDLE_F32) continue;
    if (int64_t at = search(session.memory(input), elementCount(input)).any; at >= 0)
      return fmt::format("the input {} holds {} at element {}", input.name, valueAt(session.memory(input), at), at);
  }
  for (int i = 0; i < session.program.variable_count; ++i) {
    const HeddleVariable& v = session.program.variables[i];
    if (v.type != HEDDLE_F32 || v.kind == HEDDLE_CACHE) continue;
    for (const VariableLayer& layer : layersOf(v)) {
      const char* data = session.variables.data() + layer.offset;
      if (int64_t at = search(data, layerElements(v)).any; at >= 0)
        return fmt::format("{} held {} at element {} before the step: the update of the step before made it so",
                           layer.name, valueAt(data, at), at);
    }
  }
  return "";
}

}  // namespace

std::string findNotFinite(Session& session, const HeddleEntry& entry) {
  std::string found = startsWith(session, entry), masked;
  if (!found.empty()) return found;
  TraceHook before = std::exchange(session.executor.trace, [&](const StepTrace& trace) {
    for (int i = 0; i < trace.step->arg_count && found.empty(); ++i) {
      const HeddleArg& arg = trace.step->args[i];
      if (arg.floats == 0) continue;
      char* space = arg.space == HEDDLE_VARIABLES ? session.variables.data() : session.workspace.data();
      const char* data = space + argOffset(arg, trace.depth, trace.loops);
      Bad bad = search(data, arg.floats);
      if (bad.worse >= 0)
        found = fmt::format("the first result that is not finite comes from {}: element {} is {}", place(entry, trace),
                            bad.worse, valueAt(data, bad.worse));
      else if (bad.any >= 0 && masked.empty())
        masked = fmt::format("-inf comes from {}: element {}", place(entry, trace), bad.any);
    }
  });
  session.run(entry);
  session.executor.trace = before;
  if (found.empty()) return masked.empty() ? "" : "the first " + masked;
  return masked.empty() ? found : found + fmt::format("; before it, as a mask would, {}", masked);
}

}  // namespace heddle
