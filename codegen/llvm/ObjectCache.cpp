// See ObjectCache.h. A file is written whole under a name of its own and then renamed, so that a reader sees all of it or
// none, whoever else writes. Nothing is synchronised: what a power cut takes or tears, the checksum finds.
#include "codegen/llvm/ObjectCache.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <filesystem>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace heddle;
namespace fs = std::filesystem;

static constexpr char kSuffix[] = ".heddle-code";
static constexpr llvm::StringLiteral kTitle = "heddle code 1\n";
static constexpr size_t kHashDigits = 32;
static constexpr size_t kHeader = kTitle.size() + 2 * (kHashDigits + 1);  // title, key, checksum

static std::string hashOf(llvm::StringRef bytes) {
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(llvm::ArrayRef(bytes.bytes_begin(), bytes.size()));
  return llvm::utohexstr(hash.high64, true, 16) + llvm::utohexstr(hash.low64, true, 16);
}

static std::string headerOf(llvm::StringRef key, llvm::StringRef content) {
  return (kTitle + key + "\n" + hashOf(content) + "\n").str();
}

static llvm::Error failure(const std::string &path, const char *what, int error = errno) {
  return llvm::createStringError("%s cannot be %s: %s", path.c_str(), what, std::strerror(error));
}

// The build id of a loaded file, which linkers make of all that is in it; without one, what stat tells of it.
static int addIdentity(dl_phdr_info *loaded, size_t, void *to) {
  std::string &identity = *static_cast<std::string *>(to);
  if (llvm::StringRef(loaded->dlpi_name).starts_with("linux-vdso")) return 0;  // the kernel's, which may be updated
  for (const ElfW(Phdr) &segment : llvm::ArrayRef(loaded->dlpi_phdr, loaded->dlpi_phnum)) {
    if (segment.p_type != PT_NOTE) continue;
    const char *at = reinterpret_cast<const char *>(loaded->dlpi_addr + segment.p_vaddr), *end = at + segment.p_memsz;
    while (end - at >= ptrdiff_t(sizeof(ElfW(Nhdr)))) {
      const auto *note = reinterpret_cast<const ElfW(Nhdr) *>(at);
      const char *name = at + sizeof *note, *bytes = name + llvm::alignTo(note->n_namesz, 4);
      if (note->n_type == NT_GNU_BUILD_ID && llvm::StringRef(name, note->n_namesz) == llvm::StringRef("GNU", 4)) {
        identity.append(bytes, note->n_descsz).push_back('\n');
        return 0;
      }
      at = bytes + llvm::alignTo(note->n_descsz, 4);
    }
  }
  struct stat status {};
  const char *path = *loaded->dlpi_name ? loaded->dlpi_name : "/proc/self/exe";
  int64_t unknown = stat(path, &status) == 0 ? 0 : getpid();  // what is not known is not found again
  for (int64_t part : {int64_t(status.st_size), int64_t(status.st_mtim.tv_sec), int64_t(status.st_mtim.tv_nsec), unknown})
    identity += std::to_string(part) + " ";
  (identity += path).push_back('\n');
  return 0;
}

std::string ObjectCache::keyOf(llvm::StringRef source) {
  static const std::string compiler = [] {
    std::string identity;
    dl_iterate_phdr(addIdentity, &identity);
    return hashOf(identity);
  }();
  return hashOf(compiler + source.str());
}

std::string ObjectCache::chosenFolder() {
  auto variable = [](const char *name) { return std::getenv(name) ? std::string(std::getenv(name)) : ""; };
  if (std::getenv("HEDDLE_CACHE")) return variable("HEDDLE_CACHE") == "off" ? "" : variable("HEDDLE_CACHE");
  if (std::string place = variable("XDG_CACHE_HOME"); fs::path(place).is_absolute()) return place + "/heddle";
  std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/heddle";
}

std::string ObjectCache::fileOf(llvm::StringRef key) const { return folder + "/" + key.str() + kSuffix; }

/// May nobody else write here? What lies in the folder is run as code.
static bool isPrivate(const struct stat &folder) {
  return S_ISDIR(folder.st_mode) && folder.st_uid == geteuid() && !(folder.st_mode & (S_IWGRP | S_IWOTH));
}

