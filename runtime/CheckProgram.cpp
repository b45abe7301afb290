// Checks a program's tables once, before the first step, so that the executor need not check anything while it runs.
// What is found here is a bug in the compiler; finding it by name is cheaper than by a wild store.
#include "runtime/Executor.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <cstring>

namespace heddle {
namespace {

[[noreturn]] void broken(const std::string& what) {
  throw RunError(kInternal, "the program's tables are broken: " + what);
}

int64_t bytesOf(const HeddleDim* dims, int rank, const std::string& name) {
  int64_t n = 4;
  for (int d = 0; d < rank; ++d)
    if (dims[d].size < 1 || __builtin_mul_overflow(n, dims[d].size, &n))
      broken(fmt::format("'{}': size {} of dim {}", name, dims[d].size, dims[d].name));
  return n;
}

void checkPlace(const std::string& name, int64_t offset, int64_t bytes, int64_t arena) {
  if (offset < 0 || offset % HEDDLE_ALIGNMENT != 0 || offset > arena || bytes > arena - offset)
    broken(fmt::format("'{}': {} bytes at offset {} of an arena of {}", name, bytes, offset, arena));
}

// The lowest and highest offset that an argument takes over all iterations of the open loops lie in its arena.
void checkArg(const HeddleStep& step, const HeddleArg& arg, const int64_t* counts, int depth, const int64_t* arenas) {
  if (arg.space != HEDDLE_VARIABLES && arg.space != HEDDLE_WORKSPACE) broken(fmt::format("space {}", arg.space));
  int64_t low = arg.offset, high = arg.offset;
  for (int d = 0; d < depth; ++d) (arg.stride[d] < 0 ? low : high) += arg.stride[d] * (counts[d] - 1);
  if (low < 0 || high >= arenas[arg.space] + (arenas[arg.space] == 0))
    broken(fmt::format("{}: an argument from {} to {} of an arena of {} bytes", step.where ? step.where : "", low, high,
                       arenas[arg.space]));
}

void checkEntry(const HeddleTarget& target, const HeddleEntry& entry, int64_t variablesBytes) {
  std::string where = fmt::format("entry {} for {}", entry.name, target.name);
  if (entry.workspace_bytes < 0 || entry.scratch_bytes < 0) broken(where + ": negative sizes");
  for (bool out : {false, true})
    for (int i = 0; i < (out ? entry.output_count : entry.input_count); ++i) {
      const HeddleBuffer& b = (out ? entry.outputs : entry.inputs)[i];
      checkPlace(b.name, b.offset, bytesOf(b.dims, b.rank, b.name), entry.workspace_bytes);
    }
  int64_t arenas[2] = {variablesBytes, entry.workspace_bytes}, counts[HEDDLE_MAX_LOOPS];
  int depth = 0;
  for (int i = 0; i < entry.step_count; ++i) {
    const HeddleStep& step = entry.steps[i];
    std::string at = fmt::format("{}, step {}", where, i);
    if (step.kind == HEDDLE_CALL) {
      if (step.kernel < 0 || step.kernel >= target.kernel_count || !target.kernels[step.kernel])
        broken(fmt::format("{}: no kernel {}", at, step.kernel));
      if (step.count < 0 || step.arg_count < 0) broken(at + ": negative counts");
      for (int a = 0; a < step.arg_count; ++a) checkArg(step, step.args[a], counts, depth, arenas);
    } else if (step.kind == HEDDLE_LOOP || step.kind == HEDDLE_REVERSE_LOOP) {
      if (depth == HEDDLE_MAX_LOOPS) broken(at + ": loops nested too deep");
      if (step.count < 1) broken(at + ": an empty loop");
      counts[depth++] = step.count;
    } else if (step.kind != HEDDLE_END || --depth < 0) {
      broken(at + ": a loop is closed that is not open");
    }
  }
  if (depth != 0) broken(where + ": a loop is not closed");
}

}  // namespace

void checkProgram(const HeddleProgram& program) {
  if (program.abi_version != HEDDLE_ABI_VERSION)
    broken(fmt::format("ABI version {}, this runtime speaks {}", program.abi_version, HEDDLE_ABI_VERSION));
  for (int i = 0; i < program.variable_count; ++i) {
    const HeddleVariable& v = program.variables[i];
    if (v.rank < 0 || v.repeats < 0 || v.repeats > v.rank) broken(fmt::format("'{}': rank {}", v.name, v.rank));
    int braces = 0;
    for (const char* p = v.name; (p = strstr(p, "{}")); p += 2) ++braces;
    if (braces != v.repeats) broken(fmt::format("'{}' has {} layer axes", v.name, v.repeats));
    checkPlace(v.name, v.offset, bytesOf(v.dims, v.rank, v.name), program.variables_bytes);
  }
  for (int t = 0; t < program.target_count; ++t)
    for (int e = 0; e < program.targets[t].entry_count; ++e)
      checkEntry(program.targets[t], program.targets[t].entries[e], program.variables_bytes);
}

}  // namespace heddle
