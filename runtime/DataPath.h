// Where a program may read its data from.
#ifndef HEDDLE_RUNTIME_DATAPATH_H
#define HEDDLE_RUNTIME_DATAPATH_H
#include <string>

namespace heddle {

/// The file that a program's text calls `path`: inside `base`, the directory of the .heddle file. A program is often
/// somebody else's, so a path that leaves that directory (absolute, `..`, or through a symbolic link) is refused;
/// `--data` on the command line is the user's own word and is not restricted. Errors call the path `what` and end with
/// `help`. Throws RunError(kData).
std::string resolveDataPath(const std::string& base, const std::string& path, const char* what = "data path",
                            const char* help = "`--data PATH` on the command line may name any file");

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_DATAPATH_H
