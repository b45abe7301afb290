// Every key is read or refused. Ids are without holes: the model's vocabulary is 0 to n - 1, and an added token that the
// model does not have takes the next one, which is what the package gives it whatever the file says.
#include "runtime/TokenizerFile.h"

#include "runtime/JsonPlace.h"
#include "runtime/RunError.h"

#include <fmt/format.h>

namespace heddle {
namespace {

constexpr int64_t kMostTokens = int64_t(1) << 24;
constexpr int kMaxDepth = 16;  // the format itself needs 6

std::string inQuotes(const std::string& text) { return nlohmann::json(text).dump(-1, ' ', true); }

// Settings that may only say that they are off.
void wantOff(const JsonPlace& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    JsonPlace member = object.at(key);
    if (!member.isNull() && member.raw() != false && member.raw() != "") member.unsupported();
  }
}

std::string typeOf(const JsonPlace& object) { return object.isNull() ? "" : object.at("type").text(""); }

struct Reader {
  const JsonPlace& root;
  TokenizerFile& out;

  void readModel() {
    JsonPlace model = root.at("model");
    if (!model.raw().is_object()) model.refuse(model.isNull() ? "is missing" : model.shown() + " is not an object");
    std::string type = typeOf(model);
    if (type.empty())  // as files of the package's first versions
      type = model.raw().contains("merges") ? "BPE" : model.raw().contains("max_input_chars_per_word") ? "WordPiece" : "";
    if (type.empty()) model.refuse("says no \"type\"");
    if (type == "BPE")
      readBpe(model);
    else if (type == "WordPiece")
      readWordPiece(model);
    else
      model.at("type").unsupported();
  }

  void readVocabulary(const JsonPlace& place) {
    if (!place.raw().is_object()) place.refuse(place.isNull() ? "is missing" : place.shown() + " is not an object");
    auto n = int64_t(place.raw().size());
    if (n == 0) place.refuse("is empty");
    if (n > kMostTokens) place.refuse(fmt::format("has {} tokens; at most {}", n, kMostTokens));
    out.tokens.resize(size_t(n));
    out.modelSize = size_t(n);
    std::vector<bool> taken(size_t(n), false);
    for (auto& [token, id] : place.raw().items()) {
      auto at = [&] { return JsonPlace(id, root.name(), fmt::format("model.vocab[{}]", inQuotes(token))); };
      if (!id.is_number_unsigned() || id > INT32_MAX) at().whole(0, INT32_MAX);
      int64_t i = id;
      if (i >= n) at().refuse(fmt::format("is {}, but {} tokens have ids 0 to {}, without holes", i, n, n - 1));
      if (taken[size_t(i)]) at().refuse(fmt::format("is {}, as is the one of {}", i, inQuotes(out.tokens[size_t(i)])));
      taken[size_t(i)] = true;
      out.tokens[size_t(i)] = token;
      out.ids.emplace(token, int32_t(i));
    }
  }

  int32_t idOf(const std::string& token) const {
    auto found = out.ids.find(token);
    return found == out.ids.end() ? -1 : found->second;
  }

  int32_t known(const JsonPlace& place, const std::string& token) const {
    int32_t id = idOf(token);
    if (id < 0) place.refuse(fmt::format("{} is not in the vocabulary", inQuotes(token)));
    return id;
  }

