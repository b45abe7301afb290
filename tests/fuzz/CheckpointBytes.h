// A checkpoint's checksums, put right again after a mutation: else every input but the seeds would end at them, and
// what lies behind would never be reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace heddle::fuzz {

/// Makes the bytes of a mutated safetensors file consistent as far as can be: the length in its first 8 bytes reaches
/// to the end of the header's outermost brace, the checksum of every tensor and of the header are those of the bytes.
/// Bytes whose header is not JSON stay as they are.
void repairCheckpoint(std::string &bytes);

} // namespace heddle::fuzz
