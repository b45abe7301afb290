// Tensors of more than 2^31 elements, attention of them, and random masks of more than 2^32, by both doors on every target class of the
// machine.
//
// Nothing here touches 8 GiB: buffers lie in address space without memory behind it (MAP_NORESERVE), and of every kernel
// only the last tile runs. It must find its inputs and leave its results at the far end; with an offset of 32 bits
// anywhere on the way it would be elsewhere, most likely at an address that is not mapped.
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/llvm/Jit.h"
#include "ir/graph/Random.h"
#include "passes/Pipeline.h"
#include "runtime/Session.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Graph.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

using namespace heddle;
using namespace mlir;

namespace {

// 65537 x 32771 = 2^31 + 229,379; 131073 x 32771 = 2^32 + 425,987; 3 x 2^30.
constexpr char kProgram[] = R"(
func.func @elementwise(%x: !f[A=65537, B=32771] {heddle.name = "x"}) -> (!f[A=65537, B=32771] {heddle.name = "y"}) {
  %y = heddle.mul %x, %x : (!f[A=65537, B=32771], !f[A=65537, B=32771]) -> !f[A=65537, B=32771]
  return %y : !f[A=65537, B=32771]
}
func.func @rows(%x: !f[A=65537, B=32771] {heddle.name = "x"}) -> (!f[A=65537] {heddle.name = "y"}) {
  %y = heddle.reduce "max" %x over ["B"] : (!f[A=65537, B=32771]) -> !f[A=65537]
  return %y : !f[A=65537]
}
func.func @table(%x: !f[V=67108880, D=64] {heddle.name = "x"}, %ids: !i[N=5] {heddle.name = "ids"}) -> (!f[N=5, D=64] {heddle.name = "y"}) {
  %y = heddle.gather %x["V" = %ids] : (!f[V=67108880, D=64], !i[N=5]) -> !f[N=5, D=64]
  return %y : !f[N=5, D=64]
}
func.func @lanes(%x: !f[V=1073741824, D=3] {heddle.name = "x"}, %ids: !i[N=37] {heddle.name = "ids"}) -> (!f[D=3, N=37] {heddle.name = "y"}) {
  %y = heddle.gather %x["V" = %ids] : (!f[V=1073741824, D=3], !i[N=37]) -> !f[D=3, N=37]
  return %y : !f[D=3, N=37]
}
func.func @product(%x: !f[M=67108880, K=33] {heddle.name = "x"}, %w: !f[K=33, N=4] {heddle.name = "w"}) -> (!f[M=67108880, N=4] {heddle.name = "y"}) {
  %y = heddle.contract %x, %w over ["K"] : (!f[M=67108880, K=33], !f[K=33, N=4]) -> !f[M=67108880, N=4]
  return %y : !f[M=67108880, N=4]
}
func.func @wide(%x: !f[M=67108880, K=4] {heddle.name = "x"}, %w: !f[K=4, N=33] {heddle.name = "w"}) -> (!f[M=67108880, N=33] {heddle.name = "y"}) {
  %y = heddle.contract %x, %w over ["K"] : (!f[M=67108880, K=4], !f[K=4, N=33]) -> !f[M=67108880, N=33]
  return %y : !f[M=67108880, N=33]
}
func.func @mask(%seed: !i[word=2] {heddle.name = "seed"}, %step: !i[] {heddle.name = "step"}) -> (!f[A=131073, B=32771] {heddle.name = "y"}) {
  %m = heddle.bernoulli %seed, %step indices() keep 0.5 stream -1 order ["A", "B"] : (!i[word=2], !i[]) -> !b[A=131073, B=32771]
  %y = heddle.cast %m : (!b[A=131073, B=32771]) -> !f[A=131073, B=32771]
  return %y : !f[A=131073, B=32771]
}
func.func @attention(%q: !f[B=16777220, T=2, K=64] {heddle.name = "q"}, %k: !f[B=16777220, S=2, K=64] {heddle.name = "k"}, %v: !f[B=16777220, S=2, K=64] {heddle.name = "v"})
    -> (!f[B=16777220, T=2, K=64] {heddle.name = "out"}, !f[] {heddle.name = "loss"}) attributes {heddle.input_gradients, heddle.minimise = "loss"} {
  %s = heddle.contract %q, %k over ["K"] : (!f[B=16777220, T=2, K=64], !f[B=16777220, S=2, K=64]) -> !f[B=16777220, T=2, S=2]
  %p = heddle.softmax %s over "S" : (!f[B=16777220, T=2, S=2]) -> !f[B=16777220, T=2, S=2]
  %o = heddle.contract %p, %v over ["S"] : (!f[B=16777220, T=2, S=2], !f[B=16777220, S=2, K=64]) -> !f[B=16777220, T=2, K=64]
  %l = heddle.reduce "sum" %o over ["B", "T", "K"] : (!f[B=16777220, T=2, K=64]) -> !f[]
  return %o, %l : !f[B=16777220, T=2, K=64], !f[]
}
)";

