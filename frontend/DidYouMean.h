// The name that a mistyped word was probably meant to be.
#pragma once

#include "frontend/Diagnostics.h"

#include <string>
#include <string_view>
#include <vector>

namespace heddle {

/// The number of letters to insert, delete, replace or swap (neighbours) to turn one word into the other.
/// Optimal string alignment distance; capital and small letters count as half-different (distance is in halves).
unsigned editDistanceInHalves(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, if one is near enough: at most a third of the longer word's letters differ
/// (and at least one letter agrees). Ties go to the first. Empty if none.
std::string nearest(std::string_view word, const std::vector<std::string> &candidates);

/// "did you mean `x`?", or "" if nothing is near.
std::string didYouMean(std::string_view word, const std::vector<std::string> &candidates);

/// Helps with the nearest candidate, if one is near enough, and offers it in place of the word at `span`.
bool suggest(Diagnostic &diagnostic, Span span, std::string_view word, const std::vector<std::string> &candidates);

} // namespace heddle
