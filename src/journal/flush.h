// Getting what was written onto the disk.
#pragma once

#include <filesystem>
#include <future>
#include <vector>

#include "core/file_descriptor.h"

namespace pleat {

// A file of which some may not be on the disk yet.
struct Unflushed {
  FileDescriptor file;
  std::filesystem::path path;
};

// Waits until all is. Throws Error(io), or Error(retry) when the disk or the quota is full after all.
void flush(const Unflushed& file);
void flush(const std::vector<Unflushed>& files);

// The same on a thread of its own, beside what goes on being written: a disk can take as long to flush as results took
// to come.
class Flusher {
 public:
  // Throws what the last flush threw, if that has ended.
  [[nodiscard]] bool is_idle();
  // To be called when idle.
  void begin(std::vector<Unflushed> files);
  // Waits for the last flush, and throws what it threw.
  void wait();

 private:
  std::future<void> flush_;
};

}  // namespace pleat
