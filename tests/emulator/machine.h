// Runs kernels on the processor, one block after another, to test what they index and how they wait for each other
// without a GPU. Each thread of a block is a fiber. What a warp does together (ldmatrix, mma, shuffles) and barriers
// gather their threads, and act when the last one has come; between these, warps run in an order drawn at random.
// What a GPU would leave open is decided for the worst: cp.async lands only when it is waited for (or, by an option, at
// once, before what is still being read), and shared memory begins as NaN.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pleat::emulator {

// What a GPU would answer with an error, or not answer at all: a deadlock, lanes that meet at different instructions,
// an address outside shared memory or a buffer, or not aligned.
class Fault : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where a kernel waits: file and line.
using Site = std::pair<std::string_view, unsigned>;

enum class Wait : std::uint8_t { block, warp, copies };

struct Options {
  std::uint32_t seed = 1;    // of the warps' order
  bool late_copies = true;   // cp.async lands when it is waited for, else at once
  Site left_out = {};        // the wait there is not done: a planted fault
  bool copies_edge = false;  // cp.async reads also what lies beyond an edge: a planted fault
};

struct Seen {
  std::int64_t matrices = 0;   // rows read by ldmatrix
  std::int64_t conflicts = 0;  // of them those that meet another row of their matrix in the same banks
  std::map<Site, Wait> waits;  // those that a thread has come to
};

struct Copy {
  std::uint32_t to = 0;  // in shared memory
  const void* from = nullptr;
  bool valid = true;  // else zeros
};

struct Thread {
  void* stack_pointer = nullptr;
  std::unique_ptr<char[]> stack;
  int id = 0;
  bool done = false;
  const std::uint64_t* waits_on = nullptr;
  std::uint64_t waits_while = 0;
  std::vector<Copy> open;
  std::vector<std::vector<Copy>> groups;
};

struct Meeting {  // a place where a number of threads meet
  int arrived = 0;
  std::uint64_t generation = 0;
  std::string_view what;
};

struct Warp {
  Meeting meeting;
  std::array<std::uint32_t, 32> address{};
  std::array<std::array<std::uint32_t, 4>, 32> a{};
  std::array<std::array<std::uint32_t, 4>, 32> out{};
  std::array<std::array<std::uint32_t, 2>, 32> b{};
  std::array<std::array<float, 4>, 32> c{};
  std::array<float, 32> given{};
  std::array<float, 32> taken{};
  std::array<int, 32> numbers{};
  int reduced = 0;
};

struct WarpGroup {  // four warps, which multiply together by wgmma
  Meeting meeting;
  std::array<std::array<std::uint32_t, 4>, 128> a{};
  std::array<float*, 128> d{};
  std::array<std::uint64_t, 128> descriptor{};
};

struct Size {
  unsigned x = 1;
  unsigned y = 1;
};

class Machine {
 public:
  static Machine& get();

  // Runs `kernel` for each thread of each block, and throws the first Fault.
  void launch(Size grid, int threads, std::size_t shared_bytes, const std::function<void()>& kernel);

  // For the kernels' instructions.
  [[nodiscard]] Thread& thread() { return *current_; }
  [[nodiscard]] Warp& warp() { return warps_[static_cast<std::size_t>(current_->id / 32)]; }
  [[nodiscard]] WarpGroup& warp_group() { return groups_[static_cast<std::size_t>(current_->id / 128)]; }
  [[nodiscard]] Meeting& barrier(int id) { return barriers_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] int lane() const { return current_->id % 32; }
  [[nodiscard]] unsigned char* shared() { return shared_.get(); }
  // Of `bytes` bytes at an aligned address in shared memory.
  [[nodiscard]] unsigned char* shared(std::uint32_t address, std::size_t bytes);
  // Returns when `count` threads have come, the last of which does `act`.
  template <class Act>
  void meet(Meeting& meeting, int count, std::string_view what, const Act& act) {
    if (meeting.arrived == 0) meeting.what = what;
    if (meeting.what != what) throw Fault(std::string(what).append(" meets ").append(meeting.what));
    if (++meeting.arrived < count) return wait_for(meeting);
    meeting.arrived = 0;
    act();
    ++meeting.generation;
    ++progress_;
  }
  // Whether the wait is to be done; notes it.
  bool waits_at(Wait wait, const std::source_location& where);
  void copy(std::uint32_t to, const void* from, bool valid);
  void commit_copies();
  void wait_for_copies(std::size_t open_groups);

  // Memory that cp.async may read.
  void add_buffer(const void* begin, std::size_t bytes) { buffers_[begin] = bytes; }
  void remove_buffer(const void* begin) { buffers_.erase(begin); }

  Options options;
  Seen seen;
  Size block_index;
  Size grid_size;
  int block_size = 0;

 private:
  void run_block(const std::function<void()>& kernel);
  void start(Thread& thread, int id);
  void resume(Thread& thread);
  void suspend();
  void wait_for(const Meeting& meeting);
  void step_warp(std::size_t warp);
  void land(const Copy& copy);
  [[noreturn]] static void entry();

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::vector<WarpGroup> groups_;
  std::array<Meeting, 16> barriers_;
  std::unique_ptr<unsigned char[], void (*)(void*)> shared_{nullptr, std::free};
  std::size_t shared_bytes_ = 0;
  std::map<const void*, std::size_t> buffers_;
  std::mt19937 random_;
  Thread* current_ = nullptr;
  const std::function<void()>* kernel_ = nullptr;
  void* scheduler_stack_pointer_ = nullptr;
  const void* scheduler_stack_ = nullptr;  // for AddressSanitizer
  std::size_t scheduler_stack_bytes_ = 0;
  std::int64_t progress_ = 0;
  int left_ = 0;
  std::exception_ptr fault_;
};

}  // namespace pleat::emulator
