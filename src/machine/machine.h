// What the machine has to offer, and what this process has used of it.
#pragma once

#include <cstdint>
#include <string>

namespace pleat {

// Bytes of memory that could be taken without swapping, within the limits of this process and of its container.
[[nodiscard]] double available_memory();

// What the processor calls itself, such as "Intel(R) Xeon(R) Processor".
[[nodiscard]] std::string processor_name();

// How many processors this process may use: those it is bound to, as far as the limits of its container or job allow,
// and OMP_NUM_THREADS where that is set.
[[nodiscard]] std::int64_t usable_processors();
// Makes LibTorch and oneTBB use no more threads than that. For the start of the program.
void use_allowed_processors();

// The most memory this process has held at any time, in bytes.
[[nodiscard]] std::int64_t peak_rss_bytes();

// How the process gets its memory. While weights are loaded, large blocks go back to the system as soon as they are
// freed, so that their transit leaves no holes. Afterwards they are kept: handing them back costs a forward pass much
// of its time in page faults of the next block.
void return_freed_memory();
void keep_freed_memory();

// Seconds since this process was started.
[[nodiscard]] double process_seconds();

}  // namespace pleat
