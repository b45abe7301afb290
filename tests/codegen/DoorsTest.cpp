// Both doors give the same bits: every admitted op, in every form, through the JIT and through emitted C++, on every class
// that this machine runs. Kernels are in Inputs/; that none of the table's rows is missing is a test too.
#include "codegen/ProgramTables.h"
#include "codegen/cpp/EmitCpp.h"
#include "codegen/cpp/NativeBuild.h"
#include "codegen/llvm/Jit.h"
#include "ir/graph/Heddle.h"
#include "ir/kernel/KernelForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "runtime/FloatMode.h"
#include "runtime/TargetClass.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <random>
#include <set>

using namespace mlir;
using namespace heddle;

static const char *const kInputs[] = {"lanes", "numbers", "memory", "control", "fused"};

namespace {
struct Doors : testing::Test {
  Doors() {
    context.loadDialect<HeddleDialect, func::FuncDialect, arith::ArithDialect, math::MathDialect, memref::MemRefDialect,
                        scf::SCFDialect, vector::VectorDialect>();
  }
  OwningOpRef<ModuleOp> parse(const std::string &name, const TargetInfo &target) {
    auto module = parseSourceFile<ModuleOp>(std::string(HEDDLE_TEST_INPUTS "/") + name + ".mlir", &context);
    if (module) (*module)->setAttr("heddle.target", StringAttr::get(&context, target.name));
    return module;
  }
  MLIRContext context;
};

/// What kernels work on. Every test kernel has the same six buffers.
struct Buffers {
  static constexpr uint32_t kUntouched = 0x7fbadbad;
  static constexpr size_t kSizes[6] = {64, 64, 64, 64, 4096, 4096};
  std::vector<uint32_t> words[6], scratch = std::vector<uint32_t>(64);

  explicit Buffers(unsigned seed) {
    std::mt19937 random(seed);
    auto bits = [](float x) {
      uint32_t w;
      std::memcpy(&w, &x, 4);
      return w;
    };
    const float inf = std::numeric_limits<float>::infinity();
    const float odd[] = {0.0f, -0.0f, inf, -inf, NAN, 1.5f, 2.5f, -0.5f, 1e38f, -3e-39f, 8388609.0f, 1e-38f};
    std::uniform_real_distribution<float> range(-4, 4);
    for (int b = 0; b < 6; ++b) {
      words[b].assign(kSizes[b] + 16, kUntouched);  // and what a full register reads past the end
      for (size_t i = 0; i < kSizes[b]; ++i) {
        bool special = random() % 3 == 0;
        if (b < 2) words[b][i] = special ? bits(odd[random() % 12]) : bits(range(random));
        if (b == 2 || b == 3) words[b][i] = special ? (random() % 2 ? 0x80000000u : random() % 5) : random();
      }
    }
  }
  void run(HeddleKernel kernel) {
    void *args[6];
    for (int b = 0; b < 6; ++b) args[b] = words[b].data();
    int64_t loops[1] = {0};
    kernel(args, loops, 0, 3, scratch.data());
    kernel(args, loops, 3, 4, scratch.data());
  }
};

/// Equal bits; of floats also two NaN, and where subnormals count as zero a subnormal and the zero of its sign.
bool same(uint32_t a, uint32_t b, bool asFloat, bool flush) {
  auto exponent = [](uint32_t w) { return w & 0x7f800000; };
  bool nans = (a & 0x7fffffff) > 0x7f800000 && (b & 0x7fffffff) > 0x7f800000;
  bool zeros = flush && exponent(a) == 0 && exponent(b) == 0 && (a >> 31) == (b >> 31);
  return a == b || (asFloat && (nans || zeros));
}
}  // namespace

static std::vector<const TargetInfo *> runnableClasses() {
  std::vector<const TargetInfo *> classes;
  for (const TargetInfo &info : targetClasses())
    if (cpuRuns(info.name.str())) classes.push_back(&info);
  return classes;
}

TEST_F(Doors, GiveTheSameBits) {
  auto parts = findNativeParts(HEDDLE_BUILD_BIN "/heddle");
  ASSERT_TRUE(static_cast<bool>(parts)) << llvm::toString(parts.takeError());
  for (const char *input : kInputs) {
    std::vector<OwningOpRef<ModuleOp>> modules;
    std::vector<ModuleOp> classes;
    for (const TargetInfo *target : runnableClasses()) {
      if (std::string(input) == "fused" && !target->fma) continue;
      modules.push_back(parse(input, *target));
      ASSERT_TRUE(modules.back());
      classes.push_back(*modules.back());
    }
    auto text = emitCpp(classes, CppOptions());
    ASSERT_TRUE(static_cast<bool>(text)) << llvm::toString(text.takeError());
    llvm::SmallString<128> library;
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("doors", "so", library));
    auto failure = buildNative(*text, *parts, library, NativeKind::library);
    ASSERT_FALSE(static_cast<bool>(failure)) << llvm::toString(std::move(failure));
    void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    llvm::sys::fs::remove(library);
    ASSERT_TRUE(handle) << dlerror();
    auto native = reinterpret_cast<const HeddleProgram *(*)()>(dlsym(handle, "heddle_program"))();

    for (size_t t = 0; t < classes.size(); ++t) {
      const TargetInfo &target = *findTargetClass(native->targets[t].name);
      auto jit = jitProgram(classes[t], target);
      ASSERT_TRUE(static_cast<bool>(jit)) << llvm::toString(jit.takeError());
      const HeddleTarget &compiled = (*jit)->program().targets[0];
      ASSERT_EQ(compiled.kernel_count, native->targets[t].kernel_count);
      for (int32_t k = 0; k < compiled.kernel_count; ++k) {
        ASSERT_STREQ(compiled.kernel_names[k], native->targets[t].kernel_names[k]);
        for (bool flush : {false, true}) {
          Buffers a(k + 1), b(k + 1);
          std::optional<FloatMode> mode;
          if (flush) mode.emplace();
          a.run(compiled.kernels[k]);
          b.run(native->targets[t].kernels[k]);
          int different = 0;
          for (int buffer = 0; buffer < 6 && different < 5; ++buffer)
            for (size_t i = 0; i < a.words[buffer].size() && different < 5; ++i)
              if (!same(a.words[buffer][i], b.words[buffer][i], buffer == 4, flush)) {
                ADD_FAILURE() << target.name.str() << " " << compiled.kernel_names[k] << " buffer " << buffer << "[" << i
                              << "]: " << std::hex << a.words[buffer][i] << " by JIT, " << b.words[buffer][i]
                              << " by C++, flush to zero " << flush;
                ++different;
              }
        }
      }
    }
    dlclose(handle);
  }
}

