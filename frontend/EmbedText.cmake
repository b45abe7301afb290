# Writes ${OUTPUT}, a C++ source with the libraries' texts: cmake -DOUTPUT=... -DFOLDER=std -P EmbedText.cmake
file(GLOB texts RELATIVE ${FOLDER} ${FOLDER}/*.heddle)
set(cases "")
foreach(file ${texts})
  file(READ ${FOLDER}/${file} text)
  string(REPLACE ".heddle" "" stem ${file})
  string(APPEND cases "  if (path == \"std.${stem}\") {
    name = \"std/${file}\";
    return R\"heddle(${text})heddle\";
  }
")
endforeach()
file(WRITE ${OUTPUT} "// Made from std/*.heddle by EmbedText.cmake.
#include \"frontend/ModuleTable.h\"
namespace heddle {
const char *libraryText(const std::string &path, std::string &name) {
${cases}  return nullptr;
}
} // namespace heddle
")
