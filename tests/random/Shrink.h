// Makes a program that fails small, as long as it fails in the same way.
#pragma once
#include "tests/random/Worker.h"

namespace heddle {

/// The text of a seed's program.
std::string programText(uint64_t seed);

/// The smallest program found in about two minutes that has a finding of the same kind; `text` itself if none is smaller.
std::string shrink(const std::string &text, const Finding &finding, const TrialOptions &options, double timeout);

}  // namespace heddle
