// A directory as bytes, so that a fuzzer can make one.
//
//   entry   KIND NAME LENGTH\n and LENGTH bytes, any number of times
//   KIND    f a file; d a directory; l a symbolic link to what the bytes say; p a FIFO
//   NAME    without slashes; anything else in it may be odd
//
// Whatever the bytes are, they unpack to something: an entry that cannot be read ends the archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::fuzz {

struct ArchiveEntry {
  char kind = 'f';
  std::string name, bytes;
};
std::vector<ArchiveEntry> readArchive(std::string_view bytes);
std::string writeArchive(const std::vector<ArchiveEntry> &entries);

/// Makes the directory `path` with the archive's entries in it; of two with one name, the first.
void unpack(std::string_view archive, const std::string &path);

/// Changes an archive in place, as LLVMFuzzerCustomMutator: its entries (dropped, copied, renamed, of another kind) and
/// their bytes, checkpoints with their checksums put right half of the time.
size_t mutateArchive(uint8_t *data, size_t size, size_t maxSize, unsigned seed);

/// The text that the tiny program of the seeds trains on.
std::string archiveCorpus();

} // namespace heddle::fuzz
