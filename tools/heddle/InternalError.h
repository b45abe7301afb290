// What happens when Heddle itself is wrong: an exception that nobody expected, a failed assertion, a bad access.
#pragma once

#include <string_view>

namespace heddle {

/// From here on a crash prints what to do, leaves a report with the command and its .heddle files in TMPDIR (or /tmp),
/// and ends with exit code 70. `argv` must stay valid.
void reportInternalErrors(int argc, char **argv);

/// Does the same at once, for an error that was noticed. Does not return.
[[noreturn]] void internalError(std::string_view what);

} // namespace heddle
