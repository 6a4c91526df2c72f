# LibTorch's CPU libraries as imported targets. find_package(Torch) is not used: it cannot configure a CPU-only build
# from the wheel's files, and it overrides compile options for every target.

if(NOT EXISTS "${PLEAT_TORCH_DIR}/lib/libtorch_cpu.so" OR NOT EXISTS "${PLEAT_TORCH_DIR}/include/ATen/ATen.h")
  message(FATAL_ERROR "No LibTorch in '${PLEAT_TORCH_DIR}': run scripts/setup, or pass -DPLEAT_TORCH_DIR=FOLDER "
                      "with include/ATen/ATen.h and lib/libtorch_cpu.so in it.")
endif()

add_library(pleat::c10 SHARED IMPORTED)
set_target_properties(pleat::c10 PROPERTIES IMPORTED_LOCATION ${PLEAT_TORCH_DIR}/lib/libc10.so)
# After the system's folders: LibTorch ships headers of other libraries, fmt among them, at versions of its own.
target_compile_options(pleat::c10 INTERFACE "SHELL:-idirafter ${PLEAT_TORCH_DIR}/include")
add_library(pleat::torch_cpu SHARED IMPORTED)
set_target_properties(pleat::torch_cpu PROPERTIES IMPORTED_LOCATION ${PLEAT_TORCH_DIR}/lib/libtorch_cpu.so)
# The wheel's library names CUDA libraries that a CPU build neither has nor loads symbols from.
target_link_options(pleat::torch_cpu INTERFACE -Wl,--allow-shlib-undefined)
target_link_libraries(pleat::torch_cpu INTERFACE pleat::c10)
# ATen's headers run parallel_for with OpenMP only where the compiler does. Linking by the option, not by the file of
# find_package(OpenMP), leaves it to the loader to take LibTorch's own libgomp, so that there is one pool of threads.
target_compile_options(pleat::torch_cpu INTERFACE -fopenmp)
target_link_options(pleat::torch_cpu INTERFACE -fopenmp)

# Targets that use LibTorch: pleat_use_torch(target) links it and shares one precompiled ATen/ATen.h, which
# pleat_use_torch_headers(target) alone does too.
function(pleat_use_torch target)
  target_link_libraries(${target} PUBLIC pleat::torch_cpu)
  pleat_use_torch_headers(${target})
endfunction()

function(pleat_use_torch_headers target)
  if(PLEAT_PRECOMPILE)
    if(NOT TARGET pleat_torch_pch)
      file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/torch_pch.cc CONTENT "")
      add_library(pleat_torch_pch OBJECT ${PROJECT_BINARY_DIR}/torch_pch.cc)
      target_link_libraries(pleat_torch_pch PUBLIC pleat_options pleat::torch_cpu)
      target_precompile_headers(pleat_torch_pch PRIVATE <ATen/ATen.h>)
    endif()
    target_precompile_headers(${target} REUSE_FROM pleat_torch_pch)
  endif()
endfunction()
