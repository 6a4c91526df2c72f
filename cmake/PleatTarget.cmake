# pleat_library(NAME SOURCES... [LINK targets...]): the library of one folder under src/, with the project's warnings.
# pleat_test(NAME SOURCES... [LINK targets...]): one GoogleTest program for one folder under tests/.

add_library(pleat_options INTERFACE)
# The same for programs and libraries, so that they can share a precompiled header.
target_compile_options(pleat_options INTERFACE -fPIC)
target_include_directories(pleat_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(pleat_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                               -Wimplicit-fallthrough)
# Where it sees many files at once, GCC 12 takes checked pointers in LibTorch's headers for null ones.
if(PLEAT_UNITY)
  # A class of one source file may hold a type of its unnamed namespace; GCC takes the file for a header here.
  target_compile_options(pleat_options INTERFACE -Wno-subobject-linkage)
else()
  target_compile_options(pleat_options INTERFACE -Wnull-dereference)
endif()
# GCC 12 takes the sum of two strings for an overlapping copy (GCC bug 105651, mended in 13).
target_compile_options(pleat_options INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
if(PLEAT_WARNINGS_AS_ERRORS)
  target_compile_options(pleat_options INTERFACE -Werror)
endif()
if(PLEAT_SANITIZE)
  # With its checks in between GCC loses sight of what is initialized, in the standard library's own headers too.
  target_compile_options(pleat_options INTERFACE -fsanitize=${PLEAT_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer
                                                 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(pleat_options INTERFACE -fsanitize=${PLEAT_SANITIZE})
endif()

function(pleat_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${PLEAT_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  target_link_libraries(${name} PUBLIC pleat_options ${ARG_LINK})
endfunction()

function(pleat_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE pleat_options ${ARG_LINK} pleat_test_data GTest::gmock GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  # Tests run side by side: threads that wait must not keep a core from the others.
  set_tests_properties(${name} PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
