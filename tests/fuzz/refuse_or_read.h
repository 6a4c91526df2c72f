// What every target does with what it runs.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/error.h"
#include "targets.h"

namespace pleat::fuzz {

// An Error that is no bug is an answer; all else that is thrown goes on, and is found.
template <typename Body>
void refuse_or_read(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) throw std::logic_error(std::string("a bug: ") + error.what());
  }
}

inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Takes the text before the first zero byte, or all of it, off `text`, and that byte with it.
inline std::string_view take_text(std::string_view& text) {
  const std::string_view taken = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(text.size(), taken.size() + 1));
  return taken;
}

inline void write(const std::filesystem::path& file, std::string_view content) {
  std::ofstream(file, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

}  // namespace pleat::fuzz
