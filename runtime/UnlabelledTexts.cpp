// Texts without labels (Unlabelled.h), as tokens in memory.
#include "runtime/Arena.h"
#include "runtime/InputTexts.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/TextRows.h"
#include "runtime/Unlabelled.h"

namespace heddle {
namespace {

class UnlabelledTexts : public RecordSource {
public:
  UnlabelledTexts(const RunConfig& config, const Tokenizer& words, const InputTexts& input)
      : RecordSource(config, input.name(), "texts"), special(words, config, TextRows::kSpecial), rows(path, texts, special) {
    int64_t tokens = 0;
    for (size_t i = 0; i < input.size(); ++i) tokens += int64_t(words.encode(input.text(i), input.place(i)).size());
    checkMemory(Arena::mapped() + TokenTable::reserved(int64_t(input.size()), tokens, special.vocabulary));
    texts = TokenTable(int64_t(input.size()), tokens, special.vocabulary);
    for (size_t i = 0; i < input.size(); ++i) texts.add(words.encode(input.text(i), input.place(i)));
    setFields({{"ids", HEDDLE_I32, {{"B"}, {"T"}}}, {"valid", HEDDLE_BOOL, {{"B"}, {"T"}}}});
    setParts(0, texts.size());
  }
  std::string fingerprint() const override { return ""; }  // of a run's data alone
  std::vector<std::string> notes() const override { return rows.notes(); }

private:
  void fit(const std::vector<Axis>& axes) override {
    rows.fit(sizeOf(axes, "T"));
  }
  void fillRow(const RowPlace& place, void* const* out) override {
    rows.fill(place.record, sizeOf(place.axes, "T"), static_cast<int32_t*>(out[0]), static_cast<int32_t*>(out[1]));
  }

  SpecialTokens special;
  TokenTable texts;
  TextRows rows;
};

}  // namespace

std::unique_ptr<DataSource> openUnlabelledTexts(const RunConfig& config, const Tokenizer& tokenizer, const UnlabelledInput& input) {
  return std::make_unique<UnlabelledTexts>(config, tokenizer, InputTexts(input));
}

}  // namespace heddle
