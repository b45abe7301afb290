// Text with tokens masked, to learn a language model of both directions from (Devlin et al. 2018, sections 3.1 and A.1):
// of the tokens that are chosen, 80 % become <mask>, 10 % another token, 10 % stay. What is chosen is drawn anew for
// every row of the run (Liu et al. 2019, section 4.1), from (seed, place of the row): nothing is stored. Special tokens
// that a text holds are neither chosen nor drawn.
//
// A document is cut in pieces as long as a row holds; a row is a piece: <begin>, its tokens, <sep>. With the task of the
// next sentence, a piece is cut once more, at a token that is drawn: <begin> A <sep> B <sep>, where B is what follows A,
// or, as often, a stretch of another document of the same part that is no longer than that.
#include "runtime/Arena.h"
#include "runtime/DocumentReader.h"
#include "runtime/Permutation.h"
#include "runtime/Philox.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/SpecialTokens.h"
#include "runtime/TokenTable.h"
#include "runtime/VocabularyReader.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {
namespace {

constexpr uint32_t kCut = 0xFFFFFFFFu, kOther = 0xFFFFFFFEu;  // draws of a row that are of no token

constexpr SpecialTokens::Part kSpecial[] = {&SpecialTokens::whole, &SpecialTokens::separator, &SpecialTokens::pad,
                                                   &SpecialTokens::mask};

Tokenizer readVocabulary(const RunConfig& config, const std::string& path) {
  VocabularyReader vocabulary(config);
  if (vocabulary.needsTexts())
    for (DocumentReader reader(path, config.data.document); reader.next();)
      vocabulary.add(reader.text(), [&] { return reader.place(); });
  return vocabulary.finish(path);
}

// What the first readings tell.
struct Documents {
  Documents(const RunConfig& config, const std::string& path) : words(readVocabulary(config, path)), special(words, config, kSpecial) {
    for (DocumentReader reader(path, config.data.document); reader.next();) {
      auto length = int64_t(words.encode(reader.text(), reader.place()).size());
      tokens += length, count += length > 0;
    }
    if (count == 0) throw RunError(kData, fmt::format("{}: has no text", path));
  }
  DataDescription describe() const {
    return {{{"vocabulary", special.vocabulary}, {"follows", 2}},
            TokenTable::reserved(count, tokens, special.vocabulary) + Arena::reserved((count + 1) * 8)};
  }

  Tokenizer words;
  SpecialTokens special;
  int64_t count = 0, tokens = 0;
};

class MaskedTextSource : public RecordSource {
public:
  MaskedTextSource(const RunConfig& config, const std::string& file)
      : RecordSource(config, file, "pieces of documents"), documents(config, file), special(documents.special),
        nextSentence(config.data.nextSentence), mask(config.data.mask),
        order(uint64_t(documents.count), 0, kSplitStream, 0) {
    DataDescription description = documents.describe();
    checkBinds(config, description.facts, path);
    for (const char* name : {"data.ids", "data.target"})
      if (auto range = config.ranges.find(name); range != config.ranges.end() && special.vocabulary > range->second)
        throw RunError(kData, fmt::format("{}: its vocabulary has {} tokens, but the program was compiled for the range of {} = {}",
                                          path, special.vocabulary, name, range->second),
                       "compile the program for this text");
    checkMemory(Arena::mapped() + description.bytes);
    texts = TokenTable(documents.count, documents.tokens, special.vocabulary);
    pieces = Arena((documents.count + 1) * 8, "pieces of the documents");
    read(config);
    std::vector<Field> fields = {{"ids", HEDDLE_I32, {{"B"}, {"T"}}},    {"target", HEDDLE_I32, {{"B"}, {"T"}}},
                                 {"chosen", HEDDLE_BOOL, {{"B"}, {"T"}}}, {"valid", HEDDLE_BOOL, {{"B"}, {"T"}}},
                                 {"segs", HEDDLE_I32, {{"B"}, {"T"}}}};
    if (nextSentence) fields.push_back({"follows", HEDDLE_I32, {{"B"}}});
    setFields(fields);
  }

  std::string fingerprint() const override {
    return fmt::format(R"({{"kind":"mlm","documents":{},"xxh64":"{:016x}","tokenizer":"{}","next_sentence":{},"mask":{},"split":{}}})",
                       documents.count, hash, documents.words.fingerprint(), nextSentence, mask, split);
  }
  const Tokenizer* tokenizer() const override { return &documents.words; }

private:
  void read(const RunConfig& config) {
    bool fits = true;
    DocumentReader reader(path, config.data.document);
    while (fits && reader.next()) {
      std::vector<int32_t> ids = documents.words.encode(reader.text(), reader.place());
      if (!ids.empty()) fits = texts.add(ids);
    }
    if (!fits || !texts.full())
      throw RunError(kData, fmt::format("{}: changed while it was being read", path), "try again when it is complete");
    hash = reader.hash();
  }

  // The records are the pieces, of the documents in the order of the split: firsts()[i] is the first of document order(i).
  int64_t* firsts() const { return reinterpret_cast<int64_t*>(pieces.data()); }

