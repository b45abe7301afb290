// A text as tokens, cut in two by position: windows of T+1 tokens from the first part train, from the second evaluate.
//
// Training windows start anywhere, drawn by Philox from (seed, step, row). Evaluation windows are spread evenly over
// the validation part. The tokens stay in memory, in an arena that the plan counts: one or two bytes each for
// vocabularies up to 2^8 and 2^16. The text itself is read in pieces, twice (for the vocabulary and for the tokens).
#include "runtime/DataSource.h"
#include "runtime/Arena.h"
#include "runtime/InputFile.h"
#include "runtime/Philox.h"
#include "runtime/RunError.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>
#include <memory>
#include <new>

namespace heddle {
namespace {

class TextSource : public DataSource {
public:
  TextSource(const RunConfig& config, const std::string& path) : path(path), split(config.data.split) {
    InputFile file(path);
    bytes = file.size();
    words = Tokenizer::ofFile(resolveTokenizer(config.base, config.data.tokenizer), file, count);
    checkVocabulary(config);
    width = tokenWidth(words.size());
    checkMemory(Arena::mapped() + Arena::reserved(count * width));
    tokens = Arena(count * width, "tokens of the text");
    readTokens(file);
    trained = int64_t(double(count) * split);
  }

  void check(Session& session, const HeddleEntry& entry, bool evaluation) override {
    for (int i = 0; i < entry.input_count; ++i) {
      const HeddleBuffer& input = entry.inputs[i];
      std::string name = input.name;
      if (!name.starts_with("data.")) continue;
      if (name != "data.ids" && name != "data.next")
        throw RunError(kData, fmt::format("`{}`: a text has no such field", name), "it has data.ids and data.next");
      if (input.type != HEDDLE_I32 || input.rank != 2)
        throw RunError(kData, fmt::format("`{}` is {}{}, but a text gives i32[B, T]", name, typeName(input.type),
                                          shapeText(input.dims, input.rank)));
      int64_t length = input.dims[1].size, has = evaluation ? count - trained : trained;
      if (has < length + 1)
        throw RunError(kData,
                       fmt::format("{}: the {} part has {} tokens (split = {}), fewer than {} = {} + 1 that a window takes",
                                   path, evaluation ? "validation" : "training", has, split, length + 1,
                                   input.dims[1].name),
                       "more text, another split or a smaller " + std::string(input.dims[1].name));
    }
  }

  void fillTraining(Session& session, const HeddleEntry& entry, uint64_t seed, int64_t step, int32_t micro) override {
    fill(session, entry, [&](int64_t row, int64_t, int64_t length) {
      PhiloxWords w = philox({uint32_t(row), uint32_t(step >> 32), uint32_t(step), kDataStream + uint32_t(micro)}, seed);
      return int64_t(uniformBelow(w[0], w[1], uint64_t(trained - length)));
    });
  }

  void fillEvaluation(Session& session, const HeddleEntry& entry, int64_t batch, int64_t batches) override {
    fill(session, entry, [&](int64_t row, int64_t rows, int64_t length) {
      __extension__ typedef __int128 Wide;  // no overflow for any text and any number of windows
      return trained + int64_t(Wide(batch * rows + row) * (count - trained - length) / (batches * rows));
    });
  }

  std::string fingerprint() const override {
    std::string tokenizer = words.kind();
    if (tokenizer != "char" && tokenizer != "byte") {  // those follow from the text
      std::string json = words.toJson();
      tokenizer += fmt::format(":{:016x}", XXH64(json.data(), json.size(), 0));
    }
    return fmt::format(R"({{"kind":"text","bytes":{},"xxh64":"{:016x}","tokenizer":"{}","split":{}}})", bytes, hash,
                       tokenizer, split);
  }
  const Tokenizer* tokenizer() const override { return &words; }

private:
  // Fills `tokens` and `hash`.
  void readTokens(const InputFile& file) {
    std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state(XXH64_createState(), XXH64_freeState);
    if (!state || XXH64_reset(state.get(), 0) != XXH_OK) throw std::bad_alloc();
    int64_t done = 0;
    words.encodeFile(file, [&](std::string_view piece, const std::vector<int32_t>& ids) {
      XXH64_update(state.get(), piece.data(), piece.size());
      if (done + int64_t(ids.size()) > count) changed();
      for (int32_t id : ids) memcpy(tokens.data() + done++ * width, &id, size_t(width));
    });
    if (done != count) changed();
    hash = XXH64_digest(state.get());
  }
  [[noreturn]] void changed() const {
    throw RunError(kData, fmt::format("{}: changed while it was being read", path), "try again when it is complete");
  }

  void checkVocabulary(const RunConfig& config) const {
    auto refuse = [&](const std::string& what, int64_t size) {
      throw RunError(kData,
                     fmt::format("{}: its {} vocabulary has {} tokens, but the program was compiled for {} = {}", path,
                                 words.kind(), words.size(), what, size),
                     "compile the program for this text");
    };
    if (config.vocabularySize && *config.vocabularySize != words.size())
      refuse(config.vocabularyDim, *config.vocabularySize);
    for (auto& [name, range] : config.ranges)
      if ((name == "data.ids" || name == "data.next") && words.size() > range) refuse("the range of " + name, range);
  }

  int32_t token(int64_t i) const {
    int32_t value = 0;
    memcpy(&value, tokens.data() + i * width, size_t(width));
    return value;
  }

  template <typename Start> void fill(Session& session, const HeddleEntry& entry, Start start) {
    for (int shift : {0, 1}) {
      const HeddleBuffer* input = session.findInput(entry, shift ? "data.next" : "data.ids");
      if (!input) continue;
      int64_t rows = input->dims[0].size, length = input->dims[1].size;
      auto* out = static_cast<int32_t*>(session.memory(*input));
      for (int64_t row = 0; row < rows; ++row) {
        int64_t first = start(row, rows, length) + shift;
        for (int64_t t = 0; t < length; ++t) out[row * length + t] = token(first + t);
      }
    }
  }

  std::string path;
  double split;
  Tokenizer words;
  Arena tokens;
  int64_t width;     // bytes of a token
  int64_t count;     // tokens
  int64_t trained;   // of them, from the start, for training
  uint64_t hash, bytes;
};

}  // namespace

int64_t tokenWidth(int64_t vocabularySize) { return vocabularySize <= 256 ? 1 : vocabularySize <= 65536 ? 2 : 4; }

std::unique_ptr<DataSource> openTextSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<TextSource>(config, path);
}

}  // namespace heddle
