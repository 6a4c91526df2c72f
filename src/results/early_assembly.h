// A result file that is assembled beside the run.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "results/assembly.h"

namespace pleat {

// Takes results into an assembly on a thread of its own, up to the first that is not there yet. What goes wrong ends
// only this: the file is then assembled when all results are there, and if it goes wrong again, that is told.
class EarlyAssembly {
 public:
  // `make` is called on that thread, and so is `drop` when something went wrong and the assembly is gone.
  EarlyAssembly(std::function<std::unique_ptr<Assembly>()> make, std::function<void()> drop);
  ~EarlyAssembly() { static_cast<void>(end()); }
  EarlyAssembly(const EarlyAssembly&) = delete;
  EarlyAssembly& operator=(const EarlyAssembly&) = delete;
  EarlyAssembly(EarlyAssembly&&) = delete;
  EarlyAssembly& operator=(EarlyAssembly&&) = delete;

  // The results of all sequences before this row are in the segments, or will never be.
  void reach(std::int64_t row);
  // Ends the thread, and gives what it has made; null when something went wrong.
  [[nodiscard]] std::unique_ptr<Assembly> end();

 private:
  void work(const std::stop_token& stop);

  const std::function<std::unique_ptr<Assembly>()> make_;
  const std::function<void()> drop_;
  std::unique_ptr<Assembly> assembly_;  // the thread's, until it has ended
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::int64_t reached_ = 0;
  std::jthread thread_;
};

}  // namespace pleat
