# What `cmake --install BUILD --prefix PREFIX` copies: a tree that may be moved as a whole, and needs neither source nor
# build folder. bin/heddle finds the parts of native programs by its own path (codegen/cpp/NativeParts), so places under
# PREFIX are fixed.
#
#   bin/heddle                      the command; bin/heddle-opt with the component `developer`
#   lib/heddle/                     libheddle_runtime.a
#   include/heddle/                 runtime/*.h, and hwy/ of Highway
#   lib/cmake/Heddle/               find_package(Heddle) gives Heddle::runtime
#   share/heddle/                   examples/, docs/, licences/ of what is copied or linked in
include(CMakePackageConfigHelpers)

# MLIR's libraries stand where they stood for the build; nothing of the build folder is kept.
set_target_properties(heddle heddle-opt PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS heddle RUNTIME DESTINATION bin COMPONENT heddle)
install(TARGETS heddle-opt RUNTIME DESTINATION bin COMPONENT developer)
install(TARGETS heddle_runtime EXPORT HeddleTargets ARCHIVE DESTINATION lib/heddle COMPONENT heddle)
install(DIRECTORY runtime DESTINATION include/heddle COMPONENT heddle FILES_MATCHING PATTERN "*.h")

find_path(HIGHWAY_INCLUDE hwy/highway.h REQUIRED)
install(DIRECTORY ${HIGHWAY_INCLUDE}/hwy DESTINATION include/heddle COMPONENT heddle FILES_MATCHING PATTERN "*.h"
        PATTERN contrib EXCLUDE PATTERN tests EXCLUDE PATTERN "nanobenchmark.h" EXCLUDE)

file(STRINGS codegen/cpp/CppFlags.def HEDDLE_EMITTED_FLAGS REGEX "^FLAG")
list(TRANSFORM HEDDLE_EMITTED_FLAGS REPLACE "FLAG\\(\"(.*)\"\\)" "\\1")
list(JOIN HEDDLE_EMITTED_FLAGS " " HEDDLE_EMITTED_FLAGS)
configure_package_config_file(cmake/HeddleConfig.cmake.in ${PROJECT_BINARY_DIR}/HeddleConfig.cmake
                              INSTALL_DESTINATION lib/cmake/Heddle)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/HeddleConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${PROJECT_BINARY_DIR}/HeddleConfig.cmake ${PROJECT_BINARY_DIR}/HeddleConfigVersion.cmake
        DESTINATION lib/cmake/Heddle COMPONENT heddle)
install(EXPORT HeddleTargets NAMESPACE Heddle:: DESTINATION lib/cmake/Heddle COMPONENT heddle)

install(FILES README.md DESTINATION share/heddle COMPONENT heddle)
install(DIRECTORY docs examples DESTINATION share/heddle COMPONENT heddle USE_SOURCE_PERMISSIONS
        PATTERN "out" EXCLUDE PATTERN "corpus.txt" EXCLUDE PATTERN "*.csv" EXCLUDE PATTERN "*.tsv" EXCLUDE PATTERN "*.json" EXCLUDE
        PATTERN "*.safetensors" EXCLUDE PATTERN "__pycache__" EXCLUDE)
install(FILES cmake/licences.md DESTINATION share/heddle/licences RENAME README.md COMPONENT heddle)
# Debian's notes, and the licences that they refer to.
foreach(package libhwy-dev libfmt-dev nlohmann-json3-dev libxxhash-dev libcli11-dev libpng-dev zlib1g-dev)
  install(FILES /usr/share/doc/${package}/copyright DESTINATION share/heddle/licences RENAME ${package} OPTIONAL
          COMPONENT heddle)
endforeach()
install(FILES /usr/share/common-licenses/Apache-2.0 DESTINATION share/heddle/licences OPTIONAL COMPONENT heddle)
