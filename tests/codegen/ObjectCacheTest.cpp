// What the folder of compiled code gives back is what was stored, bit by bit, or nothing: whatever lies there instead, and
// whoever else writes.
#include "codegen/llvm/ObjectCache.h"
#include "codegen/cpp/TemporaryFolder.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heddle;
namespace fs = std::filesystem;

namespace {
struct Cache : testing::Test {
  TemporaryFolder scratch = llvm::cantFail(TemporaryFolder::make());
  std::string folder = scratch.file("above") + "/cache";
  ObjectCache cache{folder};
  const std::string key = ObjectCache::keyOf("source");
  const std::string content = std::string("code\0with a NUL", 15) + std::string(3000, 'x');

  void keep(const ObjectCache &in, llvm::StringRef key, llvm::StringRef content) {
    llvm::Error error = in.store(key, content);
    EXPECT_FALSE(error) << llvm::toString(std::move(error));
  }
  static std::string read(const fs::path &file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void write(const fs::path &file, const std::string &bytes) { std::ofstream(file, std::ios::binary) << bytes; }
  fs::path only() const { return fs::directory_iterator(folder)->path(); }
  size_t count() const { return std::distance(fs::directory_iterator(folder), fs::directory_iterator()); }
  static mode_t mode(const fs::path &path) {
    struct stat status {};
    stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }
};

struct Variable {
  Variable(const char *name, const char *value)
      : name(name), old(std::getenv(name) ? std::getenv(name) : ""), had(std::getenv(name)) {
    value ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Variable() { had ? setenv(name, old.c_str(), 1) : unsetenv(name); }
  const char *name;
  std::string old;
  bool had;
};
}  // namespace

TEST_F(Cache, GivesBackWhatWasStored) {
  EXPECT_FALSE(cache.load(key));
  keep(cache, key, content);
  EXPECT_EQ(cache.load(key), content);
  EXPECT_FALSE(cache.load(ObjectCache::keyOf("other source")));
  EXPECT_EQ(ObjectCache(folder).load(key), content);
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(cache.size(), fs::file_size(only()));
  EXPECT_EQ(mode(folder), 0700u);
  EXPECT_EQ(mode(only()), 0600u);
  keep(cache, key, "");
  EXPECT_EQ(cache.load(key), "");
}

TEST_F(Cache, WithoutAFolderKeepsNothing) {
  ObjectCache off{""};
  EXPECT_FALSE(off.enabled());
  keep(off, key, content);
  EXPECT_FALSE(off.load(key));
}

TEST_F(Cache, KeysTellSourcesApart) {
  EXPECT_EQ(key, ObjectCache::keyOf("source"));
  EXPECT_NE(key, ObjectCache::keyOf("source "));
  EXPECT_EQ(key.size(), 32u);
}

// Each way in which a file can be wrong: it counts as not there, and is written again.
TEST_F(Cache, ServesNothingDamaged) {
  keep(cache, key, content);
  const fs::path file = only();
  const std::string good = read(file);
  auto refuses = [&](const std::string &what) {
    EXPECT_FALSE(cache.load(key)) << what;
    keep(cache, key, content);
    EXPECT_EQ(cache.load(key), content) << what;
    EXPECT_EQ(read(file), good) << what;
  };
  for (size_t i = 0; i < good.size(); i += i < 128 ? 1 : 37) {
    std::string bytes = good;
    bytes[i] ^= 4;
    write(file, bytes);
    refuses("bit flipped in byte " + std::to_string(i));
  }
  for (size_t length = 0; length < good.size(); length += length < 128 ? 1 : 101) {
    fs::resize_file(file, length);
    refuses("cut to " + std::to_string(length));
  }
  write(file, good + "x");
  refuses("a byte more");
  write(file, std::string(100000, '\0'));
  refuses("zeros");
  fs::remove(file);
  fs::create_symlink(scratch.file("elsewhere"), file);
  write(scratch.file("elsewhere"), good);
  refuses("a link");
  fs::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  refuses("a pipe");
}

TEST_F(Cache, ServesNoFileOfAnotherKey) {
  keep(cache, key, content);
  std::string other = ObjectCache::keyOf("other source");
  fs::path renamed = only().parent_path() / (other + only().extension().string());
  fs::rename(only(), renamed);
  EXPECT_FALSE(cache.load(other));
}

TEST_F(Cache, ADirectoryInTheWayIsAnError) {
  keep(cache, key, content);
  fs::path file = only();
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_FALSE(cache.load(key));
  EXPECT_TRUE(bool(llvm::Error(cache.store(key, content))));
  EXPECT_EQ(count(), 1u) << "no temporary stays";
}

TEST_F(Cache, FoldersThatCannotBeUsedAreToldAndLeftAlone) {
  auto refused = [&](const std::string &folder, const std::string &words) {
    ObjectCache cache(folder);
    EXPECT_FALSE(cache.load(key)) << folder;
    std::string said = llvm::toString(cache.store(key, content));
    EXPECT_NE(said.find(words), std::string::npos) << folder << ": " << said;
    EXPECT_FALSE(cache.load(key)) << folder;
    EXPECT_EQ(cache.size(), 0u);
  };
  write(scratch.file("file"), "");
  refused(scratch.file("file"), "Not a directory");
  refused(scratch.file("file") + "/below", "Not a directory");
  refused("/proc/nothing", "No such file");
  keep(cache, key, content);
  for (mode_t open : {0770, 0707}) {
    chmod(folder.c_str(), open);
    EXPECT_FALSE(cache.load(key));
    EXPECT_NE(llvm::toString(cache.store(key, content)).find("written by others"), std::string::npos);
  }
  chmod(folder.c_str(), 0755);
  EXPECT_EQ(cache.load(key), content);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(folder.c_str(), 12345, 12345), 0);
    EXPECT_FALSE(cache.load(key));
    EXPECT_NE(llvm::toString(cache.store(key, content)).find("written by others"), std::string::npos);
  }
}

