# PLEAT_REVISION: the commit that is built, written into every result file; "unknown" outside a git checkout, unless
# PLEAT_KNOWN_REVISION says it.
set(PLEAT_KNOWN_REVISION "" CACHE STRING "The commit, for a build without the git history")
find_package(Git QUIET)
set(PLEAT_REVISION unknown)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} describe --always --dirty --abbrev=12
                  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(PLEAT_REVISION ${revision})
  endif()
endif()
if(PLEAT_KNOWN_REVISION)
  set(PLEAT_REVISION ${PLEAT_KNOWN_REVISION})
endif()
