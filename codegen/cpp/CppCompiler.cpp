// The version is asked of the preprocessor, not of --version, whose text every vendor words differently.
#include "codegen/cpp/CppCompiler.h"
#include "codegen/cpp/TemporaryFolder.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <cstdlib>
#include <cstring>

using namespace heddle;
using llvm::StringRef, llvm::Error, llvm::Expected;

char CompilerInterrupted::ID = 0;

static constexpr const char *kOther = "install g++, or name another in CXX";

static Expected<std::vector<std::string>> compilerCommand() {
  std::vector<std::string> words;
  const char *cxx = std::getenv("CXX");
  if (cxx && llvm::sys::fs::can_execute(cxx)) {
    words.push_back(cxx);  // a path with blanks in it
  } else if (cxx) {
    llvm::SmallVector<StringRef> parts;
    StringRef(cxx).split(parts, ' ', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts) words.push_back(part.str());
  }
  if (words.empty()) words.push_back("c++");
  auto found = llvm::sys::findProgramByName(words[0]);
  if (!found)
    return llvm::createStringError("there is no C++ compiler '%s' on PATH; %s", words[0].c_str(), kOther);
  words[0] = *found;
  return words;
}

Error heddle::runCompiler(const CppCompiler &compiler, llvm::ArrayRef<std::string> arguments,
                          const TemporaryFolder &folder) {
  std::vector<std::string> argv = compiler.command;
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  ChildEnd end = runChild(argv, folder.path());
  if (end.succeeded()) return Error::success();
  if (end.interrupted) return llvm::make_error<CompilerInterrupted>();
  const char *name = argv[0].c_str();
  if (!end.notStarted.empty())
    return llvm::createStringError("the C++ compiler %s cannot be run: %s; %s", name, end.notStarted.c_str(), kOther);
  if (end.signal)
    return llvm::createStringError("the C++ compiler %s was ended by signal %d (%s)%s%s%s", name, end.signal,
                                   strsignal(end.signal), end.signal == SIGKILL ? ", perhaps for want of memory" : "",
                                   end.output.empty() ? "" : ":\n", end.output.c_str());
  return llvm::createStringError("the C++ compiler %s failed (exit code %d):\n%s", name, end.exitCode,
                                 end.output.c_str());
}

Expected<CppCompiler> heddle::findCppCompiler(const TemporaryFolder &folder) {
  auto words = compilerCommand();
  if (!words) return words.takeError();
  CppCompiler compiler{*words, ""};
  std::string source = folder.file("version.cpp");
  {
    std::error_code code;
    llvm::raw_fd_ostream stream(source, code);
    stream << "#if defined __clang__\nheddle_compiler Clang __clang_major__ __clang_minor__\n"
              "#elif defined __GNUC__\nheddle_compiler GCC __GNUC__ __GNUC_MINOR__\n#endif\n";
    stream.close();
    if (code || stream.has_error()) {
      stream.clear_error();
      return llvm::createStringError("cannot write %s", source.c_str());
    }
  }
  std::string answer = folder.file("version.txt");
  if (Error error = runCompiler(compiler, {"-E", source, "-o", answer}, folder)) return error;
  auto text = llvm::MemoryBuffer::getFile(answer);
  StringRef said = text ? (*text)->getBuffer() : "";
  size_t at = said.find("\nheddle_compiler ");
  llvm::SmallVector<StringRef> parts;
  if (at != StringRef::npos) said.substr(at + 1).take_until([](char c) { return c == '\n'; }).split(parts, ' ');
  unsigned major = 0;
  if (parts.size() < 4 || parts[2].getAsInteger(10, major))
    return llvm::createStringError("%s is not a C++ compiler of the kind that Heddle knows (GCC or Clang); %s",
                                   compiler.command[0].c_str(), kOther);
  compiler.version = (parts[1] + " " + parts[2] + "." + parts[3]).str();
  if (major < (parts[1] == "GCC" ? 11u : 12u))
    return llvm::createStringError("the C++ compiler %s is %s; native programs need GCC 11 or Clang 12: %s",
                                   compiler.command[0].c_str(), compiler.version.c_str(), kOther);
  return compiler;
}