TEST_F(Cache, TheLeastRecentlyUsedGo) {
  ObjectCache small(folder, 5000);
  std::string keys[4];
  for (int i = 0; i < 4; ++i) keys[i] = ObjectCache::keyOf("source " + std::to_string(i));
  auto used = [&](const std::string &key, int secondsAgo) {
    for (auto &entry : fs::directory_iterator(folder))
      if (entry.path().stem() == key)
        fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::seconds(secondsAgo));
  };
  write(scratch.file("above/mine"), std::string(100000, 'x'));
  for (int i = 0; i < 3; ++i) {
    keep(small, keys[i], std::string(1400, 'a' + i));
    used(keys[i], 100 - i);
  }
  write(folder + "/notes.txt", std::string(100000, 'x'));  // of the user
  EXPECT_TRUE(small.load(keys[0]));                        // so the second is the oldest now
  keep(small, keys[3], std::string(1400, 'd'));
  small.trim();
  EXPECT_TRUE(small.load(keys[0]));
  EXPECT_FALSE(small.load(keys[1]));
  EXPECT_TRUE(small.load(keys[2]));
  EXPECT_TRUE(small.load(keys[3]));
  EXPECT_LE(small.size(), 5000u);
  EXPECT_TRUE(fs::exists(folder + "/notes.txt"));
  EXPECT_TRUE(bool(llvm::Error(small.store(keys[1], std::string(6000, 'x'))))) << "larger than all may be";
  EXPECT_TRUE(small.load(keys[0]));
}

// Writers and readers in processes of their own: a reader sees nothing or all of one version.
TEST_F(Cache, ProcessesShareIt) {
  constexpr int kProcesses = 4, kRounds = 200;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    pid_t child = fork();
    if (child == 0) {
      std::string mine(20000 + p, 'a' + p);
      bool good = true;
      for (int i = 0; i < kRounds; ++i) {
        if (llvm::Error error = cache.store(key, mine)) good = false, llvm::consumeError(std::move(error));
        std::optional<std::string> seen = cache.load(key);
        good &= seen && *seen == std::string(20000 + ((*seen)[0] - 'a'), (*seen)[0]);
      }
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(count(), 1u) << "no temporary stays";
}

TEST_F(Cache, TheEnvironmentChoosesItsFolder) {
  Variable home("HOME", "/home/me"), xdg("XDG_CACHE_HOME", nullptr), own("HEDDLE_CACHE", nullptr);
  EXPECT_EQ(ObjectCache::chosenFolder(), "/home/me/.cache/heddle");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(ObjectCache::chosenFolder(), "/home/me/.cache/heddle");
  setenv("XDG_CACHE_HOME", "/caches", 1);
  EXPECT_EQ(ObjectCache::chosenFolder(), "/caches/heddle");
  setenv("HEDDLE_CACHE", "/mine", 1);
  EXPECT_EQ(ObjectCache::chosenFolder(), "/mine");
  for (const char *off : {"off", ""}) {
    setenv("HEDDLE_CACHE", off, 1);
    EXPECT_EQ(ObjectCache::chosenFolder(), "");
  }
  unsetenv("HEDDLE_CACHE"), unsetenv("XDG_CACHE_HOME"), unsetenv("HOME");
  EXPECT_EQ(ObjectCache::chosenFolder(), "");
}