// Attention whose weights are masked: 1048577 x 64 x S > 2^32 of them.
std::string maskedAttention(const char *name, const std::string &keys) {
  std::string text = R"(
func.func @NAME(%q: !f[B=1048577, T=64, K=1] {heddle.name = "q"}, %k: !f[B=1048577, KEYS, K=1] {heddle.name = "k"}, %w: !f[B=1048577, KEYS, E=68] {heddle.name = "w"},
    %seed: !i[word=2] {heddle.name = "seed"}, %step: !i[] {heddle.name = "step"}) -> (!f[B=1048577, T=64, E=68] {heddle.name = "out"}) {
  %s = heddle.contract %q, %k over ["K"] : (!f[B=1048577, T=64, K=1], !f[B=1048577, KEYS, K=1]) -> !f[B=1048577, T=64, KEYS]
  %p = heddle.softmax %s over "S" : (!f[B=1048577, T=64, KEYS]) -> !f[B=1048577, T=64, KEYS]
  %m = heddle.bernoulli %seed, %step indices() keep 0.5 stream 9 order ["B", "T", "S"] : (!i[word=2], !i[]) -> !b[B=1048577, T=64, KEYS]
  %o = heddle.constant 0.0 : !f[]
  %d = heddle.select %m, %p, %o : (!b[B=1048577, T=64, KEYS], !f[B=1048577, T=64, KEYS], !f[]) -> !f[B=1048577, T=64, KEYS]
  %y = heddle.contract %d, %w over ["S"] : (!f[B=1048577, T=64, KEYS], !f[B=1048577, KEYS, E=68]) -> !f[B=1048577, T=64, E=68]
  return %y : !f[B=1048577, T=64, E=68]
}
)";
  for (auto [from, to] : {std::pair<std::string, std::string>{"NAME", name}, {"KEYS", "S=" + keys}})
    for (size_t at; (at = text.find(from)) != std::string::npos;) text.replace(at, from.size(), to);
  return text;
}

// An entry's workspace in address space alone, of which only the last tile of each kernel is computed.
class FarEnd {
public:
  FarEnd(const HeddleTarget &target, const char *name) : target(target) {
    for (int i = 0; i < target.entry_count; ++i)
      if (!strcmp(target.entries[i].name, name)) entry = &target.entries[i];
    bytes = entry->workspace_bytes + HEDDLE_PADDING;
    base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) base = nullptr;
    else madvise(base, bytes, MADV_NOHUGEPAGE);
  }
  ~FarEnd() {
    if (base) munmap(base, bytes);
  }
  bool mapped() const { return base != nullptr; }
  int kernels() const { return entry->step_count; }

  /// A buffer of the entry; `fromEnd` counts elements from its last one, 0.
  template <typename T> T &at(const char *name, int64_t fromEnd) {
    const HeddleBuffer *found = nullptr;
    for (int i = 0; i < entry->input_count; ++i)
      if (!strcmp(entry->inputs[i].name, name)) found = &entry->inputs[i];
    for (int i = 0; i < entry->output_count; ++i)
      if (!strcmp(entry->outputs[i].name, name)) found = &entry->outputs[i];
    return reinterpret_cast<T *>(static_cast<char *>(base) + found->offset)[elementCount(*found) - 1 - fromEnd];
  }
  /// Of each kernel the last tile, or all of them.
  void run(bool all = false) {
    std::vector<char> scratch(entry->scratch_bytes + HEDDLE_PADDING);
    for (int s = 0; s < entry->step_count; ++s) {
      const HeddleStep &step = entry->steps[s];
      ASSERT_EQ(step.kind, HEDDLE_CALL);
      std::vector<void *> args;
      for (int a = 0; a < step.arg_count; ++a) args.push_back(static_cast<char *>(base) + step.args[a].offset);
      target.kernels[step.kernel](args.data(), nullptr, all ? 0 : step.count - 1, step.count, scratch.data());
    }
  }

