// See StageText.h. One pass over the bytes that knows strings and comments, and no more of the syntax.
#include "tools/heddle/StageText.h"
#include "passes/TensorSize.h"

#include "runtime/InputFile.h"
#include "runtime/RunError.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"

#include <cctype>
#include <cstdio>
#include <fmt/format.h>

namespace heddle {

namespace {

constexpr int kMostDepth = 200;                      // kernels need some 20
constexpr size_t kMostDigits = 64;                   // what is longer takes MLIR's parser quadratic time
constexpr size_t kMostResultDigits = 6;              // MLIR's parser makes room for all results up to the one that is read
constexpr size_t kMostBytes = size_t(64) << 20;

class Scan {
public:
  explicit Scan(std::string_view text) : text(text) {}

  std::optional<StageTextProblem> run() {
    while (at < text.size() && !problem)
      step();
    return problem;
  }

private:
  void fail(size_t where, std::string message) {
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < where; ++i)
      text[i] == '\n' ? (++line, column = 1) : ++column;
    problem = {line, column, std::move(message)};
  }

  void step() {
    char c = text[at];
    if (c == '\0')
      return fail(at, "the text holds a NUL byte");
    if (c == '"')
      return string();
    if (c == '/' && at + 1 < text.size() && text[at + 1] == '/') {
      at = std::min(text.find('\n', at), text.size());
      return;
    }
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_')
      return word();
    bool arrow = c == '>' && at > 0 && text[at - 1] == '-';
    if (c == '(' || c == '[' || c == '{' || c == '<') {
      if (++depth > kMostDepth)
        return fail(at, fmt::format("brackets nest more than {} deep", kMostDepth));
    } else if ((c == ')' || c == ']' || c == '}' || c == '>') && !arrow && depth > 0) {
      --depth;
    }
    ++at;
    if (c == '<')
      shape();
    if (c == '#')
      resultNumber();
  }

  // Strings do not span lines.
  void string() {
    for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
      if (text[at] == '\0')
        return fail(at, "the text holds a NUL byte");
      else if (text[at] == '\\')
        ++at;
    at = std::min(at + 1, text.size());
  }

  void word() {
    size_t begin = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_' || text[at] == '.'))
      ++at;
    std::string_view word = text.substr(begin, at - begin);
    if (std::isdigit(static_cast<unsigned char>(word[0])) && word.size() > kMostDigits)
      fail(begin, fmt::format("a number has more than {} digits", kMostDigits));
    if (word == "affine_map" || word == "affine_set")
      fail(begin, "no stage has affine maps");
  }

  // Behind `%name#`.
  void resultNumber() {
    size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    if (end - at > kMostResultDigits)
      fail(at, fmt::format("an op has fewer results than 10^{}", kMostResultDigits));
  }

  // Dims behind `<`: 4x16xf32, or [4]xf32.
  void shape() {
    int64_t product = 1;
    for (size_t i = at;; ++i) {
      if (i < text.size() && text[i] == '[')
        ++i;
      size_t first = i;
      int64_t size = 0;
      bool fits = true;
      for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i)
        fits &= !__builtin_mul_overflow(size, 10, &size) && !__builtin_add_overflow(size, text[i] - '0', &size);
      if (i == first)
        return;
      if (i < text.size() && text[i] == ']')
        ++i;
      if (i >= text.size() || text[i] != 'x')
        return;
      if (!fits || __builtin_mul_overflow(product, size, &product) || product > kMostElements)
        return fail(at, "a shape has more than 2^40 elements");
    }
  }

  std::string_view text;
  size_t at = 0;
  int depth = 0;
  std::optional<StageTextProblem> problem;
};

} // namespace

std::optional<StageTextProblem> checkStageText(std::string_view text) { return Scan(text).run(); }

namespace {

class LocationCheck {
public:
  std::string wrong;

  /// How many parts a location has as a tree, though it is shared as a graph.
  int64_t parts(mlir::Location location) {
    mlir::Attribute key = location;
    auto known = sizes.find(key);
    if (known != sizes.end())
      return known->second;
    int64_t size = 1;
    if (auto name = llvm::dyn_cast<mlir::NameLoc>(location)) {
      plain(name.getName());
      size += parts(name.getChildLoc());
    } else if (auto file = llvm::dyn_cast<mlir::FileLineColRange>(location)) {
      plain(file.getFilename());
    } else if (auto call = llvm::dyn_cast<mlir::CallSiteLoc>(location)) {
      size += parts(call.getCallee()) + parts(call.getCaller());
    } else if (auto fused = llvm::dyn_cast<mlir::FusedLoc>(location)) {
      for (mlir::Location part : fused.getLocations())
        size += parts(part);
    }
    size = std::min<int64_t>(size, 1001);
    if (size > 1000)
      wrong = "a place of it has more than 1000 parts";
    return sizes[key] = size;
  }

private:
  void plain(llvm::StringRef name) {
    if (!llvm::all_of(name, [](char c) { return llvm::isPrint(c) || (c & 0x80); }))
      wrong = "a name or file in its places holds a control character";
  }
  llvm::DenseMap<mlir::Attribute, int64_t> sizes;
};

} // namespace

std::string wrongLocation(mlir::ModuleOp module) {
  LocationCheck check;
  module->walk([&](mlir::Operation *op) {
    check.parts(op->getLoc());
    for (mlir::Region &region : op->getRegions())
      for (mlir::Block &block : region)
        for (mlir::BlockArgument argument : block.getArguments())
          check.parts(argument.getLoc());
  });
  return check.wrong;
}

std::string readStageText(const std::string &path) {
  auto tooLarge = [&] {
    return RunError(kData, fmt::format("{}: has more than {} bytes, the limit for the text of a stage", path, kMostBytes));
  };
  if (path != "-") {
    InputFile file(path);
    if (file.size() > kMostBytes)
      throw tooLarge();
    return file.readAll();
  }
  std::string text;
  char piece[65536];
  while (size_t got = std::fread(piece, 1, sizeof piece, stdin)) {
    text.append(piece, got);
    if (text.size() > kMostBytes)
      throw tooLarge();
  }
  if (std::ferror(stdin))
    throw RunError(kData, "standard input cannot be read");
  return text;
}

} // namespace heddle
