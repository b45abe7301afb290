// How a text is continued: by the command `sample`, and while training.
#ifndef HEDDLE_RUNTIME_SAMPLEOPTIONS_H
#define HEDDLE_RUNTIME_SAMPLEOPTIONS_H
#include <cstdint>
#include <optional>
#include <string>

namespace heddle {

struct SampleOptions {
  std::optional<std::string> prompt;  // a new line by default, or token 0 where the vocabulary has none
  int64_t tokens = 300;    // to add to the prompt
  double temperature = 1;  // 0: always the likeliest token
  int64_t topK = 0;        // draw among the K likeliest only; 0: all
  uint64_t seed = 0;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_SAMPLEOPTIONS_H
