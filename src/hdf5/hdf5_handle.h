// HDF5's C interface made safe: identifiers that close themselves, failures that become an Error.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "core/error.h"

namespace pleat::hdf5 {

// Stops HDF5 from printing its own errors, for the calling thread.
void silence();

// To be held by threads that call HDF5 beside others: it need not have been built for threads.
[[nodiscard]] std::mutex& one_at_a_time();

// The innermost message of HDF5's error stack: the one that says what really happened.
[[nodiscard]] std::string innermost_error();

// Throws "cannot <action>: <innermost error>".
[[noreturn]] void fail(const std::string& action, ErrorCode code);

// Gives `value` back, or throws when it is negative, which is how HDF5 says that a call failed.
template <typename T>
T require(T value, const std::string& action, ErrorCode code = ErrorCode::io) {
  if (value < 0) fail(action, code);
  return value;
}

// Owns one identifier.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] hid_t get() const noexcept { return id_; }
  // Closes now; false when HDF5 could not.
  bool reset() noexcept {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 || Close(id) >= 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using DataSet = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using Properties = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;

}  // namespace pleat::hdf5
