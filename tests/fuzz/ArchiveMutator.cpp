// Mutations of an archive: see Archive.h.
#include "Archive.h"
#include "CheckpointBytes.h"

#include <algorithm>
#include <cstring>
#include <random>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace heddle::fuzz {
namespace {

const char *const names[] = {"step-2.safetensors", "step-4.safetensors", "step-6.safetensors", "step-7.safetensors",
                             "step-0.safetensors", "step-05.safetensors", "step--1.safetensors", "step-.safetensors",
                             "step-9223372036854775807.safetensors", "step-9223372036854775808.safetensors",
                             "step-2147483647.safetensors", "step-4294967296.safetensors", "step-4.safetensors.safetensors",
                             "metrics.jsonl", ".lock", ".step-4.safetensors.99.heddle-tmp", ".x.heddle-tmp", ".heddle-tmp", "x"};
const char *const links[] = {"step-2.safetensors", "step-4.safetensors", "metrics.jsonl", ".lock", "absent", "/outside", "."};

class Mutation {
public:
  Mutation(std::string_view archive, unsigned seed) : random(seed), entries(readArchive(archive)) {}

  void once(size_t room) {
    if (entries.empty())
      entries.push_back({'f', anyName(), "{\"step\":1}\n"});
    ArchiveEntry &entry = entries[below(entries.size())];
    switch (below(10)) {
    case 0: entries.erase(entries.begin() + below(entries.size())); break;
    case 1: entries.push_back(ArchiveEntry(entry)), entries.back().name = anyName(); break;
    case 2: entry.name = anyName(); break;
    case 3: entry.kind = "fdlp"[below(4)]; if (entry.kind == 'l') entry.bytes = links[below(std::size(links))]; break;
    case 4: std::swap(entry.name, entries[below(entries.size())].name); break;
    case 5: std::swap(entry.bytes, entries[below(entries.size())].bytes); break;
    case 6: entry.bytes.resize(below(entry.bytes.size() + 1)); break;
    default: mutate(entry, room);
    }
  }
  std::string text() const { return writeArchive(entries); }
  size_t below(size_t n) { return n ? random() % n : 0; }

private:
  std::string anyName() { return names[below(std::size(names))]; }
  void mutate(ArchiveEntry &entry, size_t room) {
    std::string bytes = entry.bytes;
    bytes.resize(bytes.size() + std::min<size_t>(room, 64));
    size_t size = LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), entry.bytes.size(), bytes.size());
    bytes.resize(size);
    if (below(2) && entry.name.ends_with(".safetensors"))
      repairCheckpoint(bytes);
    entry.bytes = bytes;
  }

  std::mt19937 random;
  std::vector<ArchiveEntry> entries;
};

} // namespace

size_t mutateArchive(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  if (seed % 16 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  Mutation mutation({reinterpret_cast<const char *>(data), size}, seed);
  for (size_t n = 1 + mutation.below(3); n > 0; --n)
    mutation.once(maxSize > size ? maxSize - size : 0);
  std::string text = mutation.text();
  size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}

} // namespace heddle::fuzz
