// Short forms of types are replaced before MLIR sees the text: tests are read more often than the dialect's own syntax.
#include "tests/numeric/Graph.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>
#include <regex>

using namespace mlir;
using namespace heddle;

MLIRContext &heddle::testContext() {
  static MLIRContext *context = [] {
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    made->loadDialect<HeddleDialect, func::FuncDialect>();
    return made;
  }();
  return *context;
}

static std::string expand(StringRef text) {
  static const std::regex shortForm("!([fib])\\[([^\\]]*)\\]");
  std::string out, in = text.str();
  std::smatch match;
  while (std::regex_search(in, match, shortForm)) {
    const char *element = match[1] == "f" ? "f32" : match[1] == "i" ? "i32" : "i1";
    out += match.prefix().str() + "!heddle.tensor<[" + match[2].str() + "], " + element + ">";
    in = match.suffix();
  }
  return out + in;
}

OwningOpRef<ModuleOp> heddle::parseGraph(StringRef text) {
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(expand(text), &testContext());
  EXPECT_TRUE(module && succeeded(verify(*module))) << expand(text);
  return module;
}

std::string heddle::with(std::string text, const std::map<std::string, std::string> &values) {
  for (auto &[key, value] : values)
    for (size_t at; (at = text.find("$" + key)) != std::string::npos;) text.replace(at, key.size() + 1, value);
  return text;
}

Tensor heddle::tensorType(StringRef text) { return cast<Tensor>(parseType(expand(("!" + text).str()), &testContext())); }

Array heddle::array(StringRef type, std::vector<double> elements) {
  Array result(tensorType(type), std::move(elements));
  EXPECT_EQ(static_cast<int64_t>(result.elements.size()), result.type.getNumElements());
  return result;
}

func::FuncOp heddle::entryOf(ModuleOp module) { return *module.getOps<func::FuncOp>().begin(); }
