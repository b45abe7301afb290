// What may be wrong with a tokenizer.json, and with texts and flags of a tokenizer: each an error with path and place.
#include "TempDir.h"

#include "runtime/ByteLevelBpe.h"
#include "runtime/InputFile.h"
#include "runtime/Tokenizer.h"
#include "runtime/TokenizerTraining.h"
#include "runtime/Unicode.h"
#include "runtime/Utf8.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <ctime>

using namespace heddle;
using ::testing::HasSubstr;
using Json = nlohmann::json;

namespace {

Json bpe() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
              "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4, "Ċ": 5}, "merges": ["a b", ["Ġ", "ab"]]}})");
}

Json wordPiece() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                   "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "un": 1, "##able": 2, "##s": 3, ".": 4}}})");
}

Json added(int id, const char* content) {
  return {{"id", id}, {"content", content}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
          {"normalized", false}, {"special", true}};
}

Tokenizer load(const Json& json) {
  TempDir dir;
  writeFile(dir / "tok.json", json.dump());
  return Tokenizer::load(dir / "tok.json");
}

// The error without the directory.
std::string errorFor(const std::string& text) {
  TempDir dir;
  writeFile(dir / "tok.json", text);
  std::string error = errorOf([&] { Tokenizer::load(dir / "tok.json"); });
  size_t at = error.find(dir.path + "/");
  EXPECT_NE(at, std::string::npos) << error;
  return at == std::string::npos ? error : error.substr(at + dir.path.size() + 1);
}

// With one value of a good file changed.
std::string errorWith(Json json, const std::string& pointer, const Json& value) {
  json[Json::json_pointer(pointer)] = value;
  return errorFor(json.dump());
}

}  // namespace

TEST(TokenizerFile, GoodOnesAreRead) {
  Tokenizer t = load(bpe());
  EXPECT_EQ(t.kind(), "bpe");
  EXPECT_EQ(t.size(), 6);
  EXPECT_EQ(t.encode("ab ab\nba", "x"), (std::vector<int32_t>{3, 4, 5, 1, 0}));
  EXPECT_EQ(t.encode("aéb", "x"), (std::vector<int32_t>{3}));  // bytes that it does not have, as in the package
  EXPECT_EQ(t.tokenId("Ġab"), 4);
  EXPECT_EQ(t.tokenId(" ab"), std::nullopt);
  EXPECT_EQ(t.decode(4), " ab");
  EXPECT_EQ(t.decode(6), "");
  EXPECT_EQ(Tokenizer::fromJson(t.toJson()).encode("ab", "x"), (std::vector<int32_t>{3}));
  Json old = bpe();  // files of the first versions say no type
  old["model"].erase("type");
  EXPECT_EQ(load(old).kind(), "bpe");
  old = wordPiece();
  old["model"].erase("type");
  EXPECT_EQ(load(old).kind(), "wordpiece");
}

TEST(TokenizerFile, TextIsStreamedFromWordPieces) {
  Tokenizer t = load(wordPiece());
  std::vector<int32_t> ids = t.encode("Únables unable.", "x");
  EXPECT_EQ(ids, (std::vector<int32_t>{1, 2, 3, 1, 2, 4}));
  Tokenizer::Decoder decoder(t);
  std::string text;
  for (int32_t id : ids) text += decoder.next(id) + "|";
  EXPECT_EQ(text, "un|able|s| un|able|.|");
  EXPECT_EQ(decoder.next(-1), "");
}

TEST(TokenizerFile, AddedTokensHaveIds) {
  Json json = bpe();
  json["added_tokens"] = Json::array({added(3, "ab"), added(6, "<end>")});
  Tokenizer t = load(json);
  EXPECT_EQ(t.size(), 7);
  EXPECT_EQ(t.tokenId("<end>"), 6);
  EXPECT_TRUE(t.isSpecial(6));
  EXPECT_FALSE(t.isSpecial(4));
  EXPECT_EQ(t.encode("a<end>b", "x"), (std::vector<int32_t>{0, 6, 1}));
  EXPECT_EQ(t.decode(6), "<end>");
}

