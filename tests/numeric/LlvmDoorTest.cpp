// Every case of the table of ops through the LLVM door, on every target class that this machine runs.
#include "codegen/llvm/Jit.h"
#include "runtime/TargetClass.h"
#include "tests/numeric/Executors.h"
#include <gtest/gtest.h>

using namespace heddle;

namespace {
class LlvmDoor : public testing::TestWithParam<std::tuple<OpRow, std::string>> {};
}  // namespace

TEST_P(LlvmDoor, StaysWithinTheBounds) {
  const auto &[row, targetClass] = GetParam();
  std::vector<Case> cases = casesOf(row);
  auto module = lowerCases(cases, targetClass);
  ASSERT_TRUE(module);
  auto jit = jitProgram(*module, *findTargetClass(targetClass));
  ASSERT_TRUE(bool(jit)) << llvm::toString(jit.takeError());
  Session session((*jit)->program(), 2, targetClass);
  for (size_t i = 0; i < cases.size(); ++i) expectWithinBounds(cases[i], runCase(session, i, cases[i]));
}
INSTANTIATE_TEST_SUITE_P(Op, LlvmDoor,
                         testing::Combine(testing::ValuesIn(opTable()), testing::ValuesIn(runnableTargetClasses())),
                         [](const auto &info) { return std::get<0>(info.param).op + "_" + std::get<1>(info.param); });
