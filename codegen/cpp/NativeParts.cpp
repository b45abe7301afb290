// Versions are read from the files themselves, the headers' macros and the stamp in the library (runtime/Version.cpp), so
// that no list of what was installed can disagree with what is there. A part of another version is refused before anything
// is compiled: the linker's words for it would help nobody.
#include "codegen/cpp/NativeParts.h"
#include "runtime/Abi.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <array>
#include <cstdlib>
#include <optional>

using namespace heddle;
using llvm::StringRef, llvm::Twine;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static std::string under(StringRef folder, StringRef relative) {
  llvm::SmallString<256> result(folder);
  path::append(result, relative);
  return std::string(result);
}

static std::string libraryUnder(StringRef root) { return under(root, "lib/heddle/libheddle_runtime.a"); }
static std::string includeUnder(StringRef root) { return under(root, "include/heddle"); }

std::string heddle::nativeRoot(StringRef executable) {
  llvm::SmallString<256> root;
  if (const char *home = std::getenv("HEDDLE_HOME"); home && *home) {
    root = home;
    fs::make_absolute(root);  // a relative one that starts with '-' would read as an option
    return std::string(root);
  }
  if (fs::real_path(executable, root)) root = executable;
  return path::parent_path(path::parent_path(root)).str();
}

static std::string versionText(StringRef version, StringRef abi) {
  return ("Heddle " + version + ", ABI " + abi).str();
}
static std::string ownVersion() { return versionText(HEDDLE_VERSION, std::to_string(HEDDLE_ABI_VERSION)); }

/// What follows `#define NAME` on its line.
static std::optional<std::string> macro(StringRef text, StringRef name) {
  size_t at = text.find(("#define " + name + " ").str());
  if (at == StringRef::npos) return std::nullopt;
  StringRef line = text.substr(at).take_until([](char c) { return c == '\n'; });
  return line.drop_front(name.size() + 9).split("//").first.trim(" \t\r\"").str();
}

/// The text of a file, or a problem.
static std::optional<std::string> read(const std::string &file, std::vector<std::string> &problems) {
  auto buffer = llvm::MemoryBuffer::getFile(file);
  if (buffer && (*buffer)->getBufferSize()) return (*buffer)->getBuffer().str();
  problems.push_back(!buffer && buffer.getError() == std::errc::no_such_file_or_directory ? "no " + file
                     : buffer ? file + " is empty" : "cannot read " + file + ": " + buffer.getError().message());
  return std::nullopt;
}

static NativePart inspectLibrary(const std::string &file) {
  NativePart part{"runtime library", file, {}};
  auto text = read(file, part.problems);
  if (!text) return part;
  StringRef stamp("heddle runtime "), bytes(*text);
  size_t at = bytes.find(stamp);
  if (!bytes.starts_with("!<arch>\n") || at == StringRef::npos) {
    part.problems.push_back(file + " is not a library of Heddle's runtime");
    return part;
  }
  StringRef said = bytes.substr(at + stamp.size()).take_until([](char c) { return c == 0; });
  auto [version, abi] = said.rtrim('.').split(", ABI ");
  std::string found = versionText(version.take_front(20), abi.take_front(10));
  part.found += " (" + found + ")";
  if (found != ownVersion()) part.problems.push_back(file + " is of " + found + "; this command is " + ownVersion());
  return part;
}

static NativePart inspectHeaders(const std::string &folder) {
  NativePart part{"runtime headers", under(folder, "runtime"), {}};
  std::string abi = under(folder, "runtime/Abi.h");
  auto text = read(abi, part.problems);
  for (const char *header : {"runtime/Kernel.h", "runtime/NativeMain.h"}) read(under(folder, header), part.problems);
  if (!text) return part;
  auto version = macro(*text, "HEDDLE_VERSION"), number = macro(*text, "HEDDLE_ABI_VERSION");
  if (!version || !number) {
    part.problems.push_back(abi + " does not say its version");
    return part;
  }
  std::string found = versionText(*version, *number);
  part.found += " (" + found + ")";
  if (found != ownVersion()) part.problems.push_back(abi + " is of " + found + "; this command is " + ownVersion());
  return part;
}

static NativePart inspectHighway(const std::string &include) {
  NativePart part{"Highway", "", {}};
  std::string header;
  for (StringRef folder : {StringRef(include), StringRef("/usr/include"), StringRef("/usr/local/include")})
    if (fs::exists(under(folder, "hwy/highway.h"))) {
      header = under(folder, "hwy/highway.h");
      break;
    }
  if (header.empty()) {
    part.problems.push_back("no " + under(include, "hwy/highway.h") + " (nor in /usr/include, /usr/local/include)");
    return part;
  }
  part.found = path::parent_path(header).str();
  auto text = read(header, part.problems);
  read(under(part.found, "foreach_target.h"), part.problems);
  if (!text) return part;
  // 1.0.3 is the oldest that emitted programs are tested with: Debian 12's.
  const std::array<unsigned, 3> oldest = {1, 0, 3};
  std::array<unsigned, 3> version;
  const char *names[] = {"HWY_MAJOR", "HWY_MINOR", "HWY_PATCH"};
  for (size_t i = 0; i < 3; ++i) {
    auto value = macro(*text, names[i]);
    if (!value || StringRef(*value).getAsInteger(10, version[i])) {
      part.problems.push_back(header + " does not say its version");
      return part;
    }
  }
  std::string said = std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2]);
  part.found += " (" + said + ")";
  if (version < oldest) part.problems.push_back(header + " is version " + said + "; 1.0.3 or later is needed");
  return part;
}

std::vector<NativePart> heddle::inspectNativeParts(StringRef executable) {
  std::string root = nativeRoot(executable);
  return {inspectLibrary(libraryUnder(root)), inspectHeaders(includeUnder(root)), inspectHighway(includeUnder(root))};
}

llvm::Expected<NativeParts> heddle::findNativeParts(StringRef executable) {
  std::string wrong, root = nativeRoot(executable);
  for (const NativePart &part : inspectNativeParts(executable))
    for (const std::string &problem : part.problems) wrong += "\n  " + problem;
  if (wrong.empty()) return NativeParts{libraryUnder(root), {includeUnder(root)}};
  bool home = std::getenv("HEDDLE_HOME") && *std::getenv("HEDDLE_HOME");
  return llvm::createStringError(
      "what a native program is built from is missing or wrong:%s\n%s", wrong.c_str(),
      home ? "HEDDLE_HOME names that folder: unset it, or set it to where this version of Heddle is installed"
           : "install Heddle again, or set HEDDLE_HOME to where this version of it is installed");
}
