# Writes ${OUTPUT}, a C++ source with the pages of `heddle explain`, errors/CODE.md in ${FOLDER}:
# cmake -DOUTPUT=... -DFOLDER=errors -P EmbedErrorPages.cmake
file(GLOB pages ${FOLDER}/H????.md)
set(text "// Made from errors/*.md by EmbedErrorPages.cmake.\nnamespace heddle {\n")
foreach(page ${pages})
  get_filename_component(code ${page} NAME_WE)
  file(READ ${page} body)
  string(APPEND text "extern const char *const errorPage${code};\n"
                     "const char *const errorPage${code} = R\"heddle(${body})heddle\";\n")
endforeach()
file(WRITE ${OUTPUT} "${text}} // namespace heddle\n")
