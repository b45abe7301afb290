# Writes ${OUTPUT}, a C++ source with the libraries' texts: cmake -DOUTPUT=... -DFOLDER=std -P EmbedText.cmake
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*.heddle)
list(SORT files)
set(rows "")
foreach(file ${files})
  file(READ ${FOLDER}/${file} text)
  string(REGEX REPLACE "\\.heddle$" "" name ${file})
  string(APPEND rows "    {\"std.${name}\", \"std/${file}\", R\"heddle(${text})heddle\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from frontend/std by EmbedText.cmake.
#include \"frontend/ModuleTable.h\"
namespace heddle {
const std::vector<Library> &libraries() {
  static const std::vector<Library> all = {
${rows}  };
  return all;
}
} // namespace heddle
")
