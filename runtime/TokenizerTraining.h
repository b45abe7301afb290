// Makes a tokenizer.json from a text, by counting pairs and merging the most frequent one, again and again (Sennrich et
// al. 2016); WordPiece too, as the package `tokenizers` has it.
#ifndef HEDDLE_RUNTIME_TOKENIZERTRAINING_H
#define HEDDLE_RUNTIME_TOKENIZERTRAINING_H
#include <cstdint>
#include <string>
#include <vector>

namespace heddle {

class InputFile;

struct TrainingOptions {
  bool wordPiece = false;            // else byte-level BPE
  int64_t vocabularySize = 0;        // tokens, special ones and the alphabet included
  int64_t minFrequency = 0;          // pairs that are rarer are not merged
  std::vector<std::string> special;  // get the first ids; WordPiece has its own where there are none
  bool lowercase = false;            // WordPiece: lower case, without accents
  bool addPrefixSpace = false;       // BPE
};

struct TrainedTokenizer {
  std::string json;  // a tokenizer.json
  int64_t tokens;    // fewer than asked for if the text has nothing more to merge
};

/// The text is taken line by line, as the package's `train` takes a file. Of pairs that are equally frequent the one with
/// the lowest ids comes first. Byte-level BPE gives the merges of the package's BpeTrainer with its initial alphabet of all
/// bytes. Throws RunError: kUsage for options that contradict each other, kData for an empty text.
TrainedTokenizer trainTokenizer(const InputFile& corpus, const TrainingOptions& options);

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_TOKENIZERTRAINING_H
