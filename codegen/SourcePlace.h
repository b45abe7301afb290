// Where an op comes from, as locations keep it: NameLoc of what the user called it, over file:line:column.
#pragma once
#include "mlir/IR/Location.h"
#include <string>

namespace heddle {

/// File (its last component) and line, or an empty file if the location holds none; and the file's whole path, since a program
/// may have files of one name in several folders.
struct SourcePlace {
  std::string file;
  unsigned line = 0;
  std::string path;
  explicit operator bool() const { return !file.empty(); }
  /// "gpt.heddle:33", or "".
  std::string text() const;
  bool operator==(const SourcePlace &) const = default;
};

/// The place in the source that an op's location leads to; of a fused location the first.
SourcePlace sourcePlace(mlir::Location location);
/// Every place that a location leads to, each once, in order.
llvm::SmallVector<SourcePlace> sourcePlaces(mlir::Location location);
/// What the user called the value, or "".
llvm::StringRef userName(mlir::Location location);

}  // namespace heddle
