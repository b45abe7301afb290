// Loop nests against the interpreter, on every target class that this machine runs: what one op alone does not reach
// (passes over a row, scratch, columns, merged and permuted dims, masks of positions, random masks), at sizes around
// the number of lanes. The same bits must come from one thread and from three.
#include "codegen/llvm/Jit.h"
#include "passes/Pipeline.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Graph.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace heddle;

namespace {
struct NestCase {
  std::string name, arguments, results, body;  // results: "%z: !f[A=2], ..."
  int bound = 5;                               // of integer inputs
};

std::vector<NestCase> nestCases() {
  std::vector<NestCase> cases;
  for (int n : {1, 5, 16, 33, 128, 1000})
    for (bool columns : {false, true}) {
      std::string size = std::to_string(n);
      std::map<std::string, std::string> types{
          {"F", "!f[A=7, B=" + size + "]"}, {"M", "!b[A=7, B=" + size + "]"},   {"X", columns ? "A" : "B"},
          {"R", columns ? "!f[B=" + size + "]" : "!f[A=7]"}, {"G", columns ? "!f[A=7]" : "!f[B=" + size + "]"},
          {"I", columns ? "!i[B=" + size + "]" : "!i[A=7]"}, {"J", "!i[A=7, B=" + size + "]"}};
      auto add = [&](const char *name, const char *arguments, const char *results, const char *body) {
        cases.push_back({std::string(name) + (columns ? "_columns_" : "_rows_") + size, with(arguments, types),
                         with(results, types), with(body, types)});
      };
      add("norm", "%x: $F, %r: $F, %g: $G", "%z: $F, %s: $F, %m: $R", R"(
        %s = heddle.add %x, %r : ($F, $F) -> $F
        %n = heddle.constant 0.125 : !f[]
        %t = heddle.reduce "sum" %s over ["$X"] : ($F) -> $R
        %m = heddle.mul %t, %n : ($R, !f[]) -> $R
        %c = heddle.sub %s, %m : ($F, $R) -> $F
        %q = heddle.mul %c, %c : ($F, $F) -> $F
        %v = heddle.reduce "sum" %q over ["$X"] : ($F) -> $R
        %e = heddle.constant 0.5 : !f[]
        %w = heddle.add %v, %e : ($R, !f[]) -> $R
        %i = heddle.rsqrt %w : ($R) -> $R
        %y = heddle.mul %c, %i : ($F, $R) -> $F
        %z = heddle.mul %y, %g : ($F, $G) -> $F)");
      add("softmax", "%x: $F", "%z: $F", R"(%z = heddle.softmax %x over "$X" : ($F) -> $F)");
      add("scratch", "%x: $F", "%z: $F", R"(
        %q = heddle.tanh %x : ($F) -> $F
        %o = heddle.constant 0.25 : !f[]
        %b = heddle.compare "gt" %q, %o : ($F, !f[]) -> $M
        %p = heddle.select %b, %q, %o : ($M, $F, !f[]) -> $F
        %v = heddle.reduce "max" %p over ["$X"] : ($F) -> $R
        %y = heddle.mul %q, %v : ($F, $R) -> $F
        %z = heddle.select %b, %y, %v : ($M, $F, $R) -> $F)");
      add("sums", "%x: $F, %y: $F", "%z: $F, %s: $R, %t: $R", R"(
        %z = heddle.mul %x, %y : ($F, $F) -> $F
        %s = heddle.reduce "sum" %z over ["$X"] : ($F) -> $R
        %t = heddle.reduce "min" %y over ["$X"] : ($F) -> $R)");
      // Masks of which four vectors are drawn at once, where their elements are numbered along it.
      for (const char *order : {"\"A\", \"B\"", "\"B\", \"A\""}) {
        std::string body = with(R"(
        %m = heddle.bernoulli %seed, %step keep 0.5 stream 77 order [$O] : (!i[word=2], !i[]) -> $M
        %k = heddle.bernoulli %seed, %step keep 0.9 stream 78 order ["A", "B"] : (!i[word=2], !i[]) -> $M
        %o = heddle.constant 0.0 : !f[]
        %y = heddle.select %m, %x, %o : ($M, $F, !f[]) -> $F
        %s = heddle.reduce "sum" %y over ["$X"] : ($F) -> $R
        %a = heddle.add %y, %s : ($F, $R) -> $F
        %z = heddle.select %k, %a, %o : ($M, $F, !f[]) -> $F
        %w = heddle.select %k, %x, %o : ($M, $F, !f[]) -> $F)", {{"O", order}});
        std::string name = order[1] == 'A' ? "masks" : "masks_numbered_across";
        add(name.c_str(), "%x: $F, %seed: !i[word=2], %step: !i[]", "%z: $F, %w: $F", body.c_str());
        cases.back().bound = 1 << 30;
      }
      add("argmax_of_equals", "%x: $J", "%z: $I", R"(%z = heddle.argmax %x over "$X" : ($J) -> $I)");
      add("argmax", "%x: $F", "%z: $I", R"(%z = heddle.argmax %x over "$X" : ($F) -> $I)");
    }
  auto add = [&](const char *name, const char *arguments, const char *results, const char *body, int bound = 5) {
    cases.push_back({name, arguments, results, body, bound});
  };
  add("permute", "%x: !f[A=7, B=29, C=19], %y: !f[B=29, A=7, C=19]", "%z: !f[C=19, A=7, B=29]",
      "%z = heddle.add %x, %y : (!f[A=7, B=29, C=19], !f[B=29, A=7, C=19]) -> !f[C=19, A=7, B=29]");
  add("permuted_sum", "%x: !f[A=6, C=3, B=50]", "%z: !f[B=50, A=6]",
      R"(%z = heddle.reduce "sum" %x over ["C"] : (!f[A=6, C=3, B=50]) -> !f[B=50, A=6])");
  add("outer_sum", "%x: !f[A=6, C=3, B=50]", "%z: !f[C=3]",
      R"(%z = heddle.reduce "sum" %x over ["A", "B"] : (!f[A=6, C=3, B=50]) -> !f[C=3])");
  add("scalars", "%x: !f[], %y: !f[]", "%z: !f[], %w: !b[]", R"(
      %e = heddle.exp %x : (!f[]) -> !f[]
      %z = heddle.add %e, %y : (!f[], !f[]) -> !f[]
      %w = heddle.compare "lt" %x, %z : (!f[], !f[]) -> !b[])");
  add("causal", "%x: !f[B=2, T=5, S=21]", "%z: !f[B=2, T=5, S=21]", R"(
      %s = heddle.position : <[S=21], i32>
      %t = heddle.position : <[T=5], i32>
      %c = heddle.compare "le" %s, %t : (!i[S=21], !i[T=5]) -> !b[T=5, S=21]
      %f = heddle.constant -inf : !f[]
      %y = heddle.select %c, %x, %f : (!b[T=5, S=21], !f[B=2, T=5, S=21], !f[]) -> !f[B=2, T=5, S=21]
      %z = heddle.softmax %y over "S" : (!f[B=2, T=5, S=21]) -> !f[B=2, T=5, S=21])");
  add("embed", "%w: !f[V=5, D=19], %p: !f[P=9, D=19], %ids: !i[B=3, T=7]", "%z: !f[B=3, T=7, D=19]", R"(
      %e = heddle.gather %w["V" = %ids] : (!f[V=5, D=19], !i[B=3, T=7]) -> !f[B=3, T=7, D=19]
      %t = heddle.position : <[T=7], i32>
      %o = heddle.constant 2 : !i[]
      %u = heddle.add %t, %o : (!i[T=7], !i[]) -> !i[T=7]
      %f = heddle.gather %p["P" = %u] : (!f[P=9, D=19], !i[T=7]) -> !f[T=7, D=19]
      %z = heddle.add %e, %f : (!f[B=3, T=7, D=19], !f[T=7, D=19]) -> !f[B=3, T=7, D=19])");
  add("rotate", "%x: !f[T=7, K=22]", "%z: !f[T=7, J=22]", R"(
      %k = heddle.position : <[J=22], i32>
      %h = heddle.constant 11 : !i[]
      %m = heddle.constant 22 : !i[]
      %s = heddle.add %k, %h : (!i[J=22], !i[]) -> !i[J=22]
      %i = heddle.mod %s, %m : (!i[J=22], !i[]) -> !i[J=22]
      %z = heddle.gather %x["K" = %i] : (!f[T=7, K=22], !i[J=22]) -> !f[T=7, J=22])");
  // Indices that grow from lane to lane: by one, with an offset of the row, and in the other direction.
  add("shift", "%x: !f[U=60], %ids: !i[T=7]", "%z: !f[T=7, K=45], %w: !f[T=7, K=45]", R"(
      %k = heddle.position : <[K=45], i32>
      %t = heddle.position : <[T=7], i32>
      %d = heddle.sub %k, %t : (!i[K=45], !i[T=7]) -> !i[T=7, K=45]
      %s = heddle.add %d, %ids : (!i[T=7, K=45], !i[T=7]) -> !i[T=7, K=45]
      %o = heddle.constant 6 : !i[]
      %i = heddle.add %s, %o : (!i[T=7, K=45], !i[]) -> !i[T=7, K=45]
      %z = heddle.gather %x["U" = %i] : (!f[U=60], !i[T=7, K=45]) -> !f[T=7, K=45]
      %l = heddle.constant 50 : !i[]
      %j = heddle.sub %l, %d : (!i[], !i[T=7, K=45]) -> !i[T=7, K=45]
      %w = heddle.gather %x["U" = %j] : (!f[U=60], !i[T=7, K=45]) -> !f[T=7, K=45])", 9);
  add("pick", "%x: !f[B=3, T=7, V=45], %ids: !i[B=3, T=7]", "%z: !f[B=3, T=7]", R"(
      %g = heddle.gather %x["V" = %ids] : (!f[B=3, T=7, V=45], !i[B=3, T=7]) -> !f[B=3, T=7]
      %m = heddle.reduce "max" %x over ["V"] : (!f[B=3, T=7, V=45]) -> !f[B=3, T=7]
      %z = heddle.sub %m, %g : (!f[B=3, T=7], !f[B=3, T=7]) -> !f[B=3, T=7])", 45);
  add("dropout", "%x: !f[T=7, B=3, V=45], %seed: !i[word=2], %step: !i[], %h: !i[]", "%z: !f[T=7, B=3, V=45]", R"(
      %m = heddle.bernoulli %seed, %step indices(%h) keep 0.9 stream 77 order ["B", "T", "V"] : (!i[word=2], !i[], !i[]) -> !b[T=7, B=3, V=45]
      %o = heddle.constant 0.0 : !f[]
      %z = heddle.select %m, %x, %o : (!b[T=7, B=3, V=45], !f[T=7, B=3, V=45], !f[]) -> !f[T=7, B=3, V=45])", 1 << 30);
  add("divide", "%x: !i[A=7, B=45], %y: !i[A=7, B=45]", "%d: !i[A=7, B=45], %m: !i[A=7, B=45]", R"(
      %o = heddle.constant 1500000000 : !i[]
      %p = heddle.constant 1000000 : !i[]
      %a = heddle.sub %x, %o : (!i[A=7, B=45], !i[]) -> !i[A=7, B=45]
      %b = heddle.sub %y, %p : (!i[A=7, B=45], !i[]) -> !i[A=7, B=45]
      %d = heddle.floordiv %a, %b : (!i[A=7, B=45], !i[A=7, B=45]) -> !i[A=7, B=45]
      %m = heddle.mod %a, %b : (!i[A=7, B=45], !i[A=7, B=45]) -> !i[A=7, B=45])", 2100000000);
  // Large enough for several units. Whole vectors in all, but not in each: the last is shorter than the others.
  for (std::string size : {"A=300, B=45", "A=13, B=1040"})
    cases.push_back({size[2] == '3' ? "update" : "update_of_whole_vectors",
                     with("%p: $F, %m: $F, %g: $F, %lr: !f[]", {{"F", "!f[" + size + "]"}}),
                     with("%m2: $F, %p2: $F", {{"F", "!f[" + size + "]"}}), with(R"(
      %b = heddle.constant 0.9 : !f[]
      %m1 = heddle.mul %m, %b : ($F, !f[]) -> $F
      %m2 = heddle.add %m1, %g : ($F, $F) -> $F
      %u = heddle.mul %m2, %lr : ($F, !f[]) -> $F
      %p2 = heddle.sub %p, %u : ($F, $F) -> $F)", {{"F", "!f[" + size + "]"}})});
  // A row of several runs of memory, kept in scratch between its passes.
  add("two_axes", "%x: !f[A=5, C=3, B=45]", "%z: !f[A=5, C=3, B=45]", R"(
      %q = heddle.tanh %x : (!f[A=5, C=3, B=45]) -> !f[A=5, C=3, B=45]
      %v = heddle.reduce "max" %q over ["A", "B"] : (!f[A=5, C=3, B=45]) -> !f[C=3]
      %z = heddle.mul %q, %v : (!f[A=5, C=3, B=45], !f[C=3]) -> !f[A=5, C=3, B=45])");
  add("sums_of_whole_vectors", "%x: !f[A=400, B=112]", "%s: !f[B=112], %t: !f[B=112]", R"(
      %s = heddle.reduce "sum" %x over ["A"] : (!f[A=400, B=112]) -> !f[B=112]
      %t = heddle.reduce "max" %x over ["A"] : (!f[A=400, B=112]) -> !f[B=112])");
  return cases;
}

// "%z: T, %s: U" as names, or as types with heddle.name.
std::string programText(const std::vector<NestCase> &cases) {
  std::string text;
  for (const NestCase &c : cases) {
    std::string arguments, names, types, result;
    auto split = [](const std::string &list) {
      std::vector<std::pair<std::string, std::string>> parts;
      for (size_t at = 0; at != std::string::npos && at < list.size();) {
        size_t colon = list.find(':', at), end = list.find("], %", at);
        size_t length = end == std::string::npos ? end : end - colon - 1;
        parts.push_back({list.substr(at, colon - at), list.substr(colon + 2, length)});
        at = end == std::string::npos ? end : end + 3;
      }
      return parts;
    };
    for (auto &[name, type] : split(c.arguments))
      arguments += (arguments.empty() ? "" : ", ") + name + ": " + type + " {heddle.name = \"" + name.substr(1) + "\"}";
    for (auto &[name, type] : split(c.results)) {
      names += (names.empty() ? "" : ", ") + name;
      result += (types.empty() ? "" : ", ") + type + " {heddle.name = \"" + name.substr(1) + "\"}";
      types += (types.empty() ? "" : ", ") + type;
    }
    text += "func.func @" + c.name + "(" + arguments + ") -> (" + result + ") {\n" + c.body + "\n  return " + names +
            " : " + types + "\n}\n";
  }
  return text;
}

class Nests : public testing::TestWithParam<std::string> {};
}  // namespace

TEST_P(Nests, AgreeWithTheInterpreter) {
  const TargetInfo *target = findTargetClass(GetParam());
  loadDialects(testContext());
  std::vector<NestCase> cases = nestCases();
  std::string text = programText(cases);
  OwningOpRef<ModuleOp> graph = parseGraph(text), module = parseGraph(text);
  ASSERT_TRUE(graph && module);
  ASSERT_TRUE(succeeded(runPipeline(*module, Stage::grad, Stage::kernel, *target)));
  auto jit = jitProgram(*module, *target);
  ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
  Session one((*jit)->program(), 1, GetParam()), three((*jit)->program(), 3, GetParam());
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const NestCase &c : cases) {
    auto function = graph->lookupSymbol<func::FuncOp>(c.name);
    const HeddleEntry &entry = one.entry(c.name);
    for (Session *session : {&one, &three}) std::memset(session->workspace.data(), 0xA5, entry.workspace_bytes);
    std::map<std::string, Array> inputs;
    for (BlockArgument arg : function.getArguments()) {
      std::string name = function.getArgAttrOfType<StringAttr>(arg.getArgNumber(), kNameAttr).str();
      Array array(cast<Tensor>(arg.getType()));
      for (double &x : array.elements) x = array.type.isFloat() ? double(normal(random)) : double(random() % c.bound);
      for (Session *session : {&one, &three}) {
        void *memory = session->memory(*session->findInput(session->entry(c.name), name));
        for (size_t i = 0; i < array.elements.size(); ++i)
          if (array.type.isFloat()) static_cast<float *>(memory)[i] = float(array.elements[i]);
          else static_cast<int32_t *>(memory)[i] = int32_t(array.elements[i]);
      }
      inputs.emplace(name, array);
    }
    auto want = llvm::cantFail(interpret(function, inputs)).results;
    one.run(entry);
    three.run(three.entry(c.name));
    for (auto &[name, expected] : want) {
      const HeddleBuffer &buffer = *one.findOutput(entry, name);
      const void *got = one.memory(buffer);
      const void *again = three.memory(*three.findOutput(three.entry(c.name), name));
      EXPECT_EQ(std::memcmp(got, again, 4 * expected.elements.size()), 0) << c.name << ": threads change " << name;
      for (size_t i = 0; i < expected.elements.size(); ++i) {
        double x = static_cast<const int32_t *>(got)[i];
        if (expected.type.isFloat()) x = static_cast<const float *>(got)[i];
        double y = expected.elements[i];
        // Sums of up to 1000 numbers of size 1 cancel: errors are measured against that, not against the result.
        ASSERT_LE(std::fabs(x - y), expected.type.isFloat() ? 2e-5 + 1e-5 * std::fabs(y) : 0)
            << c.name << ": " << name << "[" << i << "] is " << x << ", not " << y;
      }
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Class, Nests, testing::ValuesIn(runnableTargetClasses()),
                         [](const auto &info) { return info.param; });
