// The source goes to a folder of its own, under a fixed name, so that no path or name of the user's reaches the compiler but as
// one argument. The folder is removed afterwards, also when the compiler fails.
#include "codegen/cpp/NativeBuild.h"
#include "codegen/cpp/EmitCpp.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <optional>

using namespace heddle;
using llvm::StringRef, llvm::Error, llvm::Expected;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static std::string under(StringRef folder, StringRef a, StringRef b = "") {
  llvm::SmallString<256> result(folder);
  path::append(result, a, b);
  path::remove_dots(result, /*remove_dot_dot=*/true);
  return std::string(result);
}

Expected<NativeParts> heddle::findNativeParts(StringRef executable) {
  struct Layout {
    std::string library, include;
  };
  std::vector<Layout> layouts;
  const char *home = std::getenv("HEDDLE_HOME");
  if (home && *home) {
    layouts.push_back({under(home, "lib", "libheddle_runtime.a"), under(home, "include")});
  } else {
    llvm::SmallString<256> real;
    StringRef command = fs::real_path(executable, real) ? executable : StringRef(real);
    std::string prefix = path::parent_path(path::parent_path(command)).str();  // of PREFIX/bin/heddle
    layouts.push_back({under(prefix, "lib/heddle", "libheddle_runtime.a"), under(prefix, "include/heddle")});
    layouts.push_back({under(prefix, "lib", "libheddle_runtime.a"), under(prefix, "..")});  // a build tree
  }
  std::string missing;
  for (const Layout &layout : layouts) {
    std::vector<std::string> absent;
    if (!fs::exists(layout.library)) absent.push_back(layout.library);
    for (const char *header : {"runtime/Abi.h", "runtime/Kernel.h", "runtime/NativeMain.h"})
      if (!fs::exists(under(layout.include, header))) absent.push_back(under(layout.include, header));
    bool highway = false;
    for (StringRef folder : {StringRef(layout.include), StringRef("/usr/include"), StringRef("/usr/local/include")})
      highway |= fs::exists(under(folder, "hwy/highway.h"));
    if (!highway) absent.push_back(under(layout.include, "hwy/highway.h") + " (nor in /usr/include, /usr/local/include)");
    if (absent.empty()) return NativeParts{layout.library, {layout.include}};
    for (const std::string &file : absent) missing += "\n  no " + file;
  }
  return llvm::createStringError("what a native program is built from is missing:%s\nset HEDDLE_HOME to a folder with "
                                 "lib/libheddle_runtime.a and include/runtime, include/hwy", missing.c_str());
}

/// $CXX split at blanks (it may hold a launcher), or c++, found on PATH.
static Expected<std::vector<std::string>> compilerCommand() {
  std::vector<std::string> words;
  if (const char *cxx = std::getenv("CXX")) {
    llvm::SmallVector<StringRef> parts;
    StringRef(cxx).split(parts, ' ', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts) words.push_back(part.str());
  }
  if (words.empty()) words.push_back("c++");
  auto found = llvm::sys::findProgramByName(words[0]);
  if (!found)
    return llvm::createStringError("there is no C++ compiler '%s' on PATH; install one or name it in CXX", words[0].c_str());
  words[0] = *found;
  return words;
}

Error heddle::buildNative(StringRef cppText, const NativeParts &parts, StringRef output, NativeKind kind) {
  auto words = compilerCommand();
  if (!words) return words.takeError();
  llvm::SmallString<128> folder;
  if (std::error_code code = fs::createUniqueDirectory("heddle", folder))
    return llvm::createStringError(code, "cannot make a temporary folder: %s", code.message().c_str());
  llvm::scope_exit removeFolder([&] { fs::remove_directories(folder); });
  std::string source = under(folder, "program.cpp"), messages = under(folder, "messages");
  {
    std::error_code code;
    llvm::raw_fd_ostream stream(source, code);
    stream << cppText;
    stream.close();
    if (code || stream.has_error()) return llvm::createStringError("cannot write %s", source.c_str());
  }

  for (const char *flag : cppFlags()) words->push_back(flag);
  words->insert(words->end(), {"-iquote", std::string(folder)});
  for (const std::string &include : parts.includes) words->insert(words->end(), {"-I", include});
  words->push_back(source);
  if (kind == NativeKind::program) words->insert(words->end(), {parts.runtimeLibrary, "-static", "-pthread"});
  else words->insert(words->end(), {"-DHEDDLE_AS_LIBRARY", "-shared", "-fPIC"});
  // A path that starts with '-' would read as an option.
  std::string target = path::is_absolute(output) ? output.str() : "./" + output.str();
  words->insert(words->end(), {"-o", target});

  std::vector<StringRef> argv(words->begin(), words->end());
  std::string failure;
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(messages), StringRef(messages)};
  int status = llvm::sys::ExecuteAndWait(argv[0], argv, std::nullopt, redirects, 0, 0, &failure);
  if (status == 0) return Error::success();
  auto said = llvm::MemoryBuffer::getFile(messages);
  std::string text = failure + (said ? (*said)->getBuffer().take_front(4000).str() : "");
  return llvm::createStringError("the C++ compiler %s failed:\n%s", argv[0].str().c_str(), text.c_str());
}
