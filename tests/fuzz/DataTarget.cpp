// Files that a source of data reads. The first byte says which source:
//   v   csv: x f32[B,I] of two columns, y i32[B], and a bool        l   labelled, w by "byte"
//   p   pairs                                                       m   mlm, n with the next sentence
//   s   segments                                                    i   images; up to the first '|' the labels' file
// A file is refused with exit code 3, or: opening maps what describeData said; batches hold values in their ranges, the
// same ones when they are asked for again; an evaluation has no row twice.
#include "Budget.h"
#include "FedProgram.h"
#include "MemoryFile.h"

#include "runtime/DataSource.h"
#include "runtime/RunError.h"

#include <algorithm>

using namespace heddle;
using namespace heddle::fuzz;

namespace {

using Shape = std::vector<std::pair<std::string, int64_t>>;

FedProgram &programOf(char kind) {
  const Shape B = {{"B", 3}}, BT = {{"B", 3}, {"T", 6}}, BN = {{"B", 3}, {"N", 5}};
  auto make = [&](std::vector<FedInput> inputs) {
    inputs.push_back({"$rows", HEDDLE_BOOL, B});
    return new FedProgram(std::move(inputs));
  };
  static FedProgram *csv = make({{"data.x", HEDDLE_F32, {{"B", 3}, {"I", 2}}}, {"data.y", HEDDLE_I32, B}, {"data.b", HEDDLE_BOOL, B}});
  static FedProgram *labelled = make({{"data.ids", HEDDLE_I32, BT}, {"data.valid", HEDDLE_BOOL, BT}, {"data.label", HEDDLE_I32, B}});
  static FedProgram *pairs = make({{"data.src", HEDDLE_I32, BN}, {"data.src_valid", HEDDLE_BOOL, BN}, {"data.tgt", HEDDLE_I32, BT},
                                   {"data.next", HEDDLE_I32, BT}, {"data.tgt_valid", HEDDLE_BOOL, BT}});
  std::vector<FedInput> masked = {{"data.ids", HEDDLE_I32, BT}, {"data.target", HEDDLE_I32, BT}, {"data.chosen", HEDDLE_BOOL, BT},
                                  {"data.valid", HEDDLE_BOOL, BT}, {"data.segs", HEDDLE_I32, BT}};
  static FedProgram *mlm = make(masked);
  masked.push_back({"data.follows", HEDDLE_I32, B});
  static FedProgram *sentences = make(masked);
  static FedProgram *images = make({{"data.img", HEDDLE_F32, {{"B", 3}, {"CH", 1}, {"Y", 2}, {"X", 2}}}, {"data.label", HEDDLE_I32, B}});
  static auto *segments = new FedProgram({{"data.ids", HEDDLE_I32, BT}, {"data.next", HEDDLE_I32, BT}, {"data.first", HEDDLE_BOOL, B}});
  switch (kind) {
  case 'v': return *csv;
  case 'l': case 'w': return *labelled;
  case 'p': return *pairs;
  case 'm': return *mlm;
  case 'n': return *sentences;
  case 's': return *segments;
  default: return *images;
  }
}

RunConfig configOf(char kind) {
  std::string data = kind == 'v' ? R"({"kind":"csv","path":"d","split":0.7,"fields":[
                                     {"name":"x","type":"f32","dims":["B","I"],"sizes":[3,0]},
                                     {"name":"y","type":"i32","dims":["B"],"sizes":[3]},
                                     {"name":"b","type":"bool","dims":["B"],"sizes":[3]}]})"
                     : kind == 'l' ? R"({"kind":"labelled","path":"d","split":0.7})"
                     : kind == 'w' ? R"({"kind":"labelled","path":"d","split":0.7,"tokenizer":"byte","text":"t","label":"c","separator":","})"
                     : kind == 'p' ? R"({"kind":"pairs","path":"d","split":0.7})"
                     : kind == 'm' ? R"({"kind":"mlm","path":"d","split":0.7,"mask":0.5})"
                     : kind == 'n' ? R"({"kind":"mlm","path":"d","split":0.5,"document":"\n","next_sentence":true})"
                     : kind == 's' ? R"({"kind":"segments","path":"d","split":0.7})"
                                   : R"({"kind":"images","path":"d","labels":"l","split":0.7})";
  return RunConfig::parse((R"({"data":)" + data + "}").c_str());
}

std::vector<int32_t> contents(FedProgram &program, bool evaluation) {
  std::vector<int32_t> all;
  const HeddleEntry &entry = program.entry(evaluation);
  for (int i = 0; i < entry.input_count; ++i)
    for (int32_t value : program.ints(entry.inputs[i].name, evaluation)) {
      if (entry.inputs[i].type == HEDDLE_BOOL && value != 0 && value != 1)
        finding("a bool that is neither 0 nor 1");
      all.push_back(value);
    }
  return all;
}

void run(char kind, const std::vector<std::string> &files) {
  RunConfig config = configOf(kind);
  FedProgram &program = programOf(kind);
  int64_t before = Arena::mapped();
  bool images = files.size() == 2;
  DataDescription told = images ? describeImages(config, files) : describeData(config, files[0]);
  auto source = images ? openImageSource(config, files) : openDataSource(config, files[0]);
  if (Arena::mapped() - before != told.bytes)
    finding("opening maps other memory than was told");
  source->check(program.session(), program.entry(false), false);
  std::vector<int32_t> last;
  for (int64_t step : {1, 2, 1000, 2147483647, 2}) {
    source->fillTraining(program.session(), program.entry(false), ~uint64_t(0), step, 0);
    std::vector<int32_t> now = contents(program, false);
    if (step == 2 && !last.empty() && now != last)
      finding("a batch is not the same again");
    if (step == 2)
      last = now;
  }
  source->notes();
  source->check(program.session(), program.entry(true), true);
  int64_t batches = source->evaluationBatches(program.entry(true), 5);
  for (int64_t batch = 0; batch < batches; ++batch) {
    int64_t rows = source->fillEvaluation(program.session(), program.entry(true), batch, batches);
    if (rows < 1 || rows > 3)
      finding("a batch of evaluation has no row, or more than it holds");
    contents(program, true);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  if (size == 0)
    return 0;
  char kind = char(data[0]);
  const uint8_t *at = data + 1, *end = data + size, *cut = std::find(at, end, '|');
  try {
    MemoryFile whole(at, size_t(end - at));
    if (kind != 'i' || cut == end)
      return kind == 'i' ? 0 : (run(kind, {whole.path}), 0);
    MemoryFile labels(at, size_t(cut - at)), images(cut + 1, size_t(end - cut - 1));
    run(kind, {images.path, labels.path});
  } catch (const RunError &error) {
    if (error.exitCode != kData)
      finding(error.text());
  }
  return 0;
}