TEST(TokenizerFile, WhatIsNotSupportedIsRefusedByName) {
  EXPECT_THAT(errorWith(bpe(), "/model/type", "Unigram"), HasSubstr("tok.json: model.type: \"Unigram\" is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/model/dropout", 0.1), HasSubstr("tok.json: model.dropout: 0.1 is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/model/byte_fallback", true), HasSubstr("model.byte_fallback: true is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/model/ignore_merges", true), HasSubstr("model.ignore_merges: true is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/model/end_of_word_suffix", "</w>"), HasSubstr("model.end_of_word_suffix: \"</w>\" is not"));
  EXPECT_THAT(errorWith(bpe(), "/model/speed", 1), HasSubstr("model: the key \"speed\" is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/normalizer", {{"type", "NFC"}}), HasSubstr("normalizer: \"NFC\" is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/pre_tokenizer", nullptr), HasSubstr("pre_tokenizer: null is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/pre_tokenizer/type", "Metaspace"), HasSubstr("pre_tokenizer: \"Metaspace\" is not"));
  EXPECT_THAT(errorWith(bpe(), "/decoder/type", "WordPiece"), HasSubstr("decoder: \"WordPiece\" is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/post_processor", {{"type", "Other"}}), HasSubstr("post_processor: \"Other\" is not"));
  EXPECT_THAT(errorWith(bpe(), "/truncation", Json::object()), HasSubstr("truncation: is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/version", "2.0"), HasSubstr("version: \"2.0\" is not supported"));
  EXPECT_THAT(errorWith(bpe(), "/extra", 1), HasSubstr("tok.json: the key \"extra\" is not supported"));
  EXPECT_THAT(errorWith(wordPiece(), "/normalizer/type", "Lowercase"), HasSubstr("normalizer: \"Lowercase\" is not"));
  EXPECT_THAT(errorWith(wordPiece(), "/normalizer/fast", true), HasSubstr("normalizer: the key \"fast\" is not"));
}

TEST(TokenizerFile, VocabulariesThatContradictThemselvesAreRefused) {
  EXPECT_THAT(errorWith(bpe(), "/model/vocab", Json::object()), HasSubstr("tok.json: model.vocab: is empty"));
  EXPECT_THAT(errorWith(bpe(), "/model/vocab/b", 7),
              HasSubstr("model.vocab[\"b\"]: is 7, but 6 tokens have ids 0 to 5, without holes"));
  EXPECT_THAT(errorWith(bpe(), "/model/vocab/b", 0), HasSubstr("is 0, as is the one of \"a\""));
  EXPECT_THAT(errorWith(bpe(), "/model/vocab/b", -1), HasSubstr("model.vocab[\"b\"]: -1 is not a whole number"));
  EXPECT_THAT(errorWith(bpe(), "/model/vocab/b", 1.5), HasSubstr("model.vocab[\"b\"]: 1.5 is not a whole number"));
  EXPECT_THAT(errorWith(bpe(), "/model/vocab", nullptr), HasSubstr("model.vocab: is missing"));
  EXPECT_THAT(errorWith(bpe(), "/model", nullptr), HasSubstr("tok.json: model: is missing"));
  EXPECT_THAT(errorWith(bpe(), "/model/unk_token", "<unk>"), HasSubstr("model.unk_token: \"<unk>\" is not in the vocab"));
  EXPECT_THAT(errorWith(wordPiece(), "/model/unk_token", "?"), HasSubstr("model.unk_token: \"?\" is not in the vocab"));
  EXPECT_THAT(errorWith(wordPiece(), "/model/max_input_chars_per_word", -1), HasSubstr("-1 is not a whole number"));
  std::string twice = bpe().dump();
  twice.replace(twice.find("\"b\":1"), 5, "\"a\":1");
  EXPECT_THAT(errorFor(twice), HasSubstr("the key \"a\" stands twice"));
}

TEST(TokenizerFile, MergesThatMakeNothingAreRefused) {
  EXPECT_THAT(errorWith(bpe(), "/model/merges/0", "b a"),
              HasSubstr("model.merges[0]: \"b\" and \"a\" make \"ba\", which is not in the vocabulary"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges/1", "a longer-than-any-token"), HasSubstr("model.merges[1]: \"longer-than"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges/1", "a b"), HasSubstr("model.merges[1]: is the same merge as model.merges[0]"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges/1", "ab"), HasSubstr("model.merges[1]: \"ab\" is not two tokens"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges/1", Json{"a"}), HasSubstr("model.merges[1]: an array of 1 is not a pair"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges/1", 5), HasSubstr("model.merges[1]: 5 is not a string"));
  EXPECT_THAT(errorWith(bpe(), "/model/merges", nullptr), HasSubstr("model.merges: null is not an array"));
}

