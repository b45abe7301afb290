// What is counted as mapped, and what limits memory.
#include "TempDir.h"
#include "TinyProgram.h"

#include "runtime/Arena.h"
#include "runtime/Initialise.h"
#include "runtime/Philox.h"
#include "runtime/Session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace heddle {
namespace {

using testing::HasSubstr;

// Bytes of the process's private anonymous mappings without a name: arenas, and thread stacks.
int64_t anonymousBytes() {
  std::ifstream maps("/proc/self/maps");
  int64_t sum = 0;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range, flags, offset, device, inode, path;
    words >> range >> flags >> offset >> device >> inode >> path;
    if (inode != "0" || !path.empty() || flags != "rw-p") continue;
    size_t dash = range.find('-');
    sum += std::stoll(range.substr(dash + 1), nullptr, 16) - std::stoll(range.substr(0, dash), nullptr, 16);
  }
  return sum;
}

TEST(Arena, CountsWhatTheSystemMaps) {
  int64_t counted = Arena::mapped();
  for (int64_t bytes : {int64_t(1), int64_t(4032), int64_t(4033), int64_t(1) << 20, (int64_t(4) << 20) - 1, int64_t(4) << 20,
                        (int64_t(5) << 20) + 1, int64_t(300) << 20}) {
    int64_t before = anonymousBytes();
    Arena arena(bytes, "test");
    EXPECT_EQ(anonymousBytes() - before, Arena::reserved(bytes)) << bytes;
    EXPECT_EQ(Arena::mapped() - counted, Arena::reserved(bytes));
    EXPECT_GE(Arena::peakMapped(), Arena::mapped());
    Arena moved = std::move(arena);
    EXPECT_EQ(Arena::mapped() - counted, Arena::reserved(bytes));
  }
  EXPECT_EQ(Arena::mapped(), counted);
}

TEST(Arena, ASessionMapsWhatIsPlanned) {
  HeddleProgram program = tiny::make("{}");
  for (int threads : {1, 2, 5}) {
    int64_t counted = Arena::mapped();
    Session session(program, threads);
    EXPECT_EQ(Arena::mapped() - counted, plannedBytes(program, session.target, threads));
  }
}

// Element, stream and seed count in full 64 bits.
TEST(Initialise, CountersBeyond32Bits) {
  constexpr uint64_t kWide = uint64_t(1) << 32, kMost = ~uint64_t(0);
  for (uint64_t seed : {uint64_t(7), uint64_t(7) + kWide, kMost})
    for (uint64_t stream : {uint64_t(3), uint64_t(3) + kWide, kMost})
      for (uint64_t element : {uint64_t(5), uint64_t(5) + kWide, kMost}) {
        uint64_t block = element / 4;
        PhiloxWords w = philox({uint32_t(block), uint32_t(block >> 32), uint32_t(stream), uint32_t(stream >> 32)}, seed);
        EXPECT_EQ(uniformValue(seed, stream, element, 0, 1), float((w[element % 4] + 0.5) * 0x1p-32));
        EXPECT_TRUE(std::isfinite(normalValue(seed, stream, element, 0, 1)));
      }
  EXPECT_NE(uniformValue(7, 3, 5, 0, 1), uniformValue(7, 3, 5 + kWide, 0, 1));
  EXPECT_NE(normalValue(7, 3, 5, 0, 1), normalValue(7, 3 + kWide, 5, 0, 1));
}

class Limits : public testing::Test {
protected:
  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root / path).parent_path());
    writeFile(root / path, text);
  }
  std::string refusal(int64_t bytes) { return errorOf([&] { checkMemory(bytes, root.path); }); }

  TempDir root;
};

TEST_F(Limits, GroupsOfVersion2AndThoseAboveThem) {
  file("proc/self/cgroup", "0::/jobs/mine\n");
  file("sys/fs/cgroup/jobs/mine/memory.max", "max\n");
  file("sys/fs/cgroup/jobs/memory.max", "104857600\n");
  EXPECT_EQ(refusal(104857600), "");
  EXPECT_THAT(refusal(104857601), HasSubstr("3: error: the plan needs 100.0 MiB (104857601 bytes), but the memory limit (control "
                                            "group /jobs) is 100.0 MiB (104857600 bytes)"));
  file("sys/fs/cgroup/jobs/mine/memory.max", "1048576\n");
  EXPECT_THAT(refusal(2000000), HasSubstr("(control group /jobs/mine) is 1.0 MiB"));
  EXPECT_THAT(refusal(2000000), HasSubstr("a smaller batch or model"));
}

TEST_F(Limits, AContainerSeesItsOwnGroupAtTheRoot) {
  file("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
  file("sys/fs/cgroup/memory.max", "1048576\n");
  EXPECT_THAT(refusal(1048577), HasSubstr("(control group /) is 1.0 MiB"));
}

TEST_F(Limits, GroupsOfVersion1) {
  file("proc/self/cgroup", "12:cpu,cpuacct:/\n9:memory:/a\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(refusal(int64_t(1) << 29), "");
  file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1048576\n");
  EXPECT_THAT(refusal(1048577), HasSubstr("(control group /a) is 1.0 MiB"));
}

TEST_F(Limits, DamagedFilesLimitNothing) {
  file("proc/self/cgroup", "rubbish\n::\n0::relative\n");
  file("sys/fs/cgroup/memory.max", "-5\n");
  EXPECT_EQ(refusal(int64_t(1) << 29), "");
}

TEST_F(Limits, TheMachineItself) {
  EXPECT_THAT(refusal(int64_t(1) << 50), HasSubstr("1125899906842624 bytes"));
  EXPECT_THAT(refusal(int64_t(1) << 50), HasSubstr("this machine has"));
}

}  // namespace
}  // namespace heddle
