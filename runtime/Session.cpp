// See Session.h. Entries share one workspace, as large as the hungriest needs: training, evaluation and sampling
// never run at once.
#include "runtime/Session.h"

#include "runtime/Initialise.h"
#include "runtime/RunError.h"
#include "runtime/TargetClass.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace heddle {
namespace {

int64_t product(const HeddleDim* dims, int rank) {
  int64_t n = 1;
  for (int d = 0; d < rank; ++d) n *= dims[d].size;
  return n;
}

// Of model state, if there are evaluations, during which it is kept.
int64_t keptStateBytes(const HeddleProgram& program, const HeddleTarget& target) {
  bool evaluates = false;
  for (int i = 0; i < target.entry_count; ++i) evaluates |= std::string_view(target.entries[i].name) == "eval";
  int64_t bytes = 0;
  for (int i = 0; i < program.variable_count && evaluates; ++i)
    if (program.variables[i].kind == HEDDLE_STATE) bytes += elementCount(program.variables[i]) * 4;
  return bytes;
}

int64_t placeOf(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// What entries need.
int64_t sharedBytes(const HeddleTarget& target) {
  int64_t most = 0;
  for (int i = 0; i < target.entry_count; ++i) most = std::max(most, target.entries[i].workspace_bytes);
  return most;
}

// Where the batch of the next step lies: behind what any entry may read.
int64_t nextBatchPlace(const HeddleTarget& target) { return placeOf(sharedBytes(target) + HEDDLE_PADDING); }

bool usesCaches(const HeddleProgram& program, const HeddleEntry& entry) {
  int64_t first = variableBytes(program, Caches::none);
  for (int s = 0; s < entry.step_count; ++s)
    for (int a = 0; a < entry.steps[s].arg_count; ++a)
      if (const HeddleArg& arg = entry.steps[s].args[a]; arg.space == HEDDLE_VARIABLES && arg.offset >= first) return true;
  return false;
}

const HeddleProgram& checked(const HeddleProgram& program) {
  checkProgram(program);
  return program;
}

const HeddleTarget& affordable(const HeddleProgram& program, const HeddleTarget& target, int threads, Caches caches) {
  checkMemory(Arena::mapped() + plannedBytes(program, target, threads, caches));
  return target;
}

// An optimizer reads a moment before it first writes it. A page that is read first is mapped to the system's page of
// zeros and then a second time, by older systems in small pieces; so all are written here, by all threads.
void touchPages(Arena& arena, ThreadPool& pool) {
  constexpr int64_t kPage = 4096, kTile = int64_t(2) << 20;
  volatile char* data = arena.data();
  pool.forEachTile((arena.size() + kTile - 1) / kTile, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin * kTile; i < std::min(arena.size(), end * kTile); i += kPage) data[i] = 0;
  });
}

const HeddleBuffer* find(const HeddleBuffer* buffers, int count, std::string_view name) {
  for (int i = 0; i < count; ++i)
    if (name == buffers[i].name) return &buffers[i];
  return nullptr;
}

}  // namespace

int64_t elementCount(const HeddleBuffer& buffer) { return product(buffer.dims, buffer.rank); }
int64_t elementCount(const HeddleVariable& variable) { return product(variable.dims, variable.rank); }

const char* typeName(int32_t type) { return type == HEDDLE_F32 ? "f32" : type == HEDDLE_I32 ? "i32" : "bool"; }

std::string shapeText(const HeddleDim* dims, int32_t rank) {
  std::string text = "[";
  for (int d = 0; d < rank; ++d) text += fmt::format("{}{}={}", d ? ", " : "", dims[d].name, dims[d].size);
  return text + "]";
}

int64_t variableBytes(const HeddleProgram& program, Caches caches) {
  int64_t bytes = program.variables_bytes;
  for (int i = 0; i < program.variable_count && caches == Caches::none; ++i)
    if (program.variables[i].kind == HEDDLE_CACHE) bytes = std::min(bytes, program.variables[i].offset);
  return bytes;
}

std::vector<const HeddleEntry*> trainingEntries(const HeddleTarget& target) {
  std::vector<const HeddleEntry*> entries;
  const HeddleEntry* last = nullptr;
  for (int i = 0; i < target.entry_count; ++i) {
    std::string_view name = target.entries[i].name;
    if (name.starts_with("train.")) entries.push_back(&target.entries[i]);
    else if (name == "train") last = &target.entries[i];
  }
  if (!last) return {};
  entries.push_back(last);
  return entries;
}

int64_t workspaceBytes(const HeddleTarget& target) {
  int64_t bytes = sharedBytes(target);
  for (const HeddleEntry* entry : trainingEntries(target)) {
    int64_t end = nextBatchPlace(target);
    for (int i = 0; i < entry->input_count; ++i) end += placeOf(elementCount(entry->inputs[i]) * 4);
    if (entry->input_count) bytes = std::max(bytes, end);
  }
  return bytes;
}

