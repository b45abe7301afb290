// See SpecialTokens.h. Of the tokens of a file, only those that it marks as special are found by their names: "<s>" may
// as well be a piece of text that was merged.
#include "runtime/SpecialTokens.h"

#include "runtime/RunError.h"
#include "runtime/TokenizerFile.h"

#include <fmt/format.h>

#include <algorithm>

namespace heddle {
namespace {

struct Name {
  SpecialTokens::Part part;
  const char* use;
  std::vector<const char*> names;  // the first that a file has
  const char *bpe, *wordPiece;     // what a new one is called
};

const std::vector<Name>& names() {
  using S = SpecialTokens;
  static const std::vector<Name> all = {
      {&S::pad, "padding", {"[PAD]", "<pad>", "<|pad|>", "<|padding|>"}, "<pad>", "[PAD]"},
      {&S::begin, "the begin of a text",
       {"<s>", "<bos>", "[BOS]", "<begin>", "<|begin_of_text|>", "<|startoftext|>", "<|begin|>", "[CLS]", "<cls>"}, "<s>", "[CLS]"},
      {&S::end, "the end of a text",
       {"</s>", "<eos>", "[EOS]", "<end>", "<|end_of_text|>", "<|endoftext|>", "<|end|>", "[SEP]", "<sep>"}, "</s>", "[SEP]"},
      {&S::unknown, "what is unknown", {"[UNK]", "<unk>"}, "<unk>", "[UNK]"},
      {&S::mask, "what is masked", {"[MASK]", "<mask>", "<|mask|>"}, "<mask>", "[MASK]"},
      {&S::separator, "the end of a stretch of text",
       {"[SEP]", "<sep>", "</s>", "<eos>", "[EOS]", "<end>", "<|end_of_text|>", "<|endoftext|>", "<|end|>"}, "</s>", "[SEP]"},
      {&S::whole, "a whole text",
       {"[CLS]", "<cls>", "<s>", "<bos>", "[BOS]", "<begin>", "<|begin_of_text|>", "<|startoftext|>", "<|begin|>"}, "<s>", "[CLS]"},
  };
  return all;
}

}  // namespace

const SpecialTokens::Part SpecialTokens::kOfPairs[] = {&SpecialTokens::begin, &SpecialTokens::end, &SpecialTokens::pad};

SpecialTokens::SpecialTokens(const Tokenizer& tokenizer, const RunConfig& config, std::span<const Part> needed)
    : vocabulary(tokenizer.size()) {
  if (const TokenizerFile* file = tokenizer.file()) {
    ofFile(*file);
    refuseMissing(*file, config, needed);
  } else {
    for (int32_t* token : {&pad, &begin, &end, &unknown, &mask, &separator}) *token = int32_t(vocabulary++);
    whole = begin;
    ids = {pad, begin, end, unknown, mask, separator};
  }
}

void SpecialTokens::ofFile(const TokenizerFile& file) {
  begin = whole = file.classToken;
  end = separator = file.separatorToken;
  unknown = file.model == TokenizerFile::Model::kBpe ? file.bpe.unknown : file.unknown;
  for (const Name& row : names())
    for (const char* name : row.names)
      for (const AddedToken& added : file.added)
        if (this->*row.part < 0 && added.special && added.content == name) this->*row.part = added.id;
  for (const AddedToken& added : file.added)
    if (added.special) ids.push_back(added.id);
  for (const Name& row : names())
    if (this->*row.part >= 0) ids.push_back(this->*row.part);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

void SpecialTokens::refuseMissing(const TokenizerFile& file, const RunConfig& config, std::span<const Part> needed) const {
  std::string missing, flags;
  for (const Name& row : names()) {
    if (this->*row.part >= 0 || std::find(needed.begin(), needed.end(), row.part) == needed.end()) continue;
    std::string name = file.model == TokenizerFile::Model::kBpe ? row.bpe : row.wordPiece;
    missing += fmt::format("{}{} for {}", missing.empty() ? "" : ", ", name, row.use);
    flags += fmt::format(" --special \"{}\"", name);
  }
  if (!missing.empty())
    throw RunError(kData, fmt::format("tokenizer '{}' lacks special tokens that `{}` needs: {}", config.data.tokenizer,
                                      config.data.kind, missing),
                   fmt::format("add them, to those that it has, when it is made: `heddle tok train{}`", flags));
  if (vocabulary == int64_t(ids.size()))
    throw RunError(kData, fmt::format("tokenizer '{}' has no tokens but special ones", config.data.tokenizer));
}

bool SpecialTokens::contains(int32_t token) const { return std::binary_search(ids.begin(), ids.end(), token); }

int32_t SpecialTokens::drawText(uint32_t random) const {
  auto token = int32_t(uint64_t(random) * (uint64_t(vocabulary) - ids.size()) >> 32);
  for (size_t i = 0; i < ids.size() && ids[i] <= token; ++i) token += 1;
  return token;
}

}  // namespace heddle