llvm::Error ObjectCache::prepare() const {
  std::error_code error;
  fs::path whole = folder.ends_with('/') ? fs::path(folder).parent_path() : fs::path(folder);
  fs::create_directories(whole.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failure(folder, "made");
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) return failure(folder, "read");
  if (!S_ISDIR(status.st_mode)) return failure(folder, "used", ENOTDIR);
  if (!isPrivate(status))
    return llvm::createStringError("%s can be written by others, and what lies there is run as code", folder.c_str());
  if (access(folder.c_str(), W_OK | X_OK) != 0) return failure(folder, "written");
  return llvm::Error::success();
}

std::optional<std::string> ObjectCache::load(llvm::StringRef key) const {
  struct stat status {};
  if (!enabled() || stat(folder.c_str(), &status) != 0 || !isPrivate(status)) return std::nullopt;
  int file = open(fileOf(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return std::nullopt;
  std::string bytes;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && uint64_t(status.st_size) <= mostBytes) {
    bytes.resize(status.st_size);
    size_t done = 0;
    for (ssize_t got = 1; got > 0 && done < bytes.size(); done += got)
      got = std::max<ssize_t>(0, read(file, bytes.data() + done, bytes.size() - done));
    bytes.resize(done);
    futimens(file, nullptr);  // used now
  }
  close(file);
  if (bytes.size() < kHeader) return std::nullopt;
  std::string content = bytes.substr(kHeader);
  bytes.resize(kHeader);
  if (bytes != headerOf(key, content)) return std::nullopt;
  return content;
}

// Files of caches, the least recently used first. Nothing else in the folder is touched, should it be one of the user's.
namespace {
struct CacheFile {
  fs::file_time_type used;
  uint64_t bytes;
  fs::path path;
};
}  // namespace
static std::vector<CacheFile> filesIn(const std::string &folder) {
  std::vector<CacheFile> files;
  std::error_code error, gone;  // another process may remove what is listed here
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == kSuffix && at->symlink_status(gone).type() == fs::file_type::regular) {
      CacheFile file{at->last_write_time(gone), at->file_size(gone), at->path()};
      if (!gone) files.push_back(file);
    }
  llvm::sort(files, [](const CacheFile &a, const CacheFile &b) { return a.used < b.used; });
  return files;
}

uint64_t ObjectCache::size() const {
  uint64_t bytes = 0;
  for (const CacheFile &file : filesIn(folder)) bytes += file.bytes;
  return bytes;
}

llvm::Error ObjectCache::store(llvm::StringRef key, llvm::StringRef content) const {
  if (!enabled()) return llvm::Error::success();
  if (llvm::Error error = prepare()) return error;
  if (kHeader + content.size() > mostBytes) return llvm::createStringError("it is larger than the cache may be");
  std::string temporary = folder + "/XXXXXX" + kSuffix;
  int file = mkostemps(temporary.data(), sizeof kSuffix - 1, O_CLOEXEC);
  if (file < 0) return failure(folder, "written");
  std::string bytes = headerOf(key, content) + content.str();
  size_t done = 0;
  for (ssize_t put = 1; put > 0 && done < bytes.size(); done += put)
    put = std::max<ssize_t>(0, write(file, bytes.data() + done, bytes.size() - done));
  int problem = done < bytes.size() ? errno : 0;
  if (close(file) != 0 || problem || rename(temporary.c_str(), fileOf(key).c_str()) != 0) {
    llvm::Error error = failure(fileOf(key), "written", problem ? problem : errno);
    unlink(temporary.c_str());
    return error;
  }
  return llvm::Error::success();
}

void ObjectCache::trim() const {
  std::vector<CacheFile> files = filesIn(folder);
  uint64_t all = 0;
  for (const CacheFile &old : files) all += old.bytes;
  for (const CacheFile &old : files) {
    if (all <= mostBytes) break;
    std::error_code ignored;
    fs::remove(old.path, ignored);
    all -= old.bytes;
  }
}
