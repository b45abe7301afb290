// Where a text may be cut: between a character that is no space, and a space. Words of both models end there whatever
// follows, and the next word starts there whatever stands before: GPT-2's pattern looks one character ahead and never
// back, and BertPreTokenizer splits at every space. A character in front of the space keeps NFD from sorting across it.
//
// Added tokens see the same on both sides of such a place. A match cannot lie across it if no token has a space in it.
// `single_word` finds no word behind the left piece, and never looks back from the start of the right one, which is a
// space. `lstrip` stops at the character that is no space. Only `rstrip` would reach over it. Text behind an added token
// gets its prefix space anew, so a text is not cut right behind one. A tokenizer with added tokens that hold spaces or
// strip them on the right, or without a pattern (use_regex), is not cut at all.
#include "runtime/SubwordTokenizer.h"

#include "runtime/Unicode.h"
#include "runtime/Utf8.h"

#include <algorithm>

namespace heddle {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";  // U+FFFD

bool hasSpace(std::string_view text) {
  uint32_t point;
  for (size_t at = 0, length; at < text.size(); at += length) {
    length = decodeUtf8(text, at, point);
    if (length == 0) return true;
    if (charClasses()[point] & kSpace) return true;
  }
  return false;
}

std::string replaceAll(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
  return text;
}

// The WordPiece decoder's `cleanup`, as the package has it.
std::string cleanUp(std::string text) {
  static constexpr std::pair<const char*, const char*> changes[] = {
      {" .", "."},    {" ?", "?"},     {" !", "!"},          {" ,", ","},    {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto& [from, to] : changes) text = replaceAll(std::move(text), from, to);
  return text;
}

}  // namespace

SubwordTokenizer::SubwordTokenizer(TokenizerFile file) : parts(std::move(file)) {
  bool isBpe = parts.model == TokenizerFile::Model::kBpe;
  cuts = !isBpe || parts.bpe.useRegex;
  texts = parts.tokens;
  for (const AddedToken& token : parts.added) {
    std::string pattern = token.normalized ? parts.normalizer.normalize(token.content) : token.content;
    (token.normalized ? normalized : plain).add(pattern, token);
    texts[size_t(token.id)] = pattern;  // what stood in the text, as far as can be known
    cuts &= !token.rstrip && !hasSpace(pattern) && !hasSpace(token.content);
    cuts &= !parts.bpe.addPrefixSpace || pattern.find(kReplacement) == std::string::npos;  // unseen in broken UTF-8
  }
  if (parts.decoder == TokenizerFile::Decoder::kByteLevel)
    for (std::string& text : texts) text = bytesOfToken(text);
  std::vector<std::string> own(parts.tokens.begin(), parts.tokens.begin() + std::ptrdiff_t(parts.modelSize));
  if (isBpe)
    bpe.emplace(parts.bpe, parts.byteIds, parts.merges);
  else
    wordPiece.emplace(own, parts.prefix, parts.unknown, parts.maxChars);
}

void SubwordTokenizer::encode(std::string_view text, bool continued, std::vector<int32_t>& ids) const {
  std::string repaired;
  if (!isUtf8(text)) text = repaired = replaceInvalidUtf8(text);
  if (plain.empty()) return text.empty() ? void() : encodePart(text, continued, ids);
  for (const AddedTokenFinder::Part& part : plain.split(text)) {
    if (part.id >= 0)
      ids.push_back(part.id);
    else
      encodePart(part.text, continued, ids);
    continued = false;  // text behind an added token starts anew
  }
}

void SubwordTokenizer::encodePart(std::string_view text, bool continued, std::vector<int32_t>& ids) const {
  std::string changed;
  if (wordPiece) text = changed = parts.normalizer.normalize(text);
  if (normalized.empty()) return encodeWords(text, continued, ids);
  for (const AddedTokenFinder::Part& part : normalized.split(text)) {
    if (part.id >= 0)
      ids.push_back(part.id);
    else
      encodeWords(part.text, continued, ids);
    continued = false;
  }
}

void SubwordTokenizer::encodeWords(std::string_view text, bool continued, std::vector<int32_t>& ids) const {
  if (bpe)
    bpe->encode(text, continued, ids);
  else
    wordPiece->encode(text, ids);
}

bool SubwordTokenizer::endsWithAdded(std::string_view text) const {
  if (!parts.bpe.addPrefixSpace) return false;
  return std::any_of(parts.added.begin(), parts.added.end(), [&](const AddedToken& a) { return text.ends_with(a.content); });
}

size_t SubwordTokenizer::cut(std::string_view text) const {
  for (size_t at = text.size(); cuts && at-- > 1;) {
    auto next = uint8_t(text[at]);
    if (next != '\n' && next != ' ') continue;  // of all spaces, those of one byte that most texts have
    size_t start = at - 1;
    while (start > 0 && at - start < 4 && (uint8_t(text[start]) & 0xC0) == 0x80) --start;
    uint32_t point = 0xFFFD;  // what is not UTF-8 becomes that, which is no space
    if (decodeUtf8(text, start, point) != at - start) point = 0xFFFD;
    if (!(charClasses()[point] & kSpace) && !endsWithAdded(text.substr(0, at))) return at;
  }
  return 0;
}

std::string SubwordTokenizer::decode(int32_t token, bool first) const {
  if (token < 0 || size_t(token) >= parts.tokens.size()) return {};
  std::string text = texts[size_t(token)];
  if (!first && parts.decoder != TokenizerFile::Decoder::kByteLevel) {
    bool joins = parts.decoder == TokenizerFile::Decoder::kWordPiece && text.starts_with(parts.decoderPrefix);
    joins ? text.erase(0, parts.decoderPrefix.size()) : text.insert(0, 1, ' ');
  }
  return parts.decoderCleanup ? cleanUp(std::move(text)) : text;
}

}  // namespace heddle
