// A tokenizer.json in the sources that use special tokens: which of its own they take, what they say if there is none, and
// that the vocabulary stays the file's.
#include "FedSource.h"

#include "runtime/InputFile.h"
#include "runtime/SpecialTokens.h"
#include "runtime/TokenizerTraining.h"

#include <gmock/gmock.h>

#include <cmath>

namespace heddle {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<SpecialTokens::Part> kAll = {&SpecialTokens::pad,  &SpecialTokens::begin,     &SpecialTokens::end,
                                               &SpecialTokens::mask, &SpecialTokens::separator, &SpecialTokens::whole};

class FileTokens : public FedSource {
protected:
  // A tokenizer.json of a text of few words, as `heddle tok train` writes it.
  json trained(bool wordPiece, const std::vector<std::string>& special) {
    writeFile(dir / "words", "the cat sat on the mat\nthe cat ran\n");
    TrainingOptions options;
    options.wordPiece = wordPiece;
    options.vocabularySize = wordPiece ? 60 : 300;
    options.special = special;
    return json::parse(trainTokenizer(InputFile(dir / "words"), options).json);
  }
  void write(const json& file) { writeFile(dir / "t.json", file.dump()); }
  SpecialTokens specialOf(const json& file, const std::vector<SpecialTokens::Part>& needed = {}) {
    write(file);
    return {Tokenizer::load(dir / "t.json"), config(source("mlm")), needed};
  }
  std::string missing(const json& file, const std::vector<SpecialTokens::Part>& needed) {
    return errorOf([&] { specialOf(file, needed); });
  }
  json source(const std::string& kind, json more = json::object()) {
    json data = {{"kind", kind}, {"path", "c.txt"}, {"tokenizer", "t.json"}, {"split", 1}};
    data.update(more);
    return data;
  }
  std::vector<int32_t> encode(const std::string& text) { return Tokenizer::load(dir / "t.json").encode(text, "text"); }
};

TEST_F(FileTokens, AreFoundByTheirNames) {
  SpecialTokens bert = specialOf(trained(true, {}), kAll);  // [PAD] [UNK] [CLS] [SEP] [MASK]
  EXPECT_THAT((std::vector{bert.pad, bert.unknown, bert.whole, bert.begin, bert.separator, bert.end, bert.mask}),
              ElementsAre(0, 1, 2, 2, 3, 3, 4));
  EXPECT_EQ(bert.vocabulary, Tokenizer::load(dir / "t.json").size());
  SpecialTokens roberta = specialOf(trained(false, {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}), kAll);
  EXPECT_THAT((std::vector{roberta.whole, roberta.begin, roberta.pad, roberta.separator, roberta.end, roberta.unknown, roberta.mask}),
              ElementsAre(0, 0, 1, 2, 2, 3, 4));
  SpecialTokens both = specialOf(trained(false, {"[CLS]", "[SEP]", "<s>", "</s>", "[PAD]", "[MASK]"}), kAll);
  EXPECT_THAT((std::vector{both.whole, both.separator, both.begin, both.end}), ElementsAre(0, 1, 2, 3));
  SpecialTokens gpt = specialOf(trained(false, {"<|endoftext|>", "<|begin_of_text|>"}), {&SpecialTokens::end});
  EXPECT_THAT((std::vector{gpt.begin, gpt.end, gpt.pad, gpt.mask}), ElementsAre(1, 0, -1, -1));
}

TEST_F(FileTokens, AreThoseOfThePostProcessor) {
  json file = trained(false, {"a>", "b>", "[CLS]", "[SEP]"});
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    file["post_processor"] = {{"type", type}, {"sep", {"b>", 1}}, {"cls", {"a>", 0}}};
    if (type == std::string("RobertaProcessing"))
      file["post_processor"].update({{"trim_offsets", true}, {"add_prefix_space", true}});
    SpecialTokens special = specialOf(file);
    EXPECT_THAT((std::vector{special.whole, special.separator, special.begin, special.end}), ElementsAre(0, 1, 0, 1)) << type;
  }
  auto token = [](const char* name) { return json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; };
  json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  file["post_processor"] = {
      {"type", "TemplateProcessing"}, {"single", {token("a>"), text, token("b>")}}, {"pair", json::array()},
      {"special_tokens", {{"a>", {{"id", "a>"}, {"ids", {0}}, {"tokens", {"a>"}}}}, {"b>", {{"id", "b>"}, {"ids", {1}}, {"tokens", {"b>"}}}}}}};
  SpecialTokens special = specialOf(file);
  EXPECT_THAT((std::vector{special.whole, special.separator}), ElementsAre(0, 1));
  file["post_processor"]["single"] = {text, token("b>")};  // as T5 has it
  SpecialTokens behind = specialOf(file);
  EXPECT_THAT((std::vector{behind.whole, behind.separator}), ElementsAre(2, 1));
}

