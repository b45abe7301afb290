// --memory: training that fits in so many bytes, by saving less of the forward for the backward.
#pragma once

#include "tools/heddle/Compilation.h"

namespace heddle {

/// Where pipeline.memory is given: sets pipeline.recomputeUpTo to the least with which the peak of training, as --dry-run
/// tells it for so many threads, fits; and says what is computed again. Cheapest values go first, by FLOPs for each byte that
/// they take. Returns exitDone; exitUsage for what is no size, or a program that cannot be changed any more; or exitInputOutput
/// if nothing fits, after saying the least that would.
int fitMemory(Compilation &compilation, const TargetInfo &target, int threads);

} // namespace heddle
