// Memory of training grows in proportion to the sequence: nothing of rows x keys is stored.
#include "tests/attention/Program.h"
#include "tests/random/Program.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

namespace {
class AttentionMemory : public testing::TestWithParam<Variant> {};
constexpr const char *kClasses[] = {"avx512", "avx2", "baseline"};

struct Growth {
  bool affine = true;  // workspace and scratch
  std::string stored;  // a buffer of rows x keys
  std::string text;    // bytes for each length
};

/// The first buffer with two dims that are as long as the sequence, of what is stored at stage fused; empty if there is
/// none. What stands in the region of an op is not stored.
std::string longTwice(ModuleOp fused, int64_t tokens) {
  std::string found;
  fused.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<Tensor>(result.getType()); type && found.empty()) {
        bool both = type.has(StringAttr::get(type.getContext(), "T")) && type.has(StringAttr::get(type.getContext(), "S"));
        llvm::raw_string_ostream stream(found);
        if (both || llvm::count(type.getSizes(), tokens) > 1) stream << op->getName() << " stores " << type;
      }
    return isa<FusedOp, AttentionOp, AttentionBackwardOp>(op) ? WalkResult::skip() : WalkResult::advance();
  });
  return found;
}

/// Compiles the train block for longer and longer sequences.
void grow(const Variant &tested, bool fuseAttention, Growth &growth) {
  const TargetInfo &target = *findTargetClass(kClasses[tested.name.size() % 3]);
  std::vector<int64_t> peaks;
  for (int64_t tokens : {1024, 2048, 4096, 8192}) {
    OwningOpRef<ModuleOp> module = buildTrainBlock(tested, {2, 2, tokens, tokens, 16});
    ASSERT_TRUE(module);
    ASSERT_TRUE(lower(*module, Stage::graph, Stage::fused, fuseAttention, target));
    if (growth.stored.empty()) growth.stored = longTwice(*module, tokens);
    ASSERT_TRUE(lower(*module, Stage::fused, Stage::kernel, fuseAttention, target));
    int64_t buffers = 0;
    module->walk([&](CallOp call) { buffers += call.getArgs().size(); });
    EntryOp entry = *module->getOps<EntryOp>().begin();
    peaks.push_back(entry.getWorkspace() + entry.getScratch());
    growth.text += " " + std::to_string(peaks.back());
    // Differences double, but for each buffer's padding to a line of 64 bytes.
    if (size_t n = peaks.size(); n >= 3)
      growth.affine &= std::abs((peaks[n - 1] - peaks[n - 2]) - 2 * (peaks[n - 2] - peaks[n - 3])) <= 3 * 64 * buffers;
  }
}
}  // namespace

TEST_P(AttentionMemory, IsAffineInTheLengthOfTheSequence) {
  const Variant &tested = GetParam();
  Growth growth;
  ASSERT_NO_FATAL_FAILURE(grow(tested, true, growth));
  EXPECT_TRUE(growth.affine) << growth.text;
  EXPECT_EQ(growth.stored, "");
}
TEST(AttentionMemoryUnfused, IsNot) {
  Growth growth;
  ASSERT_NO_FATAL_FAILURE(grow(variant("full"), false, growth));
  EXPECT_FALSE(growth.affine) << growth.text;
  EXPECT_NE(growth.stored, "");
}
INSTANTIATE_TEST_SUITE_P(Variant, AttentionMemory, testing::ValuesIn(variants()), [](const auto &info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});
