// Texts without labels, a line each (Unlabelled.h), as tokens in memory. An empty line is an empty text: results are told
// from each other by their lines.
#include "runtime/Arena.h"
#include "runtime/InputFile.h"
#include "runtime/RecordSource.h"
#include "runtime/RunError.h"
#include "runtime/TextRows.h"
#include "runtime/Unlabelled.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace heddle {
namespace {

std::string readStandardInput() {
  std::string text;
  char piece[1 << 16];
  for (;;) {
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw RunError(kData, fmt::format("standard input cannot be read: {}", strerror(errno)));
    if (n == 0) return text;
    text.append(piece, size_t(n));
  }
}

bool readsStandardInput(const UnlabelledInput& input) { return !input.text && (input.path.empty() || input.path == "-"); }

// Calls f(text, its line from 1).
template <typename F> void forEachLine(std::string_view text, F f) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view one = text.substr(at, end - at);
    if (one.ends_with('\r')) one.remove_suffix(1);
    f(one, line);
    at = end + 1;
  }
}

class UnlabelledTexts : public RecordSource {
public:
  UnlabelledTexts(const RunConfig& config, const Tokenizer& words, const UnlabelledInput& input, std::string name)
      : RecordSource(config, std::move(name), "texts"), special(words, config, TextRows::kSpecial),
        rows(path, texts, special) {
    std::string text = input.text ? *input.text : readsStandardInput(input) ? readStandardInput() : InputFile(path).readAll();
    if (input.text) keep(words, [&](auto f) { f(text, 0); });
    else keep(words, [&](auto f) { forEachLine(text, f); });
    setFields({{"ids", HEDDLE_I32, {{"B"}, {"T"}}}, {"valid", HEDDLE_BOOL, {{"B"}, {"T"}}}});
    setParts(0, texts.size());
  }
  std::string fingerprint() const override { return ""; }  // of a run's data alone
  std::vector<std::string> notes() const override { return rows.notes(); }

private:
  template <typename ForEach> void keep(const Tokenizer& words, ForEach forEach) {
    auto where = [&](int64_t line) { return line ? fmt::format("{}: line {}", path, line) : path; };
    int64_t count = 0, tokens = 0;
    forEach([&](std::string_view text, int64_t line) { count += 1, tokens += int64_t(words.encode(text, where(line)).size()); });
    if (count == 0) throw RunError(kData, fmt::format("{}: holds no text", path), "a text is a line");
    checkMemory(Arena::mapped() + TokenTable::reserved(count, tokens, special.vocabulary));
    texts = TokenTable(count, tokens, special.vocabulary);
    forEach([&](std::string_view text, int64_t line) { texts.add(words.encode(text, where(line))); });
  }
  void fit(const std::vector<Axis>& axes) override {
    for (const Axis& axis : axes)
      if (axis.name == "T") rows.fit(axis.size);
  }
  void fillRow(const RowPlace& place, void* const* out) override {
    rows.fill(place.record, static_cast<int32_t*>(out[0]), static_cast<int32_t*>(out[1]));
  }

  SpecialTokens special;
  TokenTable texts;
  TextRows rows;
};

}  // namespace

std::unique_ptr<DataSource> openUnlabelledTexts(const RunConfig& config, const Tokenizer& tokenizer, const UnlabelledInput& input) {
  std::string name = input.text ? "--text" : readsStandardInput(input) ? "standard input" : input.path;
  return std::make_unique<UnlabelledTexts>(config, tokenizer, input, name);
}

}  // namespace heddle
