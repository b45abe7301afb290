// C++ names for what the user named: nothing of a source file reaches emitted code unescaped.
#pragma once
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace heddle {

/// `name` with everything but letters, digits and single inner underscores replaced, and not a word of C++, of Highway
/// or of runtime/Kernel.h. Empty becomes `value`.
std::string cppIdentifier(llvm::StringRef name);

/// Hands out names that are unique in one scope: x, x_2, x_3, ...
class NameScope {
 public:
  std::string fresh(llvm::StringRef name);

 private:
  llvm::StringMap<unsigned> taken;
};

/// A C string literal of `text`, quotes included; all but printable ASCII is escaped.
std::string cppString(llvm::StringRef text);
/// `text` as the inside of a line comment: printable ASCII without backslashes.
std::string cppComment(llvm::StringRef text);

}  // namespace heddle
