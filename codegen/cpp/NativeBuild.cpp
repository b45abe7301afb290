// The source goes to a folder of its own, under a fixed name, so that no path or name of the user's reaches the compiler but
// those of the parts. The result is made there too, and moved to its place when it is whole. The folder, which is also the
// compiler's TMPDIR, is removed afterwards, also when the compiler fails or is killed.
#include "codegen/cpp/NativeBuild.h"
#include "codegen/cpp/CppCompiler.h"
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/TemporaryFolder.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/TimeProfiler.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace heddle;
using llvm::StringRef, llvm::Error;
namespace fs = std::filesystem;

/// Moves `made` to `output`, which may be on another file system, a link, or a device.
static std::error_code moveTo(const fs::path &made, fs::path output) {
  std::error_code error;
  if (fs::is_symlink(output, error))
    if (fs::path real = fs::canonical(output, error); !error) output = real;
  if (fs::exists(output, error) && !fs::is_regular_file(output, error)) {  // a device is written to, never replaced
    std::ofstream device(output, std::ios::binary);
    device << std::ifstream(made, std::ios::binary).rdbuf() << std::flush;
    return device ? std::error_code() : std::error_code(errno, std::generic_category());
  }
  fs::rename(made, output, error);
  if (error != std::errc::cross_device_link) return error;
  fs::path beside = output;
  beside += ".new-" + std::to_string(getpid());
  fs::copy_file(made, beside, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(beside, output, error);
  std::error_code ignored;
  if (error) fs::remove(beside, ignored);
  return error;
}

static Error writeSource(const std::string &file, StringRef text) {
  std::error_code code;
  llvm::raw_fd_ostream stream(file, code);
  if (!code) stream << text;
  stream.close();
  if (!code && stream.has_error()) code = stream.error();
  stream.clear_error();
  if (code) return llvm::createStringError(code, "cannot write %s: %s", file.c_str(), code.message().c_str());
  return Error::success();
}

/// The flags of HEDDLE_CXXFLAGS, split at blanks.
static std::vector<std::string> extraFlags() {
  std::vector<std::string> flags;
  llvm::SmallVector<StringRef> words;
  if (const char *text = std::getenv("HEDDLE_CXXFLAGS")) StringRef(text).split(words, ' ', -1, /*KeepEmpty=*/false);
  for (StringRef word : words) flags.push_back(word.str());
  return flags;
}

Error heddle::buildNative(StringRef cppText, const NativeParts &parts, StringRef output, NativeKind kind) {
  auto folder = TemporaryFolder::make();
  if (!folder) return folder.takeError();
  auto compiler = findCppCompiler(*folder);
  if (!compiler) return compiler.takeError();
  std::string source = folder->file("program.cpp"), made = folder->file("program");
  if (Error error = writeSource(source, cppText)) return error;

  std::vector<std::string> extra = extraFlags(), arguments;
  for (const char *flag : cppFlags()) arguments.push_back(flag);
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  arguments.insert(arguments.end(), {"-iquote", folder->path()});
  for (const std::string &include : parts.includes) arguments.insert(arguments.end(), {"-I", include});
  arguments.push_back(source);
  bool sanitized = llvm::any_of(extra, [](StringRef flag) { return flag.starts_with("-fsanitize"); });
  if (kind == NativeKind::library) arguments.insert(arguments.end(), {"-DHEDDLE_AS_LIBRARY", "-shared", "-fPIC"});
  else arguments.insert(arguments.end(), {parts.runtimeLibrary, "-pthread"});
  if (kind == NativeKind::program && !sanitized) arguments.push_back("-static");
  arguments.insert(arguments.end(), {"-o", made});
  llvm::TimeTraceScope scope("native", "C++ compiler");
  if (Error error = runCompiler(*compiler, arguments, *folder)) return error;
  if (std::error_code code = moveTo(made, output.str()))
    return llvm::createStringError(code, "cannot write `%s`: %s", output.str().c_str(), code.message().c_str());
  return Error::success();
}
