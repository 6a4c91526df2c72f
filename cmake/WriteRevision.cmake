# cmake -DSOURCE_FOLDER=... -DOUTPUT=FILE [-DKNOWN_REVISION=...] [-DGIT=...] -P WriteRevision.cmake
#
# Writes a source file that defines pleat::revision(): the commit that is built. Where what is compiled is not that of a
# commit it is followed by a hash of all that is compiled, so that no two different programs have one revision: results
# are gone on with, and taken from the cache, by it.
set(compiled src cmake CMakeLists.txt)

function(content_hash result)
  file(GLOB_RECURSE files LIST_DIRECTORIES false RELATIVE ${SOURCE_FOLDER} ${SOURCE_FOLDER}/src/*
       ${SOURCE_FOLDER}/cmake/*)
  list(APPEND files CMakeLists.txt)
  list(SORT files)
  set(all "")
  foreach(file IN LISTS files)
    file(SHA256 ${SOURCE_FOLDER}/${file} hash)
    string(APPEND all "${file} ${hash}\n")
  endforeach()
  string(SHA256 hash "${all}")
  string(SUBSTRING ${hash} 0 12 hash)
  set(${result} ${hash} PARENT_SCOPE)
endfunction()

set(revision "${KNOWN_REVISION}")
if(NOT revision)
  set(no_git YES)
  if(GIT)
    execute_process(COMMAND ${GIT} -C ${SOURCE_FOLDER} describe --always --abbrev=12
                    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE no_git)
  endif()
  if(no_git)
    content_hash(hash)
    set(revision "unknown-${hash}")
  else()
    execute_process(COMMAND ${GIT} -C ${SOURCE_FOLDER} status --porcelain --untracked-files=all -- ${compiled}
                    OUTPUT_VARIABLE changes RESULT_VARIABLE failed)
    set(revision ${commit})
    if(changes OR failed)
      content_hash(hash)
      string(APPEND revision "-dirty-${hash}")
    endif()
  endif()
endif()

set(content "#include \"core/revision.h\"\n\nnamespace pleat {\n\nconst char* revision() { return \"${revision}\"; }\n\n}  // namespace pleat\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL content)
  file(WRITE ${OUTPUT} "${content}")
endif()