private:
  const HeddleTarget &target;
  const HeddleEntry *entry = nullptr;
  void *base = nullptr;
  size_t bytes = 0;
};

// The last sequence: two rows, two keys, whose scores and values are numbers that are easily checked.
void expectFarAttention(const HeddleTarget &target) {
  FarEnd far(target, "attention");
  ASSERT_TRUE(far.mapped());
  auto set = [&](const char *name, std::array<float, 2> first) {  // element 0 of both rows, which are 64 long
    far.at<float>(name, 127) = first[0], far.at<float>(name, 63) = first[1];
  };
  set("q", {1, -1}), set("k", {0.5, 2}), set("v", {3, 7});
  far.run();
  double q[2] = {1, -1}, k[2] = {0.5, 2}, v[2] = {3, 7}, dk[2] = {0, 0}, dv[2] = {0, 0};
  for (int t = 0; t < 2; ++t) {
    double p = 1 / (1 + std::exp(q[t] * (k[1] - k[0]))), weight[2] = {p, 1 - p}, dq = 0;
    double out = p * v[0] + (1 - p) * v[1];
    for (int s = 0; s < 2; ++s) {
      double ds = weight[s] * (v[s] - out);  // the gradient of every result is 1
      dq += ds * k[s], dk[s] += ds * q[t], dv[s] += weight[s];
    }
    EXPECT_NEAR(far.at<float>("out", 127 - 64 * t), out, 1e-5);
    EXPECT_NEAR(far.at<float>("grad.q", 127 - 64 * t), dq, 1e-5);
  }
  for (int s = 0; s < 2; ++s) {
    EXPECT_NEAR(far.at<float>("grad.k", 127 - 64 * s), dk[s], 1e-5);
    EXPECT_NEAR(far.at<float>("grad.v", 127 - 64 * s), dv[s], 1e-5);
  }
}

// Scores are 0 and values the identity: what is not 0 in the result of a row is what its mask keeps.
void expectFarMask(const HeddleTarget &target, const char *name, int64_t keys) {
  FarEnd far(target, name);
  ASSERT_TRUE(far.mapped());
  EXPECT_EQ(far.kernels(), 1);  // fused
  far.at<int32_t>("seed", 0) = 5, far.at<int32_t>("seed", 1) = 6, far.at<int32_t>("step", 0) = 7;
  for (int64_t s = 0; s < keys; ++s) far.at<float>("w", (keys - 1 - s) * 68 + 67 - s) = 1;
  far.run();
  auto stream = bernoulliStream({6, 5}, 9, 7, std::array<uint32_t, 0>{});
  int64_t different = 0, kept = 0;
  for (int64_t t = 0; t < 64; ++t)
    for (int64_t s = 0; s < keys; ++s) {
      bool keep = bernoulli({6, 5}, stream, (int64_t(1048576) * 64 + t) * keys + s, 0.5);
      kept += keep, different += (far.at<float>("out", (63 - t) * 68 + 67 - s) != 0) != keep;
    }
  EXPECT_EQ(different, 0);
  EXPECT_NEAR(kept, 32 * keys, 20 * std::sqrt(keys));  // five deviations
}

