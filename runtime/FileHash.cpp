// See FileHash.h. The state is a member, so that hashing takes no memory but at its start.
#define XXH_INLINE_ALL
#include "runtime/FileHash.h"

#include <xxhash.h>

namespace heddle {

struct FileHash::State {
  XXH64_state_t xxh;
};

FileHash::FileHash() : state(std::make_unique<State>()) { XXH64_reset(&state->xxh, 0); }
FileHash::~FileHash() = default;
FileHash::FileHash(FileHash&&) noexcept = default;
void FileHash::add(std::string_view piece) { XXH64_update(&state->xxh, piece.data(), piece.size()); }
uint64_t FileHash::digest() const { return XXH64_digest(&state->xxh); }

}  // namespace heddle
