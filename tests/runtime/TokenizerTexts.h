// The texts that tests/reference/tokenizer_ids.py asked the package `tokenizers` about, made again: random fragments of
// words, scripts, emoji, spaces, control characters, broken UTF-8, combining marks, numbers and added tokens.
#pragma once
#include <string>
#include <vector>

namespace heddle::testing {

/// Where the reference's files are.
std::string tokenizerFolder();

/// 10,000 random texts, and 272 that have 4,096 code points each: all there are.
std::vector<std::string> tokenizerTexts();

}  // namespace heddle::testing
