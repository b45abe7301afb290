// See Archive.h.
#include "Archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace heddle::fuzz {

std::vector<ArchiveEntry> readArchive(std::string_view bytes) {
  std::vector<ArchiveEntry> entries;
  while (entries.size() < 32) {
    size_t line = bytes.find('\n');
    if (line == std::string_view::npos || line < 5)
      break;
    std::string_view head = bytes.substr(0, line);
    size_t space = head.rfind(' ');
    size_t length = 0;
    if (head[1] != ' ' || space < 3 || std::from_chars(head.data() + space + 1, head.data() + line, length).ec != std::errc())
      break;
    ArchiveEntry entry{head[0], std::string(head.substr(2, space - 2)), {}};
    bytes.remove_prefix(line + 1);
    entry.bytes = bytes.substr(0, length);
    bytes.remove_prefix(std::min(length, bytes.size()));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string writeArchive(const std::vector<ArchiveEntry> &entries) {
  std::string all;
  for (const ArchiveEntry &entry : entries)
    all += fmt::format("{} {} {}\n{}", entry.kind, entry.name, entry.bytes.size(), entry.bytes);
  return all;
}

void unpack(std::string_view archive, const std::string &path) {
  std::filesystem::create_directory(path);
  for (const ArchiveEntry &entry : readArchive(archive)) {
    if (entry.name == "." || entry.name == ".." || entry.name.find('/') != std::string::npos ||
        entry.name.find('\0') != std::string::npos)
      continue;
    std::string name = path + "/" + entry.name;
    struct stat status;
    if (lstat(name.c_str(), &status) == 0)
      continue; // of two entries the first stands: writing to a FIFO would wait for its reader
    std::string target = entry.bytes.substr(0, entry.bytes.find('\0'));
    bool made = entry.kind == 'd'   ? mkdir(name.c_str(), 0700) == 0
                : entry.kind == 'p' ? mkfifo(name.c_str(), 0600) == 0
                // A link leads to another entry or to the file beside the directory, and never to the machine's own.
                : entry.kind == 'l' ? symlink(target.find('/') == std::string::npos ? target.c_str() : "../outside", name.c_str()) == 0
                                    : false;
    if (!made && entry.kind == 'f')
      std::ofstream(name, std::ios::binary) << entry.bytes;
  }
}

std::string archiveCorpus() {
  std::string text;
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i)
    text += "abcdefg"[i % 3 ? (i / 3) % 7 : random() % 7];
  return text;
}

} // namespace heddle::fuzz
