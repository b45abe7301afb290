// Words are counted once; then a merge touches only the words that hold its pair. A heap gives the next pair; its entries
// carry the count of when they were pushed, and one that is outdated goes back with the new count. All of this follows the
// package's BpeTrainer, whose merges are to be met exactly, its peculiarity included: a token that two pairs can make
// (ab+c, a+bc) may be pushed twice, each entry with the words of its time.
#include "runtime/TokenizerTraining.h"

#include "runtime/ByteLevelBpe.h"
#include "runtime/InputFile.h"
#include "runtime/RunError.h"
#include "runtime/Utf8.h"
#include "runtime/WordPiece.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <unordered_map>

namespace heddle {
namespace {

constexpr char kPrefix[] = "##", kUnknown[] = "[UNK]";

using Pair = uint64_t;  // ids, left in the high half: pairs sort by left, then right
Pair pairOf(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }

struct Word {
  std::vector<int32_t> symbols;
  int64_t count;
};

struct Candidate {
  int64_t count;
  Pair pair;
  uint32_t words;  // which list of words
  bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : pair > other.pair; }
};

class Trainer {
public:
  explicit Trainer(const TrainingOptions& options) : options(options) {
    normalizer = {true, true, options.lowercase, options.lowercase};
  }

  void count(const InputFile& corpus) {
    std::string line, buffer(size_t(1) << 18, '\0');
    for (uint64_t at = 0; at < corpus.size();) {
      size_t n = size_t(std::min<uint64_t>(buffer.size(), corpus.size() - at));
      corpus.read(at, buffer.data(), n);
      for (size_t start = 0, end; start < n; start = end) {
        size_t found = buffer.find('\n', start);
        bool whole = found < n;
        end = whole ? found + 1 : n;
        line.append(buffer, start, end - start);
        if (whole) countLine(line), line.clear();
      }
      at += n;
    }
    countLine(line);
  }

  void train() {
    for (const std::string& token : options.special) add(token);
    alphabet();
    if (int64_t(tokens.size()) > options.vocabularySize)
      throw RunError(kUsage, fmt::format("--vocab-size {}: special tokens and the alphabet are {} already",
                                         options.vocabularySize, tokens.size()));
    for (size_t i = 0; i < words.size(); ++i) countPairs(words[i], uint32_t(i));
    pushFresh();
    while (int64_t(tokens.size()) < options.vocabularySize && !queue.empty()) {
      Candidate best = queue.top();
      queue.pop();
      if (int64_t now = pairs[best.pair]; now != best.count) {
        best.count = now;
        queue.push(best);
        continue;
      }
      if (best.count < 1 || best.count < options.minFrequency) break;
      merge(best);
    }
  }

  TrainedTokenizer write() const;

private:
  void countLine(const std::string& line) {
    std::string text = isUtf8(line) ? line : replaceInvalidUtf8(line);
    if (options.wordPiece)
      return forEachBertWord(normalizer.normalize(text), [&](std::string_view word) { ++counted[std::string(word)]; });
    if (options.addPrefixSpace && !text.empty() && text[0] != ' ') text.insert(0, 1, ' ');
    for (size_t at = 0, end; at < text.size(); at = end) {
      end = gpt2WordEnd(text, at);
      ++counted[text.substr(at, end - at)];
    }
  }

  int32_t add(const std::string& token) {
    auto [found, fresh] = ids.try_emplace(token, int32_t(tokens.size()));
    if (fresh) tokens.push_back(token);
    return found->second;
  }

