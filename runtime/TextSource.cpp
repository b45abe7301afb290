// Windows of T+1 tokens of a text: from its first part to train on, from its second to evaluate.
//
// Training windows start anywhere, drawn by Philox from (seed, step, row). Evaluation windows are spread evenly over
// the validation part.
#include "runtime/DataSource.h"
#include "runtime/Philox.h"
#include "runtime/RunError.h"
#include "runtime/TextTokens.h"

#include <fmt/format.h>

#include <memory>

namespace heddle {
namespace {

class TextSource : public DataSource {
public:
  TextSource(const RunConfig& config, const std::string& path) : text(config, path) {}

  void check(Session&, const HeddleEntry& entry, bool evaluation) override {
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      if (name != "data.ids" && name != "data.next")
        throw RunError(kData, fmt::format("`{}`: a text has no such field", name), "it has data.ids and data.next");
      if (input.type != HEDDLE_I32 || input.rank != 2)
        throw RunError(kData, fmt::format("`{}` is {}{}, but a text gives i32[B, T]", name, typeName(input.type),
                                          shapeText(input.dims, input.rank)));
      int64_t length = input.dims[1].size;
      if (text.partSize(evaluation) < length + 1)
        throw RunError(kData, fmt::format("{}: {}, fewer than {} = {} + 1 that a window takes", text.path(),
                                          text.describePart(evaluation), length + 1, input.dims[1].name),
                       "more text, another split or a smaller " + std::string(input.dims[1].name));
    }
  }

  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) override {
    fill(session, entry, [&](int64_t row, int64_t rows, int64_t length) {
      uint32_t place = uint32_t(row + micro * rows);  // micro-batches are parts of one batch
      PhiloxWords w = philox({place, uint32_t(step >> 32), uint32_t(step), kDataStream}, seed);
      return int64_t(uniformBelow(w[0], w[1], uint64_t(text.trained() - length)));
    });
  }

  int64_t fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) override {
    return fill(session, entry, [&](int64_t row, int64_t rows, int64_t length) {
      __extension__ typedef __int128 Wide;  // no overflow for any text and any number of windows
      return text.trained() + int64_t(Wide(batch * rows + row) * (text.partSize(true) - length) / (batches * rows));
    });
  }

  std::string fingerprint() const override { return text.fingerprint("text"); }
  const Tokenizer* tokenizer() const override { return &text.tokenizer(); }

private:
  // Returns the number of rows.
  template <typename Start> int64_t fill(Session& session, const HeddleEntry& entry, Start start) {
    int64_t rows = 1;
    for (int shift : {0, 1}) {
      const HeddleBuffer* input = session.findInput(entry, shift ? "data.next" : "data.ids");
      if (!input) continue;
      rows = input->dims[0].size;
      int64_t length = input->dims[1].size;
      auto* out = static_cast<int32_t*>(session.memory(*input));
      for (int64_t row = 0; row < rows; ++row) text.copy(start(row, rows, length) + shift, length, out + row * length);
    }
    return rows;
  }

  TextTokens text;
};

}  // namespace

std::unique_ptr<DataSource> openTextSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<TextSource>(config, path);
}

DataDescription describeText(const RunConfig& config, const std::string& path) {
  return TextTokens::describe(config, path);
}

}  // namespace heddle
