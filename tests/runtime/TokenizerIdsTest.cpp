// Ids, texts and trained vocabularies are those of the package `tokenizers` (tests/reference/tokenizer_ids.py).
#include "TempDir.h"
#include "TokenizerTexts.h"

#include "runtime/InputFile.h"
#include "runtime/SubwordTokenizer.h"
#include "runtime/Tokenizer.h"
#include "runtime/TokenizerTraining.h"
#include "runtime/Utf8.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>

using namespace heddle;
using namespace heddle::testing;

namespace {

const std::vector<std::string>& texts() {
  static const std::vector<std::string> all = tokenizerTexts();
  return all;
}

struct Hash {
  uint64_t value = 0xCBF29CE484222325;
  void add(uint64_t x) { value = (value ^ x) * 0x100000001B3; }
};

// The package gives text, and U+FFFD for bytes that are none.
std::string decoded(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  Tokenizer::Decoder decoder(tokenizer);
  std::string text;
  for (int32_t id : ids) text += decoder.next(id);
  return replaceInvalidUtf8(text);
}

class TokenizerIds : public ::testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(TokenizerIds, AreThoseOfThePackage) {
  Tokenizer tokenizer = Tokenizer::load(tokenizerFolder() + GetParam() + ".json");
  Tokenizer stored = Tokenizer::fromJson(tokenizer.toJson());
  EXPECT_EQ(stored.toJson(), tokenizer.toJson());
  std::ifstream wanted(tokenizerFolder() + GetParam() + ".ids");
  Hash hash;
  int wrong = 0;
  for (size_t i = 0; i < texts().size(); ++i) {
    std::vector<int32_t> ids = stored.encode(texts()[i], "text");
    for (int32_t id : ids) hash.add(uint64_t(id));
    hash.add(~uint64_t(0));
    if (i < 2000)
      for (char c : decoded(stored, ids)) hash.add(uint8_t(c));
    if (i % 10 != 9 && i + 1 != texts().size()) continue;
    std::string line;
    ASSERT_TRUE(std::getline(wanted, line));
    if (fmt::format("{:016x}", hash.value) != line && ++wrong <= 5)
      ADD_FAILURE() << "texts " << i / 10 * 10 << " to " << i;
    hash = {};
  }
  EXPECT_EQ(wrong, 0);
}

// The pieces that a file is read in give the ids of the whole text.
TEST_P(TokenizerIds, OfAFileAreThoseOfItsText) {
  TempDir dir;
  Tokenizer tokenizer = Tokenizer::load(tokenizerFolder() + GetParam() + ".json");
  std::string text;
  for (size_t i = 0; i < 20000; ++i) text += texts()[i % 10000];
  ASSERT_GT(text.size(), size_t(3) << 18);
  writeFile(dir / "text", text);
  std::vector<int32_t> ids;
  std::string bytes;
  int pieces = 0;
  tokenizer.encodeFile(InputFile(dir / "text"), [&](std::string_view piece, const std::vector<int32_t>& more) {
    bytes += piece;
    ids.insert(ids.end(), more.begin(), more.end());
    ++pieces;
  });
  EXPECT_EQ(bytes == text, true);
  EXPECT_EQ(ids == tokenizer.encode(text, "text"), true);
  EXPECT_EQ(pieces == 1, std::string(GetParam()).ends_with("-odd"));  // those have rstrip, and one no pattern
}

TEST_P(TokenizerIds, AreTheSameWhereverATextMayBeCut) {
  SubwordTokenizer tokenizer(TokenizerFile::parse(readFile(tokenizerFolder() + GetParam() + ".json"), "x"));
  for (size_t i = 0; i < 3000; ++i) {
    std::string_view text = texts()[i];
    std::vector<int32_t> whole, pieces;
    tokenizer.encode(text, false, whole);
    for (size_t at = tokenizer.cut(text); at > 0; at = tokenizer.cut(text.substr(0, at))) {
      pieces.clear();
      tokenizer.encode(text.substr(0, at), false, pieces);
      tokenizer.encode(text.substr(at), true, pieces);
      EXPECT_EQ(pieces == whole, true) << "text " << i << ", byte " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerIds,
                         ::testing::Values("bpe", "bpe-roberta", "bpe-odd", "wordpiece-uncased", "wordpiece-cased",
                                           "wordpiece-odd"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

// The corpus of bpe.json are the random texts, each on a line of its own.
TEST(TokenizerTraining, GivesTheMergesOfThePackage) {
  TempDir dir;
  std::string corpus;
  for (size_t i = 0; i < 10000; ++i) corpus += (i ? "\n" : "") + texts()[i];
  writeFile(dir / "corpus", corpus);
  TrainingOptions options;
  options.vocabularySize = 1500;
  options.special = {"<|endoftext|>"};
  auto ours = nlohmann::json::parse(trainTokenizer(InputFile(dir / "corpus"), options).json);
  auto theirs = nlohmann::json::parse(readFile(tokenizerFolder() + "bpe.json"));
  EXPECT_EQ(ours["model"]["vocab"], theirs["model"]["vocab"]);
  EXPECT_EQ(ours["model"]["merges"], theirs["model"]["merges"]);
  EXPECT_EQ(ours["added_tokens"], theirs["added_tokens"]);
}
