// Which call fails, and how: shared by the two halves of the shim (FaultShim.cpp for files, FaultMemory.cpp for malloc).
#pragma once

namespace fault {

enum class Call { kOpen, kClose, kRead, kWrite, kFsync, kFdatasync, kFtruncate, kRename, kUnlink, kMkdir, kFlock, kStat,
                  kMmap, kThread, kMalloc };

void readPlan();     // FAULT_FAIL, FAULT_COUNTS
void writeCounts();  // to FAULT_COUNTS
/// Counts the call. If it is the one to fail, sets errno and returns true.
bool fails(Call call);
/// Is the write that was counted last to be a short one?
bool writesShort();

}  // namespace fault
