// What a power cut may leave on a disk: the trace of a run's changes (FaultShim.cpp), replayed in a model of a file system
// that promises no more than POSIX does (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014).
//
// What was written to a file is there for sure only after its fsync: before, any subset of its sectors may be (the others
// hold what was there, or zeros), and its size may be that of before or after any change. What happened to the names in a
// directory is there for sure only after the directory's fsync: before, any subset of the creations, renames (each whole),
// removals may be. A file's fsync does not make its name durable.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace heddle::crash {

/// Path, below the root of the trace, to contents; directories have the value "/".
using Disk = std::map<std::string, std::string>;

/// Leaves out calls that a program under test might have forgotten, to see whether the test would notice.
struct Without {
  bool fileSync = false, directorySync = false, metricsSync = false;
};

class Model {
public:
  explicit Model(Without without) : without(without) {}

  /// Replays one line of the trace.
  void apply(const std::string& line);
  /// Steps whose checkpoint was committed so far: its rename was followed by the fsync of its directory.
  const std::set<int64_t>& committed() const { return commits; }

  Disk everything() const;  // as after a kill: the system goes on
  Disk durableOnly() const; // nothing but what was synchronised
  /// A random legal outcome.
  Disk randomly(std::mt19937& random) const;

private:
  struct Change {  // of a file's data: a write, or a new size
    bool resize;
    uint64_t at;  // offset, or size
    std::string data;
  };
  struct File {
    std::string durable;
    std::vector<Change> pending;
  };
  struct NameChange {
    std::string directory, add, remove;  // paths; "" for none
    int file;                            // of `add`; -1 is a directory
  };
  using Choose = std::function<bool()>;

  Disk choose(const Choose& yes, uint64_t sector) const;
  void sync(int fd);
  void rename(const std::string& from, const std::string& to);
  int fileAt(const std::string& path) const;

  Without without;
  std::vector<File> files;
  std::map<std::string, int> durableNames, names;  // of the disk; of the running system
  std::vector<NameChange> pendingNames;
  struct Descriptor {
    bool directory;
    std::string path;
    int file;
  };
  std::map<int, Descriptor> open;
  std::set<int64_t> commits;
  int64_t renamedStep = -1;  // of a checkpoint whose new name is not durable yet
  std::string renamedIn;     // the directory of that name
};

}  // namespace heddle::crash
