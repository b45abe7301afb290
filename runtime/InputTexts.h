// Texts that a command is given: one by itself, or lines of a file or of standard input.
#ifndef HEDDLE_RUNTIME_INPUTTEXTS_H
#define HEDDLE_RUNTIME_INPUTTEXTS_H
#include "runtime/Unlabelled.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle {

class InputTexts {
public:
  /// Reads it all. An empty line is an empty text: results are told from each other by their lines. Throws RunError(kData),
  /// if there is no text too.
  explicit InputTexts(const UnlabelledInput& input);

  const std::string& name() const { return source; }  // "--text", "standard input" or the file, in errors
  size_t size() const { return starts.size(); }
  std::string_view text(size_t i) const;
  /// "in.txt: line 3"
  std::string place(size_t i) const;

private:
  std::string source, content;
  bool lines;
  std::vector<size_t> starts;
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_INPUTTEXTS_H
