#include "journal/flush.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace pleat {

void flush(const Unflushed& file) {
  if (::fdatasync(file.file.get()) != 0) throw_system_error(errno, "flush", file.path, ErrorCode::io);
}

void flush(const std::vector<Unflushed>& files) {
  for (const Unflushed& file : files) flush(file);
}

bool Flusher::is_idle() {
  if (flush_.valid() && flush_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
  wait();
  return true;
}

void Flusher::begin(std::vector<Unflushed> files) {
  flush_ = std::async(std::launch::async, [files = std::move(files)] { flush(files); });
}

void Flusher::wait() {
  if (flush_.valid()) flush_.get();
}

}  // namespace pleat