TEST(TokenizerFile, SpecialTokensOutOfPlaceAreRefused) {
  auto with = [](const Json& token) { return errorWith(bpe(), "/added_tokens", Json::array({token})); };
  EXPECT_THAT(with(added(60, "<end>")), HasSubstr("added_tokens[0].id: is 60, but the next id after the vocabulary of 6 is 6"));
  EXPECT_THAT(with(added(0, "ab")), HasSubstr("added_tokens[0].id: is 0, but \"ab\" has id 3 in the vocabulary"));
  EXPECT_THAT(with(added(6, "")), HasSubstr("added_tokens[0].content: is empty"));
  EXPECT_THAT(errorWith(bpe(), "/added_tokens", Json::array({added(6, "x"), added(6, "x")})),
              HasSubstr("added_tokens[1].content: \"x\" is added twice"));
  Json blank = added(5, "\x01");
  blank["normalized"] = true;
  EXPECT_THAT(errorWith(wordPiece(), "/added_tokens", Json::array({blank})), HasSubstr("the normalizer leaves nothing of it"));
  Json roberta = {{"type", "RobertaProcessing"}, {"sep", {"</s>", 9}}, {"cls", {"a", 0}}, {"trim_offsets", true},
                  {"add_prefix_space", false}};
  EXPECT_THAT(errorWith(bpe(), "/post_processor", roberta),
              HasSubstr("post_processor.sep[1]: is 9, but the vocabulary has 6 tokens"));
  roberta["sep"] = {"b", 0};
  EXPECT_THAT(errorWith(bpe(), "/post_processor", roberta), HasSubstr("post_processor.sep[0]: is \"b\", but id 0 is \"a\""));
}

// A name like those of byte_fallback is a token like any other.
TEST(TokenizerFile, NamesOfBytesAreTokens) {
  Json json = bpe();
  json["model"]["vocab"]["<0x-1>"] = 6;
  EXPECT_EQ(load(json).decode(6), "<0x-1>");
  EXPECT_EQ(load(json).encode("<0x-1>", "x"), std::vector<int32_t>{});
}

TEST(TokenizerFile, WhatIsNoTokenizerIsRefused) {
  EXPECT_THAT(errorFor(""), HasSubstr("tok.json: is empty"));
  EXPECT_THAT(errorFor("{\"model\": "), HasSubstr("tok.json: byte 11: this is not JSON"));
  EXPECT_THAT(errorFor("[1, 2]"), HasSubstr("tok.json: an array of 2 is not an object"));
  EXPECT_THAT(errorFor("{\"model\": 1e999}"), HasSubstr("holds a number that is out of range"));
  EXPECT_THAT(errorFor(std::string(100000, '[')), HasSubstr("tok.json: nested deeper than 16 levels"));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"model\":";
  EXPECT_THAT(errorFor(deep), HasSubstr("tok.json: nested deeper than 16 levels"));
  EXPECT_THAT(errorFor("{\"model\": \"\xff\"}"), HasSubstr("this is not JSON"));
  TempDir dir;
  ASSERT_EQ(mkfifo((dir / "fifo.json").c_str(), 0600), 0);
  EXPECT_THAT(errorOf([&] { Tokenizer::load(dir / "fifo.json"); }), HasSubstr("fifo.json: is not a regular file"));
  EXPECT_THAT(errorOf([&] { Tokenizer::load(dir / "none.json"); }), HasSubstr("none.json: cannot be read"));
  EXPECT_THAT(errorOf([] { Tokenizer::fromJson(R"({"kind": "bpe", "tokenizer.json": "{}"})"); }),
              HasSubstr("the checkpoint's tokenizer: model: is missing"));
  EXPECT_THAT(errorOf([] { Tokenizer::fromJson(R"({"kind": "bpe"})"); }), HasSubstr("the checkpoint's tokenizer is damaged"));
}

