// The instructions that our kernels use beside plain CUDA. Under the emulator of tests/emulator it has them all.
//
// Fragments of mma.m16n8k16: lane 4 g + t has of A (16 x 16) row g, columns 2t 2t+1; row g + 8, the same; row g,
// columns 2t+8 2t+9; row g + 8, the same. Of B (16 x 8) rows 2t 2t+1 of column g, and rows 2t+8 2t+9. Of C and D (16 x
// 8) row g, columns 2t 2t+1, and row g + 8, the same.
#pragma once

#include "ops/cuda/launch.h"

#ifdef PLEAT_EMULATED
#include "emulator/device.h"
#else

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define PLEAT_SHARED_MEMORY(name) extern __shared__ __align__(1024) unsigned char name[]

namespace pleat::cuda {

__device__ __forceinline__ std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// Four 8 x 8 matrices of 16-bit numbers; lane l gives the address of row l % 8 of matrix l / 8.
__device__ __forceinline__ void ldmatrix(std::uint32_t (&r)[4], std::uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}
// The same without holding the compiler to the order of other reads and writes: for what only barriers order.
__device__ __forceinline__ void ldmatrix_of_weights(std::uint32_t (&r)[4], std::uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address));
}
__device__ __forceinline__ void ldmatrix_transposed(std::uint32_t (&r)[4], std::uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// d = a b + c, bf16
__device__ __forceinline__ void mma(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1,
                                    const float (&c)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
// d += a b
__device__ __forceinline__ void mma_add(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                        std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// The same, where the source has it.
__device__ __forceinline__ void mma_add_here(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                             std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// d += a b, a 16 x 8, b 8 x 8, fp16
__device__ __forceinline__ void mma_add_fp16(float (&d)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t b0) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a0), "r"(a1), "r"(b0));
}

// 16 bytes to shared memory, in the background.
__device__ __forceinline__ void copy16(std::uint32_t to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
// Zeros where not `valid`: `from` is not read then.
__device__ __forceinline__ void copy16(std::uint32_t to, const void* from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid ? 16 : 0) : "memory");
}
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until at most `Open` of this thread's groups have not landed.
template <int Open>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Open) : "memory");
}

__device__ __forceinline__ void sync_block() { asm volatile("bar.sync 0;" ::: "memory"); }
__device__ __forceinline__ void sync_threads(int id, int count) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(count) : "memory");
}
__device__ __forceinline__ void sync_warp() { __syncwarp(); }
__device__ __forceinline__ bool any_in_warp(bool x) { return __any_sync(0xffffffffu, x) != 0; }
__device__ __forceinline__ int min_in_warp(int x) { return __reduce_min_sync(0xffffffffu, x); }
__device__ __forceinline__ int max_in_warp(int x) { return __reduce_max_sync(0xffffffffu, x); }
__device__ __forceinline__ float shuffle_xor(float x, int mask) { return __shfl_xor_sync(0xffffffffu, x, mask); }
// The warp's number, which the compiler then knows to be the same in all its threads.
__device__ __forceinline__ int warp_of(int thread) { return __shfl_sync(0xffffffffu, thread >> 5, 0); }

// 2^x: relative error below 2^-22, 0 below -126, infinity from 128 on
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float exp2_here(float x) {  // the same, where the source has it
  float y;
  asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float reciprocal(float x) {  // within 1 ulp
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float inverse_root(float x) { return rsqrtf(x); }
__device__ __forceinline__ float square_root(float x) { return sqrtf(x); }
__device__ __forceinline__ float exponential(float x) { return expf(x); }  // within 1 ulp
// Two numbers as bf16, rounded to nearest even; `low` in the lower half.
__device__ __forceinline__ std::uint32_t pack_bf16(float low, float high) {
  std::uint32_t d;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(high), "f"(low));
  return d;
}
__device__ __forceinline__ fp16 to_fp16(float x) { return __half_as_ushort(__float2half_rn(x)); }
__device__ __forceinline__ float as_float(std::uint32_t bits) { return __uint_as_float(bits); }
__device__ __forceinline__ int as_int(float x) { return __float_as_int(x); }

// Two numbers of 16 bits in float32, and back, rounded to nearest even.
__device__ __forceinline__ float2 unpack_fp16(std::uint32_t bits) {
  return __half22float2(*reinterpret_cast<const __half2*>(&bits));
}
__device__ __forceinline__ std::uint32_t pack_fp16(float low, float high) {
  const __half2 both = __floats2half2_rn(low, high);
  return *reinterpret_cast<const std::uint32_t*>(&both);
}
// Rounded each by itself: never joined to a multiply-add.
__device__ __forceinline__ float multiply_rounded(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float add_rounded(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float positive_part(float x) {  // NaN stays NaN
  float y;
  asm("max.NaN.f32 %0, %1, 0f00000000;" : "=f"(y) : "f"(x));
  return y;
}
// Past the L1 cache, for what is read once.
template <class T>
__device__ __forceinline__ T load_once(const T* p) {
  return __ldcg(p);
}

// Volatile, so that the compiler neither keeps the values in registers for the next use nor hoists them out of a loop.
__device__ __forceinline__ float4 load_shared(std::uint32_t address) {
  float4 v;
  asm volatile("ld.volatile.shared.v4.f32 {%0,%1,%2,%3}, [%4];"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "r"(address)
               : "memory");
  return v;
}
// threadIdx.x, read again: what is computed from it is computed again where it is needed, and not kept in registers
// over a loop.
__device__ __forceinline__ int thread_again() {
  int v;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(v));
  return v;
}
// From the L2 cache: a load that the compiler does not merge with an earlier one, whose registers it would have to
// keep.
__device__ __forceinline__ float4 reload(const float* p) {
  float4 v;
  asm volatile("ld.relaxed.gpu.global.v4.f32 {%0,%1,%2,%3}, [%4];"
               : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
               : "l"(__cvta_generic_to_global(p)));
  return v;
}

}  // namespace pleat::cuda

#endif

namespace pleat::cuda {

constexpr float log2_e = 1.44269504088896340736f;

__device__ __forceinline__ float bf16_low(std::uint32_t x) { return as_float(x << 16); }
__device__ __forceinline__ float bf16_high(std::uint32_t x) { return as_float(x & 0xffff0000u); }

// The two types of 16 bits, for kernels that take either.
struct Bfloat16 {
  __device__ static __forceinline__ float2 unpack(std::uint32_t bits) {
    return make_float2(bf16_low(bits), bf16_high(bits));
  }
  __device__ static __forceinline__ std::uint32_t pack(float low, float high) { return pack_bf16(low, high); }
};
struct Float16 {
  __device__ static __forceinline__ float2 unpack(std::uint32_t bits) { return unpack_fp16(bits); }
  __device__ static __forceinline__ std::uint32_t pack(float low, float high) { return pack_fp16(low, high); }
};

template <class Type>
__device__ __forceinline__ void unpack8(const uint4& bits, float (&x)[8]) {
  const std::uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 two = Type::unpack(words[i]);
    x[2 * i] = two.x;
    x[2 * i + 1] = two.y;
  }
}
template <class Type>
__device__ __forceinline__ uint4 pack8(const float (&x)[8]) {
  return make_uint4(Type::pack(x[0], x[1]), Type::pack(x[2], x[3]), Type::pack(x[4], x[5]), Type::pack(x[6], x[7]));
}

}  // namespace pleat::cuda
