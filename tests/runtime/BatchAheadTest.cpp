// Batches made ahead: the right one, in time, with its own errors.
#include "runtime/BatchAhead.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

namespace heddle {
namespace {

TEST(BatchAhead, GivesTheBatchOfTheStep) {
  int64_t batch = 0;
  std::vector<std::thread::id> makers;
  BatchAhead ahead([&](int64_t step) { batch = 10 * step, makers.push_back(std::this_thread::get_id()); });
  ahead.get(1);  // none was begun
  EXPECT_EQ(batch, 10);
  for (int64_t step = 2; step < 1000; ++step) {
    ahead.begin(step);
    ahead.get(step);
    ASSERT_EQ(batch, 10 * step);
  }
  ASSERT_EQ(makers.size(), 999u);  // each once
  EXPECT_EQ(makers[0], std::this_thread::get_id());
  EXPECT_NE(makers[1], std::this_thread::get_id());
}

TEST(BatchAhead, AnotherStepIsMadeAnew) {
  int64_t batch = 0;
  BatchAhead ahead([&](int64_t step) { batch = step; });
  ahead.begin(7);
  ahead.get(3);
  EXPECT_EQ(batch, 3);
  ahead.get(7);
  EXPECT_EQ(batch, 7);
}

TEST(BatchAhead, AnErrorIsThatOfItsStep) {
  int64_t batch = 0;
  BatchAhead ahead([&](int64_t step) {
    if (step % 2) throw std::runtime_error("step " + std::to_string(step));
    batch = step;
  });
  auto errorOf = [&](int64_t step) -> std::string {
    try {
      ahead.get(step);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  ahead.begin(1);
  ahead.rest();
  EXPECT_EQ(errorOf(2), "");  // one that nobody asks for any more is not told
  EXPECT_EQ(batch, 2);
  EXPECT_EQ(errorOf(3), "step 3");
  ahead.begin(5);
  EXPECT_EQ(errorOf(5), "step 5");
  EXPECT_EQ(errorOf(5), "step 5");
  EXPECT_EQ(errorOf(4), "");
}

TEST(BatchAhead, RestsBetweenBatchesAndEndsWithinOne) {
  std::atomic<int> inside = 0;
  std::atomic<bool> wait = false;
  {
    BatchAhead ahead([&](int64_t) {
      ++inside;
      while (wait) std::this_thread::yield();
      --inside;
    });
    for (int64_t step = 1; step < 200; ++step) {
      ahead.begin(step);
      ahead.rest();
      ASSERT_EQ(inside, 0);
    }
    wait = true;
    ahead.begin(200);
    while (!inside) std::this_thread::yield();
    std::thread([&] { wait = false; }).join();
  }
  EXPECT_EQ(inside, 0);
}

TEST(BatchAhead, AFaultIsReportedAsAnywhere) {
  EXPECT_EXIT(
      {
        signal(SIGSEGV, [](int) { _exit(70); });
        BatchAhead ahead([](int64_t) { raise(SIGSEGV); });
        ahead.begin(1);
        ahead.rest();
        _exit(0);
      },
      testing::ExitedWithCode(70), "");
}

}  // namespace
}  // namespace heddle
