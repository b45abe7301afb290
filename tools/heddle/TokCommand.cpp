// heddle tok train | encode | decode: tokenizers without a model. `encode` and `decode` work line by line and as a stream,
// so that they can stand in a pipe; lines of ids are numbers with a space between, or JSON arrays.
#include "tools/heddle/SubCommand.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"
#include "runtime/Tokenizer.h"
#include "runtime/TokenizerTraining.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <memory>

namespace heddle {
namespace {

struct Flags {
  std::string tokenizer, input = "-", output, kind = "bpe";
  bool json = false, whole = false, skipSpecial = false;
  TrainingOptions training;
};

/// Calls line(text without its line end) for each line of a file or of stdin.
int forEachLine(const std::string &path, bool whole, const std::function<int(std::string_view)> &line) {
  bool standard = path == "-";
  std::FILE *file = standard ? stdin : std::fopen(path.c_str(), "rb");
  if (!file)
    return complain(exitInputOutput, fmt::format("cannot read `{}`: {}", path, std::strerror(errno)));
  std::string kept, buffer(size_t(1) << 16, '\0');
  int code = exitDone;
  for (size_t n; code == exitDone && (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    kept.append(buffer, 0, n);
    size_t start = 0;
    for (size_t end; !whole && code == exitDone && (end = kept.find('\n', std::max(start, kept.size() - n))) != std::string::npos;
         start = end + 1)
      code = line(std::string_view(kept).substr(start, end - start));
    kept.erase(0, start);
  }
  bool broken = std::ferror(file);
  int reason = errno;
  if (!standard)
    std::fclose(file);
  if (broken)
    return complain(exitInputOutput, fmt::format("cannot read `{}`: {}", path, std::strerror(reason)));
  return code == exitDone && (!kept.empty() || whole) ? line(kept) : code;
}

int encode(const Flags &flags) {
  try {
    Tokenizer tokenizer = Tokenizer::load(flags.tokenizer);
    return forEachLine(flags.input, flags.whole, [&](std::string_view text) {
      std::string out = flags.json ? "[" : "";
      const char *between = flags.json ? "," : " ";
      for (int32_t id : tokenizer.encode(text, flags.input))
        out += fmt::format("{}{}", out.size() > flags.json ? between : "", id);
      return writeOutput("", out + (flags.json ? "]\n" : "\n"));
    });
  } catch (const RunError &problem) {
    return complain(problem);
  }
}

/// The ids of a line: whole numbers between spaces, commas and brackets.
std::vector<int32_t> readIds(std::string_view line, size_t number, const Tokenizer &tokenizer) {
  std::vector<int32_t> ids;
  for (size_t at = 0; (at = line.find_first_not_of(" \t\r,[]", at)) != std::string_view::npos;) {
    size_t end = std::min(line.find_first_of(" \t\r,[]", at), line.size());
    std::string_view word = line.substr(at, end - at);
    int64_t id = -1;
    auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || stop != word.data() + word.size() || id < 0 || id >= tokenizer.size())
      throw RunError(kData, fmt::format("line {}: `{}` is no id: they are 0 to {}", number, word.substr(0, 40),
                                        tokenizer.size() - 1));
    ids.push_back(int32_t(id));
    at = end;
  }
  return ids;
}

int decode(const Flags &flags) {
  try {
    Tokenizer tokenizer = Tokenizer::load(flags.tokenizer);
    size_t number = 0;
    return forEachLine(flags.input, false, [&](std::string_view line) {
      std::string out;
      Tokenizer::Decoder decoder(tokenizer);
      for (int32_t id : readIds(line, ++number, tokenizer))
        if (!flags.skipSpecial || !tokenizer.isSpecial(id))
          out += decoder.next(id);
      return writeOutput("", out + "\n");
    });
  } catch (const RunError &problem) {
    return complain(problem);
  }
}

int train(const Flags &flags) {
  if (int code = checkOutput(flags.output, {flags.input}); code != exitDone)
    return code;
  try {
    TrainingOptions options = flags.training;
    options.wordPiece = flags.kind == "wordpiece";
    TrainedTokenizer trained = trainTokenizer(InputFile(flags.input), options);
    if (trained.tokens < options.vocabularySize)
      fmt::print(stderr, "heddle: note: {} tokens: the text has nothing more to merge\n", trained.tokens);
    return writeOutput(flags.output, trained.json);
  } catch (const RunError &problem) {
    return complain(problem);
  }
}

} // namespace

SubCommand addTokCommand(CLI::App &root) {
  auto flags = std::make_shared<Flags>();
  CLI::App *app = root.add_subcommand("tok", "train a tokenizer; text to ids and back");

  CLI::App *trainApp = app->add_subcommand("train", "make a tokenizer.json from a text");
  trainApp->add_option("CORPUS", flags->input, "text file")->required();
  trainApp->add_option("-o,--output", flags->output, "tokenizer.json to write; - is stdout")->required();
  trainApp->add_option("--kind", flags->kind, "bpe (byte-level) or wordpiece")->check(CLI::IsMember({"bpe", "wordpiece"}));
  trainApp->add_option("--vocab-size", flags->training.vocabularySize, "tokens, special ones included")->required();
  trainApp->add_option("--special", flags->training.special,
                       "special tokens, which get the first ids (wordpiece: [PAD] [UNK] [CLS] [SEP] [MASK])");
  trainApp->add_option("--min-frequency", flags->training.minFrequency, "least count of a pair that is merged (default 0)");
  trainApp->add_flag("--lowercase", flags->training.lowercase, "wordpiece: lower case, without accents");
  trainApp->add_flag("--add-prefix-space", flags->training.addPrefixSpace, "bpe: a space before a text that has none");

  CLI::App *encodeApp = app->add_subcommand("encode", "ids of each line of a text");
  encodeApp->add_option("TOKENIZER", flags->tokenizer, "tokenizer.json")->required();
  encodeApp->add_option("FILE", flags->input, "text; - or nothing is stdin");
  encodeApp->add_flag("--json", flags->json, "JSON arrays");
  encodeApp->add_flag("--whole", flags->whole, "the text as one, line ends included");

  CLI::App *decodeApp = app->add_subcommand("decode", "text of each line of ids");
  decodeApp->add_option("TOKENIZER", flags->tokenizer, "tokenizer.json")->required();
  decodeApp->add_option("FILE", flags->input, "ids; - or nothing is stdin");
  decodeApp->add_flag("--skip-special", flags->skipSpecial, "leave special tokens out");
  return {app, [=] {
            if (*trainApp)
              return train(*flags);
            if (*encodeApp)
              return encode(*flags);
            if (*decodeApp)
              return decode(*flags);
            fmt::print(stderr, "{}", app->help("heddle"));
            return complain(exitUsage, "which command of `heddle tok`?");
          }};
}

} // namespace heddle