TEST_F(FileTokens, ThatAreMissingAreNamed) {
  std::string error = missing(trained(false, {"<s>", "</s>"}), kAll);
  EXPECT_THAT(error, HasSubstr("tokenizer 't.json' lacks special tokens that `mlm` needs: <pad> for padding, <mask> for what is masked"));
  EXPECT_THAT(missing(trained(true, {"[UNK]"}), {&SpecialTokens::whole}), HasSubstr("[CLS] for a whole text"));
  json merged = trained(false, {"<pad>"});  // text that looks like a special token is none
  merged["added_tokens"][0]["special"] = false;
  EXPECT_THAT(missing(merged, {&SpecialTokens::pad}), HasSubstr("<pad> for padding"));
  json nothing = trained(true, {"[UNK]", "[PAD]"});
  nothing["model"]["vocab"] = {{"[UNK]", 0}, {"[PAD]", 1}};
  EXPECT_THAT(missing(nothing, {&SpecialTokens::pad}), HasSubstr("has no tokens but special ones"));
  write(trained(false, {"<s>"}));
  writeFile(dir / "c.txt", "the\tcat\n");
  FedProgram program({{"data.src", HEDDLE_I32, {{"B", 1}, {"N", 4}}}});
  EXPECT_THAT(openError(source("pairs"), program), HasSubstr("`pairs` needs: <pad> for padding, </s> for the end of a text"));
  EXPECT_THAT(errorOf([&] { describeData(config(source("labelled")), ""); }), HasSubstr("`labelled` needs"));
}

TEST_F(FileTokens, DrawsAreOfTextAlone) {
  SpecialTokens special = specialOf(trained(false, {"<pad>", "<mask>"}), {&SpecialTokens::mask});
  EXPECT_EQ(special.drawText(0), 2);
  EXPECT_EQ(special.drawText(0xFFFFFFFFu), special.vocabulary - 1);
  json file = trained(false, {});
  int32_t size = int32_t(file["model"]["vocab"].size());
  file["added_tokens"] = {{{"id", size}, {"content", "<mask>"}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
                           {"normalized", false}, {"special", true}}};
  SpecialTokens last = specialOf(file, {&SpecialTokens::mask});
  EXPECT_EQ(last.drawText(0), 0);
  EXPECT_EQ(last.drawText(0xFFFFFFFFu), size - 1);
}

TEST_F(FileTokens, PairsAreFramedByThem) {
  write(trained(false, {"<pad>", "<s>", "</s>"}));
  writeFile(dir / "c.txt", "the cat\tthe mat\n");
  FedProgram program({{"data.src", HEDDLE_I32, {{"B", 1}, {"N", 5}}},
                      {"data.tgt", HEDDLE_I32, {{"B", 1}, {"T", 5}}},
                      {"data.next", HEDDLE_I32, {{"B", 1}, {"T", 5}}}});
  auto data = open(source("pairs"), program, false);
  data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
  std::vector<int32_t> from = encode("the cat"), to = encode("the mat");
  ASSERT_EQ(from.size(), 2u);
  ASSERT_EQ(to.size(), 2u);
  EXPECT_THAT(program.ints("data.src"), ElementsAre(from[0], from[1], 2, 0, 0));
  EXPECT_THAT(program.ints("data.tgt"), ElementsAre(1, to[0], to[1], 0, 0));
  EXPECT_THAT(program.ints("data.next"), ElementsAre(to[0], to[1], 2, 0, 0));
  EXPECT_EQ(data->tokenizer()->kind(), "bpe");
  EXPECT_EQ(describeData(config(source("pairs")), "").facts["vocabulary"], data->tokenizer()->size());
  expectPlannedMemory(source("pairs"));
}

