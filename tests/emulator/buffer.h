// Memory for the kernels under the emulator, as a GPU's would be: uninitialised, which is NaN here, and guarded.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "emulator/machine.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace pleat::emulator {

template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count) : count_(count), memory_(allocate(2 * guard + bytes()), std::free) {
    clear();
    guard_memory(true);
    Machine::get().add_buffer(data(), bytes());
  }
  explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) { *this = values; }
  ~Buffer() {
    Machine::get().remove_buffer(data());
    guard_memory(false);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&&) = delete;
  Buffer& operator=(Buffer&&) = delete;

  Buffer& operator=(const std::vector<T>& values) {
    std::copy(values.begin(), values.end(), data());
    return *this;
  }

  [[nodiscard]] T* data() { return reinterpret_cast<T*>(memory_.get() + guard); }
  [[nodiscard]] std::vector<T> values() { return std::vector<T>(data(), data() + count_); }
  void clear() { std::fill_n(memory_.get() + guard, bytes(), static_cast<unsigned char>(0xff)); }

  // Whether nothing was written beside it.
  [[nodiscard]] bool is_intact() {
    guard_memory(false);
    const auto kept = [](const unsigned char* begin) {
      return std::all_of(begin, begin + guard, [](unsigned char c) { return c == 0xff; });
    };
    const bool intact = kept(memory_.get()) && kept(memory_.get() + guard + bytes());
    guard_memory(true);
    return intact;
  }

 private:
  static constexpr std::size_t guard = 4096;

  static unsigned char* allocate(std::size_t bytes) {
    auto* const memory = static_cast<unsigned char*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
    std::fill_n(memory, bytes, static_cast<unsigned char>(0xff));
    return memory;
  }
  [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(T); }
  void guard_memory([[maybe_unused]] bool on) {
#if defined(__SANITIZE_ADDRESS__)
    for (unsigned char* begin : {memory_.get(), memory_.get() + guard + bytes()}) {
      if (on) {
        __asan_poison_memory_region(begin, guard);
      } else {
        __asan_unpoison_memory_region(begin, guard);
      }
    }
#endif
  }

  std::size_t count_;
  std::unique_ptr<unsigned char[], void (*)(void*)> memory_;
};

}  // namespace pleat::emulator