TEST(TokenizerFile, AWordOfAMebibyteTakesNoLongTime) {
  Json json = bpe();
  std::string last = "ab";
  for (int id = 6; id < 16; ++id) {  // ab, abab, ...
    json["model"]["merges"].push_back({last, last});
    last += last;
    json["model"]["vocab"][last] = id;
  }
  std::string word;
  while (word.size() < size_t(1) << 20) word += "ab";
  std::clock_t start = std::clock();  // the processor's time: others may use the machine
  EXPECT_EQ(load(json).encode(word, "x").size(), (size_t(1) << 20) >> 11);
  EXPECT_LT(std::clock() - start, 10 * CLOCKS_PER_SEC);
}

TEST(Gpt2Words, AreCutAsThePatternDoes) {
  auto words = [](std::string_view text) {
    std::string out;
    for (size_t at = 0, end; at < text.size(); at = end)
      end = gpt2WordEnd(text, at), out.append(at ? "|" : "").append(text.substr(at, end - at));
    return out;
  };
  EXPECT_EQ(words("Hello  world's 12ab don'T"), "Hello| | world|'s| 12|ab| don|'|T");
  EXPECT_EQ(words("a \n\n b\t\tc  "), "a| \n\n| b|\t|\t|c|  ");
  EXPECT_EQ(words(" 've'll !?é€"), " '|ve|'ll| !?|é|€");
}

// Broken UTF-8 as Python replaces it: the longest start of a character is one U+FFFD.
TEST(Utf8, BrokenPartsBecomeReplacements) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(replaceInvalidUtf8("a\x80z"), "a" + r + "z");
  EXPECT_EQ(replaceInvalidUtf8("\xE2\x82"), r);
  EXPECT_EQ(replaceInvalidUtf8("\xE2\x82(\xF0\x9F\x98"), r + "(" + r);
  EXPECT_EQ(replaceInvalidUtf8("\xED\xA0\x80"), r + r + r);  // a surrogate
  EXPECT_EQ(replaceInvalidUtf8("\xC0\xAF\xF5\xE0\x80"), r + r + r + r + r);
  EXPECT_EQ(replaceInvalidUtf8("\xF4\x90\x80\x80 é"), r + r + r + r + " é");
}

TEST(TokenizerTraining, OptionsAndTextsAreChecked) {
  TempDir dir;
  writeFile(dir / "empty", "");
  writeFile(dir / "text", "unable tables\n");
  auto error = [&](const char* file, const TrainingOptions& options) {
    return errorOf([&] { trainTokenizer(InputFile(dir / file), options); });
  };
  TrainingOptions good, o;
  good.vocabularySize = 300;
  EXPECT_THAT(error("empty", good), HasSubstr("3: error: ") );
  EXPECT_THAT(error("empty", good), HasSubstr("is empty"));
  EXPECT_THAT(error("text", o), HasSubstr("2: error: --vocab-size 0"));
  (o = good).vocabularySize = 200;
  EXPECT_THAT(error("text", o), HasSubstr("special tokens and the alphabet are 256 already"));
  (o = good).lowercase = true;
  EXPECT_THAT(error("text", o), HasSubstr("--lowercase"));
  (o = good).special = {"x", "x"};
  EXPECT_THAT(error("text", o), HasSubstr("--special x is given twice"));
  o.special = {"x"}, o.wordPiece = true;
  EXPECT_THAT(error("text", o), HasSubstr("WordPiece needs [UNK]"));
}

// Ties: the pair with the lowest ids first. The alphabet is in the order of code points, that of continuing letters too.
TEST(TokenizerTraining, TiesAreBrokenByIds) {
  TempDir dir;
  writeFile(dir / "text", "ba ca ba Ca\nda");
  TrainingOptions o;
  o.wordPiece = o.lowercase = true;
  o.vocabularySize = 100;
  TrainedTokenizer made = trainTokenizer(InputFile(dir / "text"), o);
  auto vocabulary = Json::parse(made.json)["model"]["vocab"];
  EXPECT_EQ(vocabulary, Json::parse(R"({"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"b":6,"c":7,"d":8,
                                        "##a":9,"ba":10,"ca":11,"da":12})"));
  EXPECT_EQ(made.tokens, 13);
  EXPECT_EQ(trainTokenizer(InputFile(dir / "text"), o).json, made.json);
}
