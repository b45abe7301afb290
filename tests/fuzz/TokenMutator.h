// Mutations of texts by their tokens: bytes alone hardly ever give a program that gets past the parser, and what lies
// behind it is where the interesting bugs are.
//
// A text is cut into words, numbers, strings, punctuation and white space; a mutation moves, swaps, copies, drops or
// replaces tokens, bracketed groups and lines, and puts numbers at the edges of their types. It knows no grammar, so it
// serves .heddle and MLIR alike.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle::fuzz {

/// Changes `data` in place, as LLVMFuzzerCustomMutator; returns the new size, at most `maxSize`. One mutation in four is
/// libFuzzer's own, of bytes and dictionary words.
size_t mutateTokens(uint8_t *data, size_t size, size_t maxSize, unsigned seed);

/// Lines of two texts, as LLVMFuzzerCustomCrossOver: a run of lines of the second goes into the first.
size_t crossLines(const uint8_t *first, size_t firstSize, const uint8_t *second, size_t secondSize, uint8_t *out,
                  size_t maxSize, unsigned seed);

} // namespace heddle::fuzz