TEST_F(FileTokens, LabelledTextsAreFramedByThem) {
  write(trained(false, {"<s>", "<pad>", "</s>", "<mask>"}));
  writeFile(dir / "c.txt", "the cat\tx\n\ty\n");
  FedProgram program({{"data.ids", HEDDLE_I32, {{"B", 2}, {"T", 5}}}, {"data.label", HEDDLE_I32, {{"B", 2}}}});
  auto data = open(source("labelled"), program, false);
  data->fillTraining(program.session(), program.entry(false), 1, 1, 0);
  std::vector<int32_t> ids = program.ints("data.ids"), text = encode("the cat");
  auto row = ids.begin() + (program.ints("data.label")[0] == 0 ? 0 : 5), empty = ids.begin() + (row == ids.begin() ? 5 : 0);
  EXPECT_THAT(std::vector(row, row + 5), ElementsAre(0, text[0], text[1], 2, 1));
  EXPECT_THAT(std::vector(empty, empty + 5), ElementsAre(0, 2, 1, 1, 1));
  expectPlannedMemory(source("labelled"));
}

TEST_F(FileTokens, InATextAreNeverMasked) {
  write(trained(true, {}));
  std::string text;
  for (int i = 0; i < 40; ++i) text += "the cat [SEP] sat on ☃ the mat [MASK] [PAD]\n\n   \n\n";  // blank documents are none
  writeFile(dir / "c.txt", text);
  std::vector<FedInput> inputs;
  for (const char* name : {"data.ids", "data.target"}) inputs.push_back({name, HEDDLE_I32, {{"B", 16}, {"T", 14}}});
  for (const char* name : {"data.chosen", "data.valid"}) inputs.push_back({name, HEDDLE_BOOL, {{"B", 16}, {"T", 14}}});
  FedProgram program(inputs);
  auto data = open(source("mlm"), program, false);
  auto size = int32_t(data->tokenizer()->size());
  double tokens = 0, chosen = 0, random = 0;
  for (int step = 1; step <= 300; ++step) {
    data->fillTraining(program.session(), program.entry(false), 7, step, 0);
    auto ids = program.ints("data.ids"), target = program.ints("data.target"), marks = program.ints("data.chosen"),
         valid = program.ints("data.valid");
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i % 14 == 0) { ASSERT_EQ(ids[i], 2); }
      if (!valid[i]) { ASSERT_EQ(ids[i], 0); }
      bool special = target[i] < 5;
      ASSERT_TRUE(!special || (!marks[i] && ids[i] == target[i]));
      tokens += !special, chosen += marks[i];
      if (!marks[i] || ids[i] == 4 || ids[i] == target[i]) continue;
      ASSERT_GE(ids[i], 5);
      ASSERT_LT(ids[i], size);
      random += 1;
    }
  }
  auto share = [](double count, double of, double p) { EXPECT_LT(std::fabs(count - of * p), 4 * std::sqrt(of * p * (1 - p))) << p; };
  share(chosen, tokens, 0.15);
  share(random, chosen, 0.1 * (1 - 1.0 / (size - 5)));
  EXPECT_EQ(describeData(config(source("mlm")), "").facts["vocabulary"], size);
  expectPlannedMemory(source("mlm", {{"next_sentence", true}}));
  writeFile(dir / "c.txt", " \n\n \n");
  EXPECT_THAT(openError(source("mlm"), program), HasSubstr("c.txt: has no text"));
}

TEST_F(FileTokens, TextsOfAnotherTokenizerAreOtherData) {
  std::vector<FedInput> inputs;
  for (const char* name : {"data.ids", "data.next"}) inputs.push_back({name, HEDDLE_I32, {{"B", 1}, {"T", 2}}});
  FedProgram program(inputs);
  for (const char* kind : {"text", "segments", "mlm"}) {
    writeFile(dir / "c.txt", "the cat sat on the mat");
    FedProgram one({{"data.ids", HEDDLE_I32, {{"B", 1}, {"T", 5}}}});
    write(trained(true, {}));
    auto first = open(source(kind), one, false);
    EXPECT_EQ(describeData(config(source(kind)), "").facts["vocabulary"], first->tokenizer()->size()) << kind;
    EXPECT_THAT(first->fingerprint(), HasSubstr("\"tokenizer\":\"wordpiece:")) << kind;
    EXPECT_THAT(openError(source(kind), one, false, {{"ranges", {{"data.ids", 9}}}}), HasSubstr("was compiled for the range of data.ids = 9")) << kind;
    expectPlannedMemory(source(kind));
    write(trained(true, {"[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"}));
    EXPECT_NE(first->fingerprint(), open(source(kind), one, false)->fingerprint()) << kind;
  }
  writeFile(dir / "c.txt", "  \n");
  EXPECT_THAT(openError(source("text"), program), HasSubstr("has 0 tokens"));
}

}  // namespace
}  // namespace heddle
