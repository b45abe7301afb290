// The small texts that travel inside of other files, and the corpus. The first byte says which:
//   c   heddle.config, the JSON of docs/runtime.md: it comes with --from out of a text file. RunConfig::parse takes it
//       or throws RunError
//   t   heddle.tokenizer out of a checkpoint: what it makes prints as JSON that makes the same
//   j   a tokenizer.json and, behind its last '}', a text: read or refused; what it makes survives its own JSON, gives ids
//       of its vocabulary, and the same ones for a text that is cut where it may be
//   else  a corpus: its tokens decode to the same bytes, and a batch of it holds tokens of its vocabulary
#include "Budget.h"
#include "MemoryFile.h"

#include "runtime/DataSource.h"
#include "runtime/RunConfig.h"
#include "runtime/RunError.h"
#include "runtime/SubwordTokenizer.h"
#include "runtime/Tokenizer.h"
#include "tests/runtime/TinyProgram.h"

using namespace heddle;
using namespace heddle::fuzz;

namespace {

void config(const std::string &text) {
  try {
    RunConfig::parse(text.c_str());
  } catch (const RunError &) {
  }
}

void tokenizer(const std::string &text) {
  try {
    Tokenizer read = Tokenizer::fromJson(text);
    if (Tokenizer::fromJson(read.toJson()).toJson() != read.toJson())
      finding("a tokenizer does not survive its own JSON");
    for (int32_t token : {-1, 0, 1, 255, 256, 2147483647})
      read.decode(token);
    read.encode(text, "input");
  } catch (const RunError &error) {
    if (error.exitCode != kData)
      finding(error.text());
  }
}

void tokenizerFile(const std::string &input) {
  size_t end = input.rfind('}') + 1; // 0 if there is none
  std::string text = input.substr(end);
  try {
    TokenizerFile file = TokenizerFile::parse(input.substr(0, end), "input");
    if (TokenizerFile::parse(file.json, "input").json != file.json)
      finding("a tokenizer does not survive its own JSON");
    auto size = int32_t(file.tokens.size());
    SubwordTokenizer made(std::move(file));
    std::vector<int32_t> whole, pieces;
    made.encode(text, false, whole);
    size_t cut = made.cut(text);
    made.encode(std::string_view(text).substr(0, cut), false, pieces);
    made.encode(std::string_view(text).substr(cut), cut > 0, pieces);
    if (pieces != whole)
      finding("a text that is cut has other ids");
    for (int32_t id : whole) {
      if (id < 0 || id >= size)
        finding("an id out of the vocabulary");
      made.decode(id, id % 2);
    }
  } catch (const RunError &error) {
    if (error.exitCode != kData)
      finding(error.text());
  }
}

void corpus(const std::string &text, const std::string &kind) {
  try {
    Tokenizer made = Tokenizer::of(kind, text, "input");
    std::string back;
    for (int32_t token : made.encode(text, "input"))
      back += made.decode(token);
    if (back != text)
      finding("tokens do not decode to their text");
    MemoryFile bytes(reinterpret_cast<const uint8_t *>(text.data()), text.size());
    TokenizerInfo told = describe(bytes.path, kind);
    if (told.vocabularySize != made.size())
      finding("two sizes of one vocabulary");
    RunConfig config;
    config.data.kind = "text", config.data.path = bytes.path, config.data.tokenizer = kind, config.data.split = 0.5;
    config.ranges = {{"data.ids", made.size()}, {"data.next", made.size()}};
    static HeddleProgram program = tiny::make("{}");
    static Session session(program, 1);
    const HeddleEntry &entry = session.entry("train");
    auto source = openDataSource(config, bytes.path);
    source->check(session, entry, false);
    source->fillTraining(session, entry, ~uint64_t(0), 2147483647, 0);
    source->check(session, entry, true);
    source->fillEvaluation(session, entry, 6, 7);
    auto *ids = static_cast<const int32_t *>(session.memory(*session.findInput(entry, "data.ids")));
    for (int64_t i = 0; i < tiny::B * tiny::T; ++i)
      if (ids[i] < 0 || ids[i] >= made.size())
        finding("a batch holds token " + std::to_string(ids[i]));
  } catch (const RunError &error) {
    if (error.exitCode != kData)
      finding(error.text());
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Budget budget;
  if (size == 0)
    return 0;
  std::string text(reinterpret_cast<const char *>(data) + 1, size - 1);
  if (data[0] == 'c')
    config(text);
  else if (data[0] == 't')
    tokenizer(text);
  else if (data[0] == 'j')
    tokenizerFile(text);
  else
    corpus(text, data[0] % 2 ? "char" : "byte");
  return 0;
}
