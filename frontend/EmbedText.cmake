# Writes ${OUTPUT}, a C++ source with the libraries' texts: cmake -DOUTPUT=... -DINPUT=std/nn.heddle -P EmbedText.cmake
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// Made from std/nn.heddle by EmbedText.cmake.
#include \"frontend/ModuleTable.h\"
namespace heddle {
const char *libraryText(const std::string &path, std::string &name) {
  if (path != \"std.nn\") return nullptr;
  name = \"std/nn.heddle\";
  return R\"heddle(${text})heddle\";
}
} // namespace heddle
")
