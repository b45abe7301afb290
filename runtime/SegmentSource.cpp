// A text as B streams that are read in step, each in its order: what a model with a memory learns from (Dai et al. 2019,
// Transformer-XL). Stream b is the b-th of B equal parts of the tokens; step s reads segment s of every stream, T tokens,
// so that a row goes on where the row of the step before ended. Behind its last segment a stream begins again, which
// `first` tells, for the memory to be forgotten.
#include "runtime/DataSource.h"
#include "runtime/RunError.h"
#include "runtime/TextTokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace heddle {
namespace {

class SegmentSource : public DataSource {
public:
  SegmentSource(const RunConfig& config, const std::string& path) : text(config, path), microBatches(config.microBatches) {}

  void check(Session&, const HeddleEntry& entry, bool evaluation) override {
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      bool first = name == "data.first", known = first || name == "data.ids" || name == "data.next";
      if (!known)
        throw RunError(kData, fmt::format("`{}`: segments of a text have no such field", name), "they have data.ids, data.next and data.first");
      if (input.type != (first ? HEDDLE_BOOL : HEDDLE_I32) || input.rank != (first ? 1 : 2))
        throw RunError(kData, fmt::format("`{}` is {}{}, but segments of a text give {}", name, typeName(input.type),
                                          shapeText(input.dims, input.rank), first ? "bool[B]" : "i32[B, T]"));
      int64_t rows = input.dims[0].size, length = first ? 1 : input.dims[1].size;
      if (text.partSize(evaluation) / rows < length + 1)
        throw RunError(kData, fmt::format("{}: {}, too few for {} = {} streams of one segment each, {} tokens and one more",
                                          text.path(), text.describePart(evaluation), input.dims[0].name, rows, length),
                       fmt::format("more text, another split or a smaller {}", input.dims[0].name));
    }
  }

  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t, int64_t step, int32_t micro) override {
    fill(session, entry, false, (step - 1) * microBatches + micro);
  }

  int64_t evaluationBatches(const HeddleEntry& entry, int64_t batches) const override {
    if (!batches) batches = kWindowBatches;
    for (int i = 0; i < entry.input_count; ++i)
      if (std::string_view(entry.inputs[i].name).starts_with("data.") && entry.inputs[i].rank == 2)
        return std::min(batches, segments(entry.inputs[i], true));
    return batches;
  }

  int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t) override {
    return fill(session, entry, true, batch);
  }

  std::string fingerprint() const override { return text.fingerprint("segments"); }
  const Tokenizer* tokenizer() const override { return &text.tokenizer(); }

private:
  // Of each stream of the input [B, T].
  int64_t segments(const HeddleBuffer& input, bool evaluation) const {
    return (text.partSize(evaluation) / input.dims[0].size - 1) / input.dims[1].size;
  }

  // Writes segment `number` of every stream, counted on over all passes. Returns the number of rows.
  int64_t fill(Session& session, const HeddleEntry& entry, bool evaluation, int64_t number) {
    int64_t count = 1, rows = 1;
    for (const char* name : {"data.ids", "data.next"}) {
      const HeddleBuffer* input = session.findInput(entry, name);
      if (!input) continue;
      rows = input->dims[0].size, count = segments(*input, evaluation);
      int64_t length = input->dims[1].size, stream = text.partSize(evaluation) / rows;
      int64_t start = (evaluation ? text.trained() : 0) + number % count * length + (name == std::string_view("data.next"));
      auto* out = static_cast<int32_t*>(session.memory(*input));
      for (int64_t row = 0; row < rows; ++row) text.copy(start + row * stream, length, out + row * length);
    }
    if (const HeddleBuffer* first = session.findInput(entry, "data.first")) {
      rows = first->dims[0].size;
      std::fill_n(static_cast<int32_t*>(session.memory(*first)), rows, number % count == 0);
    }
    return rows;
  }

  TextTokens text;
  const int64_t microBatches;
};

}  // namespace

std::unique_ptr<DataSource> openSegmentSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<SegmentSource>(config, path);
}

}  // namespace heddle
