// What happens when Heddle itself is wrong: an exception that nobody expected, a failed assertion, a bad access, a pass that
// fails on a program of the frontend.
//
// The report is a list of records, `KEY BYTES` on a line and then so many bytes and a line break, after a first line that
// says what it is. Keys: what; command, for people; folder; argument (each); environment (NAME=VALUE, each that Heddle
// reads); pass, the one that ran, passes, those of its stage up to it, and ir, the program before them; file and text, in
// turn, of each file that was read (`-`: stdin; a file above 64 MiB has no text). `heddle replay` runs it again.
#pragma once

#include <string_view>

namespace heddle {

inline constexpr std::string_view kReportTitle = "heddle report 1\n";

/// From here on a crash prints what to do, leaves a report in TMPDIR (or /tmp), and ends with exit code 70. `argv` must stay
/// valid.
void reportInternalErrors(int argc, char **argv);

/// Does the same at once, for an error that was noticed. Does not return.
[[noreturn]] void internalError(std::string_view what);

/// A file that was read, for the report; "" and "-" are ignored. At most 96 are kept.
void noteFile(std::string_view path);
/// What was read from stdin. The text must stay valid.
void noteInput(std::string_view text);
/// The pass that runs now, the passes that lead from `ir` to its end, and `ir`; or nothing. All must stay valid until the
/// next call.
void notePass(std::string_view pass, std::string_view passes, std::string_view ir);

} // namespace heddle
