# pleat_revision: says which sources a program was built from, see cmake/WriteRevision.cmake. It is looked up whenever
# something is built, not when CMake configures, and compiled anew only when it is another one.
set(PLEAT_KNOWN_REVISION "" CACHE STRING "The commit, for a build without the git history")
find_package(Git QUIET)
set(revision_source ${PROJECT_BINARY_DIR}/revision/revision.cc)
add_custom_target(pleat_write_revision
  COMMAND ${CMAKE_COMMAND} -DSOURCE_FOLDER=${PROJECT_SOURCE_DIR} -DKNOWN_REVISION=${PLEAT_KNOWN_REVISION}
          -DGIT=${GIT_EXECUTABLE} -DOUTPUT=${revision_source} -P ${PROJECT_SOURCE_DIR}/cmake/WriteRevision.cmake
  BYPRODUCTS ${revision_source}
  COMMENT ""
  VERBATIM)
