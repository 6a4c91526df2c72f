#include "hdf5/hdf5_handle.h"

namespace pleat::hdf5 {
namespace {

herr_t keep_first(unsigned level, const H5E_error2_t* entry, void* text) {
  if (level == 0 && entry->desc != nullptr) *static_cast<std::string*>(text) = entry->desc;
  return 0;
}

}  // namespace

void silence() {
  // Each thread has its own error stack where the library is built thread-safe.
  thread_local const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  (void)done;
}

std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

std::string innermost_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  return text.empty() ? "HDF5 gave no reason" : text;
}

void fail(const std::string& action, ErrorCode code) {
  throw Error(code, "cannot " + action + ": " + innermost_error());
}

}  // namespace pleat::hdf5
