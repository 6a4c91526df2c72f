// A program of libFuzzer for one target, PLEAT_FUZZ_TARGET.
#include <cstddef>
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pleat::fuzz::PLEAT_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
