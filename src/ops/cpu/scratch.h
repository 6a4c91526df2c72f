// Memory in which the kernels keep what lies between two of their loops.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace pleat::cpu {

// Memory of one thread that grows and is kept, aligned to cache lines; its contents are undefined after need().
class Scratch {
 public:
  float* need(std::int64_t floats);
  // What the last need() has given, with what was written there since.
  [[nodiscard]] float* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> memory_;
  std::int64_t floats_ = 0;
};

}  // namespace pleat::cpu
