#include "emulator/machine.h"

#include <algorithm>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

extern "C" void pleat_switch_fiber(void** save, void* load);
asm(R"(
.text
.globl pleat_switch_fiber
pleat_switch_fiber:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

namespace pleat::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stack_bytes = 512 << 10;
#else
constexpr std::size_t stack_bytes = 112 << 10;
#endif
constexpr int most_steps = 40;          // of a warp, before another's turn
constexpr int most_idle_turns = 20000;  // then nothing will ever go on

}  // namespace

Machine& Machine::get() {
  static Machine machine;
  return machine;
}

void Machine::entry() {
  Machine& machine = get();
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &machine.scheduler_stack_, &machine.scheduler_stack_bytes_);
#endif
  try {
    (*machine.kernel_)();
  } catch (...) {
    machine.fault_ = std::current_exception();
  }
  machine.current_->done = true;
  --machine.left_;
  ++machine.progress_;
  machine.suspend();
  std::abort();
}

void Machine::start(Thread& thread, int id) {
  if (!thread.stack) thread.stack.reset(new char[stack_bytes]);
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(thread.stack.get(), stack_bytes);
#endif
  thread.id = id;
  thread.done = false;
  thread.waits_on = nullptr;
  thread.open.clear();
  thread.groups.clear();
  // As if entry() had been called, and had called pleat_switch_fiber, which returns to it with six registers.
  // Stacks begin at different places of their pages, so that those of a warp do not meet in the same lines of the
  // cache.
  const std::size_t shift = static_cast<std::size_t>(id) * 1088 % (16 << 10);
  const auto top = (reinterpret_cast<std::uintptr_t>(thread.stack.get()) + stack_bytes - shift) & ~std::uintptr_t{15};
  void** place = reinterpret_cast<void**>(top);
  *--place = nullptr;
  *--place = reinterpret_cast<void*>(&entry);
  for (int i = 0; i < 6; ++i) *--place = nullptr;
  thread.stack_pointer = place;
}

void Machine::resume(Thread& thread) {
  current_ = &thread;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, thread.stack.get(), stack_bytes);
#endif
  pleat_switch_fiber(&scheduler_stack_pointer_, thread.stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Machine::suspend() {
  Thread& self = *current_;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(self.done ? nullptr : &fake, scheduler_stack_, scheduler_stack_bytes_);
#endif
  pleat_switch_fiber(&self.stack_pointer, scheduler_stack_pointer_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, &scheduler_stack_, &scheduler_stack_bytes_);
#endif
}

void Machine::wait_for(const Meeting& meeting) {
  Thread& self = *current_;
  self.waits_while = meeting.generation;
  self.waits_on = &meeting.generation;
  while (meeting.generation == self.waits_while) suspend();
  self.waits_on = nullptr;
}

void Machine::step_warp(std::size_t warp) {
  const int steps = 1 + static_cast<int>(random_() % most_steps);
  for (int step = 0; step < steps; ++step) {
    bool any = false;
    for (std::size_t lane = 0; lane < 32; ++lane) {
      Thread& thread = threads_[32 * warp + lane];
      if (thread.done || (thread.waits_on != nullptr && *thread.waits_on == thread.waits_while)) continue;
      any = true;
      resume(thread);
      if (fault_) std::rethrow_exception(std::exchange(fault_, nullptr));
    }
    if (!any) break;
  }
}

void Machine::run_block(const std::function<void()>& kernel) {
  const auto warps = static_cast<std::size_t>(block_size / 32);
  kernel_ = &kernel;
  std::memset(shared_.get(), 0xff, shared_bytes_);
  warps_.assign(warps, Warp());
  groups_.assign((warps + 3) / 4, WarpGroup());
  barriers_.fill(Meeting());
  for (int id = 0; id < block_size; ++id) start(threads_[static_cast<std::size_t>(id)], id);
  left_ = block_size;
  int idle = 0;
  while (left_ > 0) {
    const std::int64_t before = progress_;
    step_warp(random_() % warps);
    idle = progress_ == before ? idle + 1 : 0;
    if (idle > most_idle_turns) throw Fault("deadlock: " + std::to_string(left_) + " threads wait for ever");
  }
}

void Machine::launch(Size grid, int threads, std::size_t shared_bytes, const std::function<void()>& kernel) {
  if (threads < 32 || threads > 1024 || threads % 32 != 0) throw Fault("a block of " + std::to_string(threads));
  if (grid.x == 0 || grid.y == 0) throw Fault("an empty grid");
  constexpr std::size_t alignment = 1024;
  shared_bytes_ = shared_bytes;
  shared_.reset(static_cast<unsigned char*>(std::aligned_alloc(alignment, (shared_bytes / alignment + 1) * alignment)));
  grid_size = grid;
  block_size = threads;
  if (threads_.size() < static_cast<std::size_t>(threads)) threads_.resize(static_cast<std::size_t>(threads));
  random_.seed(options.seed);
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      block_index = {x, y};
      run_block(kernel);
    }
  }
}

unsigned char* Machine::shared(std::uint32_t address, std::size_t bytes) {
  if (address % bytes != 0 || address + bytes > shared_bytes_) {
    throw Fault("shared address " + std::to_string(address) + " for " + std::to_string(bytes) + " bytes, of " +
                std::to_string(shared_bytes_));
  }
  return shared_.get() + address;
}

bool Machine::waits_at(Wait wait, const std::source_location& where) {
  const Site site{where.file_name(), where.line()};
  seen.waits.emplace(site, wait);
  return site != options.left_out;
}

void Machine::copy(std::uint32_t to, const void* from, bool valid) {
  static_cast<void>(shared(to, 16));  // refuses it where it does not exist
  if (reinterpret_cast<std::uintptr_t>(from) % 16 != 0) throw Fault("cp.async reads from an address not aligned");
  const Copy copy{to, from, valid || options.copies_edge};
  if (options.late_copies) {
    current_->open.push_back(copy);
  } else {
    land(copy);
  }
}

void Machine::land(const Copy& copy) {
  unsigned char* const to = shared(copy.to, 16);
  if (!copy.valid) {
    std::memset(to, 0, 16);
    return;
  }
  auto buffer = buffers_.upper_bound(copy.from);
  const auto* const from = static_cast<const char*>(copy.from);
  if (buffer == buffers_.begin()) throw Fault("cp.async reads outside all buffers");
  --buffer;
  if (from + 16 > static_cast<const char*>(buffer->first) + buffer->second) {
    throw Fault("cp.async reads beyond the end of a buffer");
  }
  std::memcpy(to, copy.from, 16);
}

void Machine::commit_copies() {
  current_->groups.push_back(std::move(current_->open));
  current_->open.clear();
}

void Machine::wait_for_copies(std::size_t open_groups) {
  auto& groups = current_->groups;
  while (groups.size() > open_groups) {
    for (const Copy& copy : groups.front()) land(copy);
    groups.erase(groups.begin());
  }
}

}  // namespace pleat::emulator