  void readBpe(const JsonPlace& model) {
    out.model = TokenizerFile::Model::kBpe;
    model.onlyKeys({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                    "byte_fallback", "ignore_merges", "vocab", "merges"});
    wantOff(model, {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"});
    readVocabulary(model.at("vocab"));
    JsonPlace unknown = model.at("unk_token");
    if (!unknown.isNull()) out.bpe.unknown = known(unknown, unknown.text());
    out.bpe.fuseUnknown = model.at("fuse_unk").flag(false);
    for (size_t b = 0; b < 256; ++b) out.byteIds[b] = idOf(byteCharacters()[b]);
    readMerges(model.at("merges"));
  }

  void readMerges(const JsonPlace& list) {
    std::unordered_map<uint64_t, size_t> ranks;
    size_t n = list.size();
    out.merges.reserve(n);
    for (size_t i = 0; i < n; ++i) {
      JsonPlace place = list.at(i);
      auto [left, right] = pairOf(place);
      BpeMerge merge{known(place, left), known(place, right), idOf(left + right)};
      if (merge.merged < 0)
        place.refuse(fmt::format("{} and {} make {}, which is not in the vocabulary", inQuotes(left), inQuotes(right),
                                 inQuotes(left + right)));
      auto [rank, fresh] = ranks.try_emplace(uint64_t(uint32_t(merge.left)) << 32 | uint32_t(merge.right), i);
      if (!fresh) place.refuse(fmt::format("is the same merge as {}[{}]", "model.merges", rank->second));
      out.merges.push_back(merge);
    }
  }

  static std::pair<std::string, std::string> pairOf(const JsonPlace& place) {
    if (place.raw().is_array()) {
      if (place.size() != 2) place.refuse(fmt::format("{} is not a pair of tokens", place.shown()));
      return {place.at(size_t(0)).text(), place.at(1).text()};
    }
    std::string text = place.text();
    size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      place.refuse(fmt::format("{} is not two tokens with a space between", place.shown()));
    return {text.substr(0, space), text.substr(space + 1)};
  }

  void readWordPiece(const JsonPlace& model) {
    out.model = TokenizerFile::Model::kWordPiece;
    model.onlyKeys({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
    readVocabulary(model.at("vocab"));
    JsonPlace unknown = model.at("unk_token");
    out.unknown = known(unknown, unknown.text());
    out.prefix = model.at("continuing_subword_prefix").text();
    out.maxChars = uint64_t(model.at("max_input_chars_per_word").whole(0, INT64_MAX));
  }

  void readNormalizer() {
    JsonPlace normalizer = root.at("normalizer");
    if (normalizer.isNull()) return;
    if (out.model == TokenizerFile::Model::kBpe || typeOf(normalizer) != "BertNormalizer") normalizer.unsupported();
    normalizer.onlyKeys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    out.normalizer.cleanText = normalizer.at("clean_text").flag();
    out.normalizer.handleChineseChars = normalizer.at("handle_chinese_chars").flag();
    out.normalizer.lowercase = normalizer.at("lowercase").flag();
    out.normalizer.stripAccents = normalizer.at("strip_accents").flag(out.normalizer.lowercase);
  }

  void readPreTokenizer() {
    JsonPlace pre = root.at("pre_tokenizer");
    bool bpe = out.model == TokenizerFile::Model::kBpe;
    if (typeOf(pre) != (bpe ? "ByteLevel" : "BertPreTokenizer")) pre.unsupported();
    if (!bpe) return pre.onlyKeys({"type"});
    pre.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    out.bpe.addPrefixSpace = pre.at("add_prefix_space").flag();
    pre.at("trim_offsets").flag(true);  // of offsets, which are not given
    out.bpe.useRegex = pre.at("use_regex").flag(true);
  }

  void readDecoder() {
    JsonPlace decoder = root.at("decoder");
    if (decoder.isNull()) return;
    std::string type = typeOf(decoder);
    if (type == "ByteLevel" && out.model == TokenizerFile::Model::kBpe) {
      decoder.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"});  // none matters to decoding
      for (const char* key : {"add_prefix_space", "trim_offsets", "use_regex"}) decoder.at(key).flag(true);
      out.decoder = TokenizerFile::Decoder::kByteLevel;
    } else if (type == "WordPiece" && out.model == TokenizerFile::Model::kWordPiece) {
      decoder.onlyKeys({"type", "prefix", "cleanup"});
      out.decoder = TokenizerFile::Decoder::kWordPiece;
      out.decoderPrefix = decoder.at("prefix").text();
      out.decoderCleanup = decoder.at("cleanup").flag();
    } else {
      decoder.unsupported();
    }
  }

  void readAddedTokens() {
    JsonPlace list = root.at("added_tokens");
    if (list.isNull()) return;
    AddedTokenFinder plain, normalized;
    for (size_t i = 0, n = list.size(); i < n; ++i) {
      JsonPlace place = list.at(i);
      place.onlyKeys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
      AddedToken token;
      token.content = place.at("content").text();
      token.singleWord = place.at("single_word").flag();
      token.lstrip = place.at("lstrip").flag();
      token.rstrip = place.at("rstrip").flag();
      token.normalized = place.at("normalized").flag();
      token.special = place.at("special").flag();
      token.id = int32_t(place.at("id").whole(0, INT32_MAX));
      if (token.content.empty()) place.at("content").refuse("is empty");
      takeId(place, token);
      std::string pattern = token.normalized ? out.normalizer.normalize(token.content) : token.content;
      if (pattern.empty()) place.at("content").refuse("the normalizer leaves nothing of it");
      AddedTokenFinder& finder = token.normalized ? normalized : plain;
      if (finder.has(pattern)) place.at("content").refuse(fmt::format("{} is added twice", inQuotes(pattern)));
      finder.add(pattern, token);
      out.added.push_back(token);
    }
  }

  void takeId(const JsonPlace& place, const AddedToken& token) {
    auto next = int32_t(out.tokens.size());
    int32_t own = idOf(token.content);
    if (own >= 0 && token.id != own)
      place.at("id").refuse(fmt::format("is {}, but {} has id {} in the vocabulary", token.id, inQuotes(token.content), own));
    if (own < 0 && token.id != next)
      place.at("id").refuse(fmt::format("is {}, but the next id after the vocabulary of {} is {}", token.id, next, next),
                            "ids are without holes, in the order of the list");
    if (own >= 0) return;
    out.tokens.push_back(token.content);
    out.ids.emplace(token.content, next);
  }

  // Post-processors add special tokens around a text, which here is the choice of who asks for ids: they are read for
  // which tokens those are.
  void readPostProcessor(const JsonPlace& post, bool inside = false) {
    if (post.isNull()) return;
    std::string type = typeOf(post);
    if (type == "Sequence" && !inside) {
      post.onlyKeys({"type", "processors"});
      for (size_t i = 0, n = post.at("processors").size(); i < n; ++i) readPostProcessor(post.at("processors").at(i), true);
    } else if (type == "ByteLevel") {
      post.onlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    } else if (type == "RobertaProcessing" || type == "BertProcessing") {
      bool roberta = type == "RobertaProcessing";
      roberta ? post.onlyKeys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}) : post.onlyKeys({"type", "sep", "cls"});
      for (const char* key : {"sep", "cls"}) {
        JsonPlace pair = post.at(key);
        if (pair.size() != 2) pair.refuse("is not a pair of token and id");
        (key == std::string_view("cls") ? out.classToken : out.separatorToken) = special(pair.at(size_t(0)), pair.at(1));
      }
    } else if (type == "TemplateProcessing") {
      post.onlyKeys({"type", "single", "pair", "special_tokens"});
      JsonPlace specials = post.at("special_tokens");
      if (!specials.raw().is_object()) specials.refuse("is not an object");
      for (auto& [name, unused] : specials.raw().items()) {
        JsonPlace entry = specials.at(name), ids = entry.at("ids"), tokens = entry.at("tokens");
        entry.onlyKeys({"id", "ids", "tokens"});
        if (ids.size() != tokens.size()) entry.refuse("has not as many ids as tokens");
        for (size_t i = 0; i < ids.size(); ++i) special(tokens.at(i), ids.at(i));
      }
      for (const char* key : {"single", "pair"})
        for (size_t i = 0, n = post.at(key).size(); i < n; ++i) templatePart(post.at(key).at(i), specials);
      readTemplate(post.at("single"), specials);
    } else {
      post.unsupported();
    }
  }

  static void templatePart(const JsonPlace& part, const JsonPlace& specials) {
    part.onlyKeys({"SpecialToken", "Sequence"});
    JsonPlace special = part.at("SpecialToken");
    if (special.isNull()) return;
    std::string name = special.at("id").text();
    if (!specials.raw().contains(name)) special.at("id").refuse(fmt::format("{} is not in special_tokens", inQuotes(name)));
  }

  // The first token before a text, and the first behind it.
  void readTemplate(const JsonPlace& single, const JsonPlace& specials) {
    bool behind = false;
    for (size_t i = 0, n = single.size(); i < n; ++i) {
      JsonPlace part = single.at(i).at("SpecialToken");
      behind = behind || part.isNull();
      if (part.isNull()) continue;
      JsonPlace tokens = specials.at(part.at("id").text()).at("ids");
      int32_t& token = behind ? out.separatorToken : out.classToken;
      if (token < 0 && tokens.size() == 1) token = int32_t(tokens.at(size_t(0)).whole(0, INT32_MAX));
    }
  }

  int32_t special(const JsonPlace& token, const JsonPlace& id) const {
    int64_t i = id.whole(0, INT32_MAX);
    if (i >= int64_t(out.tokens.size()))
      id.refuse(fmt::format("is {}, but the vocabulary has {} tokens", i, out.tokens.size()));
    if (out.tokens[size_t(i)] != token.text())
      token.refuse(fmt::format("is {}, but id {} is {}", token.shown(), i, inQuotes(out.tokens[size_t(i)])));
    return int32_t(i);
  }
};

}  // namespace

TokenizerFile TokenizerFile::parse(const std::string& text, const std::string& where) {
  if (text.empty()) throw RunError(kData, fmt::format("{}: is empty", where));
  nlohmann::json json = parseJson(text, where, kMaxDepth);
  JsonPlace root(json, where);
  root.onlyKeys({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                 "decoder", "model"});
  if (root.at("version").text("1.0") != "1.0") root.at("version").unsupported();
  for (const char* key : {"truncation", "padding"})
    if (!root.at(key).isNull()) root.at(key).refuse("is not supported", "set it to null: whoever asks for ids cuts and pads");
  TokenizerFile file;
  Reader reader{root, file};
  reader.readModel();
  reader.readNormalizer();
  reader.readPreTokenizer();
  reader.readDecoder();
  reader.readAddedTokens();
  reader.readPostProcessor(root.at("post_processor"));
  file.json = json.dump();
  return file;
}

}  // namespace heddle