  // The alphabet in the order of its code points, and then (WordPiece) what of it continues words; words become ids of it.
  void alphabet() {
    std::map<uint32_t, std::string> first, behind;
    if (!options.wordPiece) {
      for (const std::string& character : byteCharacters()) {
        uint32_t point;
        decodeUtf8(character, 0, point);
        first[point] = character;
      }
    }
    std::vector<std::vector<std::string>> spelled;
    for (auto& [text, count] : counted) {
      std::vector<std::string> letters;
      uint32_t point;
      if (!options.wordPiece)
        for (char c : text) letters.push_back(byteCharacters()[uint8_t(c)]);
      for (size_t at = 0, length; options.wordPiece && at < text.size(); at += length) {
        length = std::max<size_t>(decodeUtf8(text, at, point), 1);
        std::string letter = text.substr(at, length);
        first[point] = letter;
        if (at > 0) letter = behind[point] = kPrefix + letter;
        letters.push_back(letter);
      }
      spelled.push_back(std::move(letters));
      words.push_back({{}, count});
    }
    counted.clear();
    for (auto& [point, token] : first) add(token);
    for (auto& [point, token] : behind) add(token);
    for (size_t i = 0; i < words.size(); ++i)
      for (const std::string& letter : spelled[i]) words[i].symbols.push_back(ids.at(letter));
  }

  void change(Pair pair, int64_t count, uint32_t word) {
    pairs[pair] += count;
    if (count <= 0) return;
    std::vector<uint32_t>& list = fresh[pair];
    if (list.empty() || list.back() != word) list.push_back(word);
  }

  void countPairs(const Word& word, uint32_t index) {
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i)
      change(pairOf(word.symbols[i], word.symbols[i + 1]), word.count, index);
  }

  void pushFresh() {
    for (auto& [pair, list] : fresh) {
      int64_t count = pairs[pair];
      if (count <= 0) continue;
      queue.push({count, pair, uint32_t(lists.size())});
      lists.push_back(std::move(list));
    }
    fresh.clear();
  }

  void merge(const Candidate& best) {
    auto left = int32_t(best.pair >> 32), right = int32_t(best.pair & 0xFFFFFFFF);
    std::string end = tokens[size_t(right)];
    if (options.wordPiece && end.starts_with(kPrefix)) end.erase(0, sizeof kPrefix - 1);
    int32_t merged = add(tokens[size_t(left)] + end);
    merges.push_back(best.pair);
    for (uint32_t index : lists[best.words]) mergeIn(words[index], index, left, right, merged);
    std::vector<uint32_t>().swap(lists[best.words]);
    pushFresh();
  }

  void mergeIn(Word& word, uint32_t index, int32_t left, int32_t right, int32_t merged) {
    std::vector<int32_t>& s = word.symbols;
    size_t to = 0;
    for (size_t at = 0; at < s.size(); ++at) {
      if (s[at] != left || at + 1 == s.size() || s[at + 1] != right) {
        s[to++] = s[at];
        continue;
      }
      if (to > 0) {
        change(pairOf(s[to - 1], left), -word.count, index);
        change(pairOf(s[to - 1], merged), word.count, index);
      }
      s[to++] = merged;
      ++at;
      if (at + 1 == s.size()) continue;
      change(pairOf(right, s[at + 1]), -word.count, index);
      change(pairOf(merged, s[at + 1]), word.count, index);
    }
    s.resize(to);
  }

  const TrainingOptions& options;
  BertNormalizer normalizer;
  std::map<std::string, int64_t> counted;  // sorted: nothing depends on the order of a hash
  std::vector<Word> words;
  std::vector<std::string> tokens;
  std::unordered_map<std::string, int32_t> ids;
  std::unordered_map<Pair, int64_t> pairs;                 // how often each stands in the words now
  std::unordered_map<Pair, std::vector<uint32_t>> fresh;   // where pairs came to be since pushFresh()
  std::vector<std::vector<uint32_t>> lists;                // words of the queue's entries
  std::priority_queue<Candidate> queue;
  std::vector<Pair> merges;
};