/// The letter of a type in AdmittedOp::types.
static char letter(Type type) {
  if (auto memref = dyn_cast<MemRefType>(type)) return memref.getElementType().isF32() ? 'm' : 'n';
  Type element = getElementTypeOrSelf(type);
  char scalar = element.isF32() ? 'f' : element.isInteger(32) ? 'i' : element.isInteger(1) ? 'b' : 'x';
  auto vector = dyn_cast<VectorType>(type);
  if (!vector) return scalar;
  return vector.getDimSize(0) == 8 ? (scalar == 'f' ? 'G' : 'J') : llvm::toUpper(scalar);
}

TEST_F(Doors, AreTestedWithEveryFormOfEveryAdmittedOp) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const char *input : kInputs) {
    auto module = parse(input, *findTargetClass("avx512"));
    ASSERT_TRUE(module);
    module->walk([&](Operation *op) {
      char result = op->getNumResults() ? letter(op->getResult(0).getType()) : 0;
      char first = op->getNumOperands() ? letter(op->getOperand(0).getType()) : result;
      std::string name = op->getName().getStringRef().str();
      seen.insert({name, "*"});
      seen.insert({name, std::string(1, first)});
      if (result) seen.insert({name, std::string{first, '>', result}});
    });
  }
  for (const AdmittedOp &op : admittedOps()) {
    llvm::SmallVector<StringRef> forms;
    op.types.split(forms, ' ');
    for (StringRef form : forms)
      EXPECT_TRUE(seen.count({op.name.str(), form.str()})) << op.name.str() << " is not tested for " << form.str();
  }
}

// The order of a reduction, from the sum of numbers that round differently in every order.
TEST_F(Doors, ReduceByHalving) {
  for (const TargetInfo *target : runnableClasses()) {
    auto module = parse("memory", *target);
    ASSERT_TRUE(module);
    auto jit = jitProgram(*module, *target);
    ASSERT_TRUE(static_cast<bool>(jit)) << llvm::toString(jit.takeError());
    const HeddleTarget &compiled = (*jit)->program().targets[0];
    int32_t k = 0;
    while (std::string(compiled.kernel_names[k]) != "reduce_lanes") ++k;
    Buffers buffers(1);
    std::vector<float> lanes;
    for (int i = 0; i < 64; ++i) {
      float x = std::ldexp(1.0f + i * 0.37f, (i * 7) % 25) * (i % 3 ? 1 : -1);
      std::memcpy(&buffers.words[0][i], &x, 4);
      if (i < target->lanes()) lanes.push_back(x);
    }
    buffers.run(compiled.kernels[k]);
    for (size_t n = lanes.size() / 2; n >= 1; n /= 2)
      for (size_t i = 0; i < n; ++i) lanes[i] += lanes[i + n];
    float sum;
    std::memcpy(&sum, &buffers.words[4][0], 4);
    EXPECT_EQ(sum, lanes[0]) << target->name.str();
  }
}

// A masked store leaves what it does not cover, and a gather takes the other value where it is masked off.
TEST_F(Doors, LeaveMaskedLanesAlone) {
  for (const TargetInfo *target : runnableClasses()) {
    auto module = parse("memory", *target);
    ASSERT_TRUE(module);
    auto jit = jitProgram(*module, *target);
    ASSERT_TRUE(static_cast<bool>(jit)) << llvm::toString(jit.takeError());
    const HeddleTarget &compiled = (*jit)->program().targets[0];
    int32_t k = 0;
    while (std::string(compiled.kernel_names[k]) != "memory_lanes") ++k;
    Buffers buffers(1);
    buffers.run(compiled.kernels[k]);
    // Result 7 of f32 is stored under the first three lanes of every register.
    for (int i = 0; i < 64; ++i) {
      bool stored = i % target->lanes() < 3;
      EXPECT_EQ(buffers.words[4][7 * 64 + i], stored ? buffers.words[0][i] : Buffers::kUntouched) << target->name.str() << " " << i;
    }
  }
}

TEST(NativeParts, AreNamedWhenTheyAreMissing) {
  auto parts = findNativeParts("/nowhere/bin/heddle");
  ASSERT_FALSE(static_cast<bool>(parts));
  EXPECT_NE(llvm::toString(parts.takeError()).find("no /nowhere/lib/heddle/libheddle_runtime.a"), std::string::npos);
}
