# libarchive with only what pleat uses of it, linked into the program: with PLEAT_STATIC_ARCHIVE. The shared library
# brings libxml2, and with it 31 MB of ICU, for an archive format that nobody asks for; that is too much for a pack.
#
# In the static library only the list of all formats by name refers to their writers, and the writer of tar files needs
# one function of the list's object. So its references are made weak: what nothing else asks for stays out, and nobody
# looks a format up by its name.
find_library(PLEAT_ARCHIVE_STATIC libarchive.a REQUIRED)
find_library(PLEAT_LZMA lzma REQUIRED)
find_library(PLEAT_ZSTD zstd REQUIRED)
find_library(PLEAT_BZIP2 bz2 REQUIRED)
find_library(PLEAT_NETTLE nettle REQUIRED)  # of the writer of zip files, such as .npz

set(folder ${CMAKE_BINARY_DIR}/archive)
set(formats ${folder}/archive_write_set_format.o)
file(MAKE_DIRECTORY ${folder})
add_custom_command(OUTPUT ${formats}
  COMMAND ${CMAKE_AR} x ${PLEAT_ARCHIVE_STATIC} archive_write_set_format.o
  COMMAND ${CMAKE_OBJCOPY} --weaken archive_write_set_format.o
  WORKING_DIRECTORY ${folder} DEPENDS ${PLEAT_ARCHIVE_STATIC} VERBATIM)
add_custom_target(pleat_archive_formats DEPENDS ${formats})

# As a target, so that what it needs is named behind it whatever else a program links.
add_library(pleat_archive_static STATIC IMPORTED GLOBAL)
set_target_properties(pleat_archive_static PROPERTIES IMPORTED_LOCATION ${PLEAT_ARCHIVE_STATIC})
target_link_libraries(pleat_archive_static INTERFACE
  ZLIB::ZLIB ${PLEAT_LZMA} ${PLEAT_ZSTD} ${PLEAT_BZIP2} ${PLEAT_NETTLE})

add_library(pleat_archive INTERFACE)
add_dependencies(pleat_archive pleat_archive_formats)
target_link_libraries(pleat_archive INTERFACE ${formats} pleat_archive_static)
target_include_directories(pleat_archive SYSTEM INTERFACE ${LibArchive_INCLUDE_DIRS})
