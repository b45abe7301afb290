// See TextTokens.h.
#include "runtime/TextTokens.h"

#include "runtime/FileHash.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

#include <cstring>

namespace heddle {

int64_t tokenWidth(int64_t vocabularySize) { return vocabularySize <= 256 ? 1 : vocabularySize <= 65536 ? 2 : 4; }

TextTokens::TextTokens(const RunConfig& config, const std::string& path) : name(path), split(config.data.split) {
  InputFile file(path);
  bytes = file.size();
  words = Tokenizer::ofFile(resolveTokenizer(config.base, config.data.tokenizer), file, count);
  checkVocabulary(config);
  width = tokenWidth(words.size());
  checkMemory(Arena::mapped() + Arena::reserved(count * width));
  tokens = Arena(count * width, "tokens of the text");
  read(file);
  firstOfEvaluation = int64_t(double(count) * split);
}

DataDescription TextTokens::describe(const RunConfig& config, const std::string& path) {
  TokenizerInfo text = heddle::describe(path, resolveTokenizer(config.base, config.data.tokenizer));
  return {{{"vocabulary", text.vocabularySize}}, Arena::reserved(text.tokens * tokenWidth(text.vocabularySize))};
}

void TextTokens::read(const InputFile& file) {
  FileHash state;
  int64_t done = 0;
  auto changed = [&] {
    return RunError(kData, fmt::format("{}: changed while it was being read", name), "try again when it is complete");
  };
  words.encodeFile(file, [&](std::string_view piece, const std::vector<int32_t>& ids) {
    state.add(piece);
    if (done + int64_t(ids.size()) > count) throw changed();
    for (int32_t id : ids) memcpy(tokens.data() + done++ * width, &id, size_t(width));
  });
  if (done != count) throw changed();
  hash = state.digest();
}

void TextTokens::checkVocabulary(const RunConfig& config) const {
  checkBinds(config, {{"vocabulary", words.size()}}, name);
  for (auto& [input, range] : config.ranges)
    if ((input == "data.ids" || input == "data.next") && words.size() > range)
      throw RunError(kData,
                     fmt::format("{}: its {} vocabulary has {} tokens, but the program was compiled for the range of {} = {}",
                                 name, words.kind(), words.size(), input, range),
                     "compile the program for this text");
}

int32_t TextTokens::operator[](int64_t i) const {
  int32_t value = 0;
  memcpy(&value, tokens.data() + i * width, size_t(width));
  return value;
}

void TextTokens::copy(int64_t first, int64_t length, int32_t* out) const {
  for (int64_t t = 0; t < length; ++t) out[t] = (*this)[first + t];
}

std::string TextTokens::describePart(bool evaluation) const {
  return fmt::format("the {} part has {} tokens (split = {})", evaluation ? "validation" : "training",
                     partSize(evaluation), split);
}

std::string TextTokens::fingerprint(const char* kind) const {
  return fmt::format(R"({{"kind":"{}","bytes":{},"xxh64":"{:016x}","tokenizer":"{}","split":{}}})", kind, bytes, hash,
                     words.fingerprint(), split);
}

}  // namespace heddle