void expectFarEnds(const HeddleTarget &target) {
  {
    FarEnd far(target, "elementwise");
    ASSERT_TRUE(far.mapped());
    far.at<float>("x", 0) = 3, far.at<float>("x", 1) = 5, far.at<float>("x", 32771) = 7;
    far.run();
    EXPECT_EQ(far.at<float>("y", 0), 9);
    EXPECT_EQ(far.at<float>("y", 1), 25);
    EXPECT_EQ(far.at<float>("y", 32771), 49);
  }
  {
    FarEnd far(target, "rows");
    far.at<float>("x", 1) = 3, far.at<float>("x", 32770) = 5, far.at<float>("x", 32771) = 9;  // the last is another row's
    far.run();
    EXPECT_EQ(far.at<float>("y", 0), 5);
  }
  {
    FarEnd far(target, "table");
    for (int n = 0; n < 5; ++n) far.at<int32_t>("ids", n) = 67108879 - n;
    for (int n = 0; n < 5; ++n) far.at<float>("x", 64 * n) = float(n + 1);
    far.run(true);
    for (int n = 0; n < 5; ++n) EXPECT_EQ(far.at<float>("y", 64 * n), float(n + 1));
  }
  {
    FarEnd far(target, "lanes");
    for (int n = 0; n < 37; ++n) far.at<int32_t>("ids", n) = 1073741823 - n;
    for (int n = 0; n < 37; ++n)
      for (int d = 0; d < 3; ++d) far.at<float>("x", 3 * n + d) = float(n + 100 * d + 1);
    far.run(true);
    for (int n = 0; n < 37; ++n) EXPECT_EQ(far.at<float>("y", n), float(n + 1));
  }
  {
    FarEnd far(target, "product");
    for (int k = 0; k < 33; ++k) far.at<float>("x", k) = 1, far.at<float>("x", 33 + k) = 2, far.at<float>("w", 4 * k) = float(k);
    far.run();
    EXPECT_EQ(far.at<float>("y", 0), 528);
    EXPECT_EQ(far.at<float>("y", 4), 1056);
  }
  {
    FarEnd far(target, "wide");
    for (int k = 0; k < 4; ++k) far.at<float>("x", k) = float(k + 1), far.at<float>("w", 33 * k) = 1;
    far.run();
    EXPECT_EQ(far.at<float>("y", 0), 10);
    EXPECT_EQ(far.at<float>("y", 33), 0);
  }
  {
    FarEnd far(target, "mask");
    // Seed 2^64 - 1, the largest step, the largest stream.
    far.at<int32_t>("seed", 0) = far.at<int32_t>("seed", 1) = -1, far.at<int32_t>("step", 0) = INT32_MAX;
    far.run();
    std::array<uint32_t, 2> seed{UINT32_MAX, UINT32_MAX};
    auto stream = bernoulliStream(seed, UINT64_MAX, INT32_MAX, std::array<uint32_t, 0>{});
    int64_t last = int64_t(131073) * 32771 - 1, different = 0, kept = 0;
    for (int64_t e = 0; e < 1000; ++e) {
      bool keep = bernoulli(seed, stream, uint64_t(last - e), 0.5);
      kept += keep, different += far.at<float>("y", e) != float(keep);
    }
    EXPECT_EQ(different, 0);
    EXPECT_NEAR(kept, 500, 80);  // five deviations
  }
  expectFarAttention(target);
  expectFarMask(target, "masked_fours", 68);
  expectFarMask(target, "masked_primes", 67);
}

TEST(LargeIndex, FarEndsOfTensorsAreReachedByBothDoors) {
  loadDialects(testContext());
  std::vector<OwningOpRef<ModuleOp>> owners;
  std::vector<ModuleOp> modules;
  std::vector<std::string> classes = runnableTargetClasses();
  for (const std::string &name : classes) {
    SCOPED_TRACE("by JIT on " + name);
    const TargetInfo &target = *findTargetClass(name);
    owners.push_back(parseGraph(kProgram + maskedAttention("masked_fours", "68") + maskedAttention("masked_primes", "67")));
    ASSERT_TRUE(owners.back() && succeeded(runPipeline(*owners.back(), Stage::graph, Stage::kernel, target)));
    modules.push_back(*owners.back());
    auto jit = jitProgram(modules.back(), target);
    ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
    expectFarEnds((*jit)->program().targets[0]);
  }

  auto text = emitCpp(modules, {});
  ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("heddle-large", "so", path));
  auto parts = findNativeParts(llvm::sys::fs::getMainExecutable(nullptr, nullptr));
  llvm::Error error = parts ? buildNative(*text, *parts, path, NativeKind::library) : parts.takeError();
  ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(handle) << dlerror();
  auto program = reinterpret_cast<const HeddleProgram *(*)()>(dlsym(handle, "heddle_program"))();
  for (size_t i = 0; i < classes.size(); ++i) {
    SCOPED_TRACE("as C++ on " + classes[i]);
    expectFarEnds(program->targets[i]);
  }
  dlclose(handle);
}

}  // namespace
