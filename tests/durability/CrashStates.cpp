// See CrashStates.h.
#include "CrashStates.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace heddle::crash {
namespace {

std::string parentOf(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string unhex(const std::string& text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) bytes += char(digit(text[i]) * 16 + digit(text[i + 1]));
  return bytes;
}

}  // namespace

int Model::fileAt(const std::string& path) const {
  auto found = names.find(path);
  if (found == names.end()) throw std::runtime_error("the trace names " + path + ", which is not there");
  return found->second;
}

void Model::apply(const std::string& line) {
  std::istringstream words(line);
  std::string call, a, b;
  int fd;
  words >> call;
  if (call == "process") {
    open.clear();
  } else if (call == "open") {
    words >> fd >> a >> b;
    if (a == "new") {
      files.emplace_back();
      names[b] = int(files.size()) - 1;
      pendingNames.push_back({parentOf(b), b, "", names[b]});
    }
    bool directory = a == "directory";
    if (a == "cut") files[fileAt(b)].pending.push_back({true, 0, ""});
    open[fd] = {directory, b, directory ? -1 : fileAt(b)};
  } else if (call == "close") {
    words >> fd;
    open.erase(fd);
  } else if (call == "write") {
    uint64_t at;
    words >> fd >> at >> a;
    files[open.at(fd).file].pending.push_back({false, at, unhex(a)});
  } else if (call == "truncate") {
    uint64_t size;
    words >> fd >> size;
    files[open.at(fd).file].pending.push_back({true, size, ""});
  } else if (call == "sync") {
    words >> fd;
    sync(fd);
  } else if (call == "rename") {
    words >> a >> b;
    rename(a, b);
  } else if (call == "unlink") {
    words >> a;
    fileAt(a);
    names.erase(a);
    pendingNames.push_back({parentOf(a), "", a, 0});
  } else if (call == "mkdir") {
    words >> a;
    names[a] = -1;
    pendingNames.push_back({parentOf(a), a, "", -1});
  } else {
    throw std::runtime_error("no line of a trace: " + line);
  }
}

void Model::rename(const std::string& from, const std::string& to) {
  int file = fileAt(from);
  names.erase(from);
  names[to] = file;
  pendingNames.push_back({parentOf(to), to, from, file});
  size_t name = to.rfind("step-");
  if (name != std::string::npos) renamedStep = std::stoll(to.substr(name + 5)), renamedIn = parentOf(to);
}

void Model::sync(int fd) {
  const Descriptor& d = open.at(fd);
  if (!d.directory) {
    bool metrics = d.path.ends_with("metrics.jsonl");
    if (metrics ? without.metricsSync : without.fileSync) return;
    File& file = files[d.file];
    std::string now = file.durable;
    for (const Change& c : file.pending) {
      if (c.resize) {
        now.resize(c.at);
      } else {
        now.resize(std::max<uint64_t>(now.size(), c.at + c.data.size()));
        now.replace(c.at, c.data.size(), c.data);
      }
    }
    file.durable = now;
    file.pending.clear();
    return;
  }
  if (renamedStep >= 0 && d.path == renamedIn) {
    commits.insert(renamedStep);
    renamedStep = -1;
  }
  if (without.directorySync) return;
  std::vector<NameChange> later;
  for (const NameChange& c : pendingNames) {
    if (c.directory != d.path) {
      later.push_back(c);
      continue;
    }
    if (!c.remove.empty()) durableNames.erase(c.remove);
    if (!c.add.empty()) durableNames[c.add] = c.file;
  }
  pendingNames = later;
}

Disk Model::choose(const Choose& yes, uint64_t sector) const {
  std::map<std::string, int> there = durableNames;
  for (const NameChange& c : pendingNames) {
    if (!yes()) continue;
    if (!c.remove.empty()) there.erase(c.remove);
    if (!c.add.empty()) there[c.add] = c.file;
  }
  Disk disk;
  for (auto& [path, file] : there) {
    // Without its directory's name nobody finds it. The map is sorted: a directory comes before what is in it.
    std::string parent = parentOf(path);
    if (parent != "." && !disk.count(parent)) continue;
    if (file < 0) {
      disk[path] = std::string(1, '/');
      continue;
    }
    std::string data = files[file].durable;
    uint64_t size = data.size();
    for (const Change& c : files[file].pending) {
      if (c.resize) {
        if (yes()) size = c.at, data.resize(std::min<uint64_t>(data.size(), c.at));
        continue;
      }
      uint64_t end = c.at + c.data.size();
      if (yes()) size = std::max(size, end);
      for (uint64_t at = c.at; at < end;) {
        uint64_t next = std::min(end, (at / sector + 1) * sector);
        if (yes()) {
          data.resize(std::max<uint64_t>(data.size(), next));
          data.replace(at, next - at, c.data, at - c.at, next - at);
        }
        at = next;
      }
    }
    data.resize(size);
    disk[path] = data;
  }
  return disk;
}

Disk Model::everything() const {
  return choose([] { return true; }, 4096);
}
Disk Model::durableOnly() const {
  return choose([] { return false; }, 4096);
}
Disk Model::randomly(std::mt19937& random) const {
  uint32_t odds = std::uniform_int_distribution<uint32_t>(1, 9)(random);  // tenths
  return choose([&] { return random() % 10 < odds; }, random() % 2 ? 512 : 4096);
}

}  // namespace heddle::crash