TrainedTokenizer Trainer::write() const {
  using Json = nlohmann::ordered_json;
  Json added = Json::array(), vocabulary = Json::object(), list = Json::array();
  for (size_t i = 0; i < options.special.size(); ++i)
    added.push_back({{"id", ids.at(options.special[i])}, {"content", options.special[i]}, {"single_word", false},
                     {"lstrip", false}, {"rstrip", false}, {"normalized", false}, {"special", true}});
  auto& entries = vocabulary.get_ref<Json::object_t&>();  // a vector, whose own emplace() would look for the key
  for (size_t i = 0; i < tokens.size(); ++i) entries.emplace_back(tokens[i], i);
  // A pair that was merged twice counts where it was merged last, as in the package.
  std::set<Pair> seen;
  for (size_t i = merges.size(); i-- > 0;)
    if (seen.insert(merges[i]).second) list.push_back({tokens[merges[i] >> 32], tokens[merges[i] & 0xFFFFFFFF]});
  std::reverse(list.begin(), list.end());
  Json byteLevel = {{"type", "ByteLevel"}, {"add_prefix_space", options.addPrefixSpace}, {"trim_offsets", true},
                    {"use_regex", true}};
  Json json = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added}};
  if (options.wordPiece) {
    json["normalizer"] = {{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true},
                          {"strip_accents", nullptr}, {"lowercase", options.lowercase}};
    json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    json["post_processor"] = nullptr;
    json["decoder"] = {{"type", "WordPiece"}, {"prefix", kPrefix}, {"cleanup", true}};
    json["model"] = {{"type", "WordPiece"}, {"unk_token", kUnknown}, {"continuing_subword_prefix", kPrefix},
                     {"max_input_chars_per_word", 100}, {"vocab", vocabulary}};
  } else {
    json["normalizer"] = nullptr;
    json["pre_tokenizer"] = byteLevel;
    json["post_processor"] = nullptr;
    json["decoder"] = byteLevel;
    json["decoder"]["add_prefix_space"] = true;  // of no effect; what the package writes
    json["model"] = {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr},
                     {"continuing_subword_prefix", nullptr}, {"end_of_word_suffix", nullptr}, {"fuse_unk", false},
                     {"byte_fallback", false}, {"ignore_merges", false}, {"vocab", vocabulary}, {"merges", list}};
  }
  return {json.dump(2) + "\n", int64_t(tokens.size())};
}

void checkOptions(TrainingOptions& options) {
  if (options.vocabularySize < 1 || options.vocabularySize > int64_t(1) << 24)
    throw RunError(kUsage, fmt::format("--vocab-size {}: 1 to {}", options.vocabularySize, int64_t(1) << 24));
  if (options.minFrequency < 0) throw RunError(kUsage, fmt::format("--min-frequency {} is negative", options.minFrequency));
  if (options.lowercase && !options.wordPiece)
    throw RunError(kUsage, "--lowercase: byte-level BPE keeps every byte", "it is of --kind wordpiece");
  if (options.addPrefixSpace && options.wordPiece)
    throw RunError(kUsage, "--add-prefix-space: WordPiece does not see spaces", "it is of --kind bpe");
  if (options.wordPiece && options.special.empty()) options.special = {"[PAD]", kUnknown, "[CLS]", "[SEP]", "[MASK]"};
  std::set<std::string> seen;
  for (const std::string& token : options.special) {
    if (token.empty() || !isUtf8(token)) throw RunError(kUsage, "--special: a special token is empty or not UTF-8");
    if (!seen.insert(token).second) throw RunError(kUsage, fmt::format("--special {} is given twice", token));
  }
  if (options.wordPiece && !seen.count(kUnknown))
    throw RunError(kUsage, fmt::format("--special: WordPiece needs {}", kUnknown), "it stands for words that cannot be cut");
}

}  // namespace

TrainedTokenizer trainTokenizer(const InputFile& corpus, const TrainingOptions& given) {
  TrainingOptions options = given;
  checkOptions(options);
  if (corpus.size() == 0) throw RunError(kData, fmt::format("{}: is empty", corpus.path()));
  Trainer trainer(options);
  trainer.count(corpus);
  trainer.train();
  return trainer.write();
}

}  // namespace heddle