  void fit(const std::vector<Axis>& axes) override {
    for (const Axis& axis : axes)
      if (axis.name == "T") length = axis.size;
    room = length - (nextSentence ? 3 : 2);
    int64_t least = nextSentence ? 2 : 1;  // tokens of a piece
    if (room < least)
      throw RunError(kData, fmt::format("{}: rows of {} tokens have no room for text beside the special tokens", path, length));
    int64_t trainedOn = trainedOf(documents.count, split);
    firsts()[0] = 0;
    for (int64_t i = 0; i < documents.count; ++i) {
      int64_t tokens = texts.length(int64_t(order(uint64_t(i))));
      firsts()[i + 1] = firsts()[i] + tokens / room + (tokens % room >= least);
    }
    trainedDocuments = trainedOn;
    setParts(firsts()[trainedOn], firsts()[documents.count] - firsts()[trainedOn]);
    for (int64_t part : {trainedOn, documents.count - trainedOn})
      if (nextSentence && part == 1)
        throw RunError(kData, fmt::format("{}: a part has one document alone, but `next_sentence` takes stretches of another "
                                          "(split = {})", path, split),
                       "say what stands between documents: `document = \"\\n%\\n\"`, or take another split");
  }

  PhiloxWords draw(const RowPlace& place, uint32_t what) const {
    return philox({what, uint32_t(place.place), uint32_t(place.place >> 32), kMaskStream + place.evaluation}, place.seed);
  }

  // Tokens [first, first + count) of a document, masked, from position t of the row on; `segment` is theirs.
  void fillTokens(const RowPlace& place, int64_t document, int64_t first, int64_t count, int64_t t, int32_t segment,
                  void* const* out) const {
    for (int64_t i = 0; i < count; ++i, ++t) {
      int32_t token;
      texts.copy(document, first + i, 1, &token);
      PhiloxWords w = draw(place, uint32_t(t));
      bool chosen = uniform01(w[0], w[1]) < mask && !special.contains(token);
      int32_t shown = token;
      if (chosen && w[2] < 0xCCCCCCCCu) shown = special.mask;  // 4/5 of 2^32
      else if (chosen && w[2] < 0xE6666666u) shown = special.drawText(w[3]);  // 9/10
      put(out, t, shown, token, chosen, segment);
    }
  }

  // One position of the row, which counts as text.
  static void put(void* const* out, int64_t t, int32_t shown, int32_t token, bool chosen, int32_t segment) {
    const int32_t values[] = {shown, token, chosen, 1, segment};
    for (int f = 0; f < 5; ++f)
      if (out[f]) static_cast<int32_t*>(out[f])[t] = values[f];
  }

  void fillRow(const RowPlace& place, void* const* out) override {
    int64_t i = std::upper_bound(firsts(), firsts() + documents.count + 1, place.record) - firsts() - 1;
    auto document = int64_t(order(uint64_t(i)));
    int64_t first = (place.record - firsts()[i]) * room, count = std::min(room, texts.length(document) - first), t = 0;
    put(out, t++, special.whole, special.whole, false, 0);
    if (!nextSentence) {
      fillTokens(place, document, first, count, t, 0, out);
      t += count;
    } else {
      PhiloxWords w = draw(place, kCut);
      int64_t a = 1 + int64_t(uniformBelow(w[0], w[1], uint64_t(count - 1))), b = count - a, from = first + a;
      bool follows = w[2] >> 31;
      fillTokens(place, document, first, a, t, 0, out);
      t += a;
      put(out, t++, special.separator, special.separator, false, 0);
      if (!follows) {
        bool held = i >= trainedDocuments;
        int64_t least = held ? trainedDocuments : 0, most = held ? documents.count : trainedDocuments;
        PhiloxWords v = draw(place, kOther);
        int64_t other = least + int64_t(uniformBelow(v[0], v[1], uint64_t(most - least - 1)));
        document = int64_t(order(uint64_t(other + (other >= i))));
        b = std::min(b, texts.length(document));
        from = int64_t(uniformBelow(v[2], v[3], uint64_t(texts.length(document) - b + 1)));
      }
      fillTokens(place, document, from, b, t, 1, out);
      t += b;
      if (out[5]) *static_cast<int32_t*>(out[5]) = follows;
    }
    put(out, t++, special.separator, special.separator, false, nextSentence);
    const int32_t padding[] = {special.pad, special.pad, 0, 0, 0};
    for (int f = 0; f < 5; ++f)
      if (out[f]) std::fill(static_cast<int32_t*>(out[f]) + t, static_cast<int32_t*>(out[f]) + length, padding[f]);
  }

  Documents documents;
  const SpecialTokens special;
  const bool nextSentence;
  const double mask;
  const Permutation order;
  TokenTable texts;
  Arena pieces;
  uint64_t hash = 0;
  int64_t length = 0, room = 0, trainedDocuments = 0;  // tokens of a row, and of a piece
};

}  // namespace

std::unique_ptr<DataSource> openMaskedTextSource(const RunConfig& config, const std::string& path) {
  return std::make_unique<MaskedTextSource>(config, path);
}

DataDescription describeMaskedText(const RunConfig& config, const std::string& path) {
  return Documents(config, path).describe();
}

}  // namespace heddle
