// Reads a text document by document: what stands between two separators, without line breaks at its ends; empty ones are
// passed over. Holds one document at a time.
#ifndef HEDDLE_RUNTIME_DOCUMENTREADER_H
#define HEDDLE_RUNTIME_DOCUMENTREADER_H
#include "runtime/FileHash.h"
#include "runtime/InputFile.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace heddle {

class DocumentReader {
public:
  /// Throws RunError(kData), for an empty file too. `separator` is not empty.
  DocumentReader(const std::string& path, std::string separator);

  /// Reads the next document; false at the end.
  bool next();
  std::string_view text() const { return {buffer.data() + from, length}; }
  /// "corpus.txt: the document at byte 1234".
  std::string place() const;
  /// Of all bytes, at the end of the file.
  uint64_t hash() const { return state.digest(); }

private:
  bool more();

  InputFile file;
  FileHash state;
  std::string separator, buffer;
  uint64_t read = 0, dropped = 0;       // bytes that came into the buffer, and that left it at its start
  size_t from = 0, length = 0, at = 0;  // the document in the buffer; where the next one starts
};

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DOCUMENTREADER_H
