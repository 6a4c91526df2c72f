# PLEAT_CUDA_ABI: what the program and libpleat_cuda.so must agree in: pleat's version, LibTorch's, and the headers
# through which they speak.
file(STRINGS ${PLEAT_TORCH_DIR}/include/torch/headeronly/version.h torch_version
     REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
list(TRANSFORM torch_version REPLACE "[^0-9]+" "")
list(JOIN torch_version "." torch_version)
set(spoken "")
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/ops/*.h ${PROJECT_SOURCE_DIR}/src/ops/*/*.h)
foreach(header ${headers})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  file(SHA256 ${header} hash)
  string(APPEND spoken ${hash})
endforeach()
string(SHA256 spoken "${spoken}")
string(SUBSTRING ${spoken} 0 12 spoken)
set(PLEAT_CUDA_ABI "pleat ${PROJECT_VERSION}, LibTorch ${torch_version}, interface ${spoken}")

# The kernels of src/ops, which src/cuda compiles for GPUs and tests/emulator for the processor. Small files: nvcc takes
# long with each, and once for each architecture.
set(PLEAT_CUDA_KERNELS attention/rotate biased_attention/kernels collect/kernels layer_norm/add_norm linear/gelu
    pair_bias/kernels pair_transition/kernels point_attention/attend point_attention/place rigid/kernels
    sequence_to_pair/kernels triangle_attention/attend triangle_attention/finish triangle_attention/project
    triangle_multiplication/finish triangle_multiplication/project)
# By instructions that only compute capability 9.0 has; compiled as 90a where 90 is among the architectures.
set(PLEAT_CUDA_WGMMA_KERNELS ${PROJECT_SOURCE_DIR}/src/ops/pair_transition/wgmma.cu)
list(TRANSFORM PLEAT_CUDA_KERNELS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/src/ops/\\1.cu")

if(NOT PLEAT_CUDA)
  return()
endif()

# What the images must run on: A100, A10 and RTX 30, L4 and RTX 40, H100 and H200, B200, RTX 50; the last as PTX too,
# for what comes after it.
set(PLEAT_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120 CACHE STRING "As CMAKE_CUDA_ARCHITECTURES")
string(REGEX REPLACE "-(real|virtual)" "" PLEAT_CUDA_ARCHITECTURE_NUMBERS "${PLEAT_CUDA_ARCHITECTURES}")
string(REPLACE ";" " " PLEAT_CUDA_ARCHITECTURE_NUMBERS "${PLEAT_CUDA_ARCHITECTURE_NUMBERS}")
enable_language(CUDA)
get_filename_component(cuda_root "${CMAKE_CUDA_COMPILER}" DIRECTORY)
get_filename_component(cuda_root "${cuda_root}" DIRECTORY)

# LibTorch's CUDA part: in the LibTorch folder, or in one that holds nothing else.
set(PLEAT_TORCH_CUDA_DIR "${PLEAT_TORCH_DIR}" CACHE PATH "A folder with lib/libtorch_cuda.so")
set(PLEAT_TORCH_CUDA_LIB "${PLEAT_TORCH_CUDA_DIR}/lib")
if(NOT EXISTS "${PLEAT_TORCH_CUDA_LIB}/libtorch_cuda.so")
  message(FATAL_ERROR "No libtorch_cuda.so in '${PLEAT_TORCH_CUDA_LIB}': run scripts/setup --cuda, or pass "
                      "-DPLEAT_TORCH_CUDA_DIR=FOLDER or a LibTorch that has CUDA.")
endif()
find_path(PLEAT_CUBLAS_INCLUDE cublasLt.h HINTS ${PLEAT_TORCH_CUDA_DIR}/include ${cuda_root}/include
          ${cuda_root}/targets/x86_64-linux/include REQUIRED)
find_path(PLEAT_CUDART_INCLUDE cuda_runtime_api.h HINTS ${cuda_root}/include ${cuda_root}/targets/x86_64-linux/include
          REQUIRED)
file(GLOB cublaslt ${PLEAT_TORCH_CUDA_LIB}/libcublasLt.so*)
if(NOT cublaslt)
  find_library(PLEAT_CUBLASLT cublasLt HINTS ${cuda_root}/lib64 ${cuda_root}/lib REQUIRED)
  set(cublaslt ${PLEAT_CUBLASLT})
endif()
list(GET cublaslt 0 cublaslt)

add_library(pleat::torch_cuda INTERFACE IMPORTED)
target_link_libraries(pleat::torch_cuda INTERFACE pleat::torch_cpu ${PLEAT_TORCH_CUDA_LIB}/libc10_cuda.so ${cublaslt}
  # Nothing refers to it by name: it is there for what it registers.
  -Wl,--no-as-needed ${PLEAT_TORCH_CUDA_LIB}/libtorch_cuda.so -Wl,--as-needed)
target_include_directories(pleat::torch_cuda SYSTEM INTERFACE ${PLEAT_CUBLAS_INCLUDE} ${PLEAT_CUDART_INCLUDE})
