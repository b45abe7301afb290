// Makes sure that a compiler fits on the stack of this process.
#pragma once

namespace heddle {

/// Raises the soft limit on the stack where the hard one allows it. Returns exitDone, or says that the stack is too small
/// and returns exitInputOutput: to be called first, since what comes later would crash.
int ensureStack();

} // namespace heddle