int64_t plannedBytes(const HeddleProgram& program, const HeddleTarget& target, int threads, Caches caches) {
  return Arena::reserved(variableBytes(program, caches)) + Arena::reserved(workspaceBytes(target)) +
         Arena::reserved(keptStateBytes(program, target)) +
         Executor::scratchBytes(target, threads);
}

// The compiler stacks the micro-batches of a step along a first axis of this name (passes/graph/AccumulateGradients.h).
static bool isStacked(const HeddleBuffer& input) {
  return input.rank > 0 && std::string_view(input.dims[0].name) == "$micro";
}

MicroBatches::MicroBatches(const HeddleEntry& entry, const HeddleTarget& target)
    : whole(entry), slice(entry), inputs(entry.inputs, entry.inputs + entry.input_count) {
  int64_t place = nextBatchPlace(target);
  for (HeddleBuffer& input : inputs) {
    places.push_back(place);
    input.offset = place;
    place += placeOf(elementCount(input) * 4);
    if (isStacked(input)) {
      count = int32_t(input.dims[0].size);
      input.dims += 1, input.rank -= 1;
    }
  }
  slice.inputs = inputs.data();
}

const HeddleEntry& MicroBatches::operator[](int32_t micro) {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (isStacked(whole.inputs[i])) inputs[i].offset = places[i] + micro * elementCount(inputs[i]) * 4;
  return slice;
}

void MicroBatches::moveIn(Session& session) const {
  for (size_t i = 0; i < places.size(); ++i)
    memcpy(session.memory(whole.inputs[i]), session.workspace.data() + places[i], size_t(elementCount(whole.inputs[i])) * 4);
}

Session::Session(const HeddleProgram& p, int threads, const std::string& targetClass, Caches caches)
    : program(checked(p)), target(affordable(p, chooseTarget(p, targetClass), threads, caches)), pool(threads),
      variables(variableBytes(p, caches), "variables"), workspace(workspaceBytes(target), "workspace"),
      keptState(keptStateBytes(p, target), "state that evaluations keep"),
      executor(target, pool), caches(caches) {
  for (int e = 0; e < target.entry_count; ++e)
    if (usesCaches(p, target.entries[e])) generating.push_back(&target.entries[e]);
}

void Session::run(const HeddleEntry& entry) {
  if (caches == Caches::none && std::find(generating.begin(), generating.end(), &entry) != generating.end())
    throw RunError(kInternal, fmt::format("entry `{}` was run without memory for its caches", entry.name));
  executor.run(entry, variables.data(), workspace.data());
}

void Session::initialise(uint64_t seed) {
  variables.clear();
  touchPages(variables, pool);
  initialiseZeroed(program, seed, variables.data(), pool);
}

const HeddleEntry* Session::findEntry(std::string_view name) const {
  for (int i = 0; i < target.entry_count; ++i)
    if (name == target.entries[i].name) return &target.entries[i];
  return nullptr;
}

const HeddleEntry& Session::entry(std::string_view name) const {
  if (auto* found = findEntry(name)) return *found;
  std::string present;
  for (int i = 0; i < target.entry_count; ++i) present += fmt::format("{}{}", i ? ", " : "", target.entries[i].name);
  throw RunError(kData, fmt::format("'{}' has no entry `{}`", program.name, name), "it has: " + present);
}

std::vector<const HeddleEntry*> Session::trainingEntries() const {
  entry("train");
  return heddle::trainingEntries(target);
}

const HeddleBuffer* Session::findInput(const HeddleEntry& entry, std::string_view name) const {
  return find(entry.inputs, entry.input_count, name);
}

const HeddleBuffer* Session::findOutput(const HeddleEntry& entry, std::string_view name) const {
  return find(entry.outputs, entry.output_count, name);
}

const HeddleVariable* Session::findVariable(std::string_view name) const {
  for (int i = 0; i < program.variable_count; ++i)
    if (name == program.variables[i].name) return &program.variables[i];
  return nullptr;
}

void Session::setCounters(const HeddleEntry& entry, int64_t step, uint64_t seed, int32_t micro) {
  if (step < 0 || step > std::numeric_limits<int32_t>::max())
    throw RunError(kData, fmt::format("step {} is past the last one that a program counts, 2147483647", step));
  int32_t stepWord = int32_t(step);
  uint32_t seedWords[2] = {uint32_t(seed), uint32_t(seed >> 32)};
  if (auto* b = findInput(entry, "$step")) memcpy(memory(*b), &stepWord, 4);
  if (auto* b = findInput(entry, "$seed")) memcpy(memory(*b), seedWords, 8);
  if (auto* b = findInput(entry, "$micro")) memcpy(memory(*b), &micro, 4);
}

}  // namespace heddle
