// Attributes, and columns of strings and of numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hdf5/chunk_writer.h"
#include "hdf5/guarded_file.h"
#include "hdf5/hdf5_handle.h"

namespace pleat {

// A single number as an attribute of "/", of the type that `value` points to.
void write_number(const hdf5::File& file, const char* name, const hdf5::Type& type, const void* value);
void write_number(const hdf5::File& file, const char* name, std::int64_t value);
// Numbers as an attribute of "/".
void write_numbers(const hdf5::File& file, const std::string& name, const std::vector<std::int64_t>& values);
// A string as an attribute of an object.
void write_text(const hdf5::File& file, const std::string& object, const std::string& name, const std::string& value);
// Strings as an attribute of an object, such as the alphabet of /logits.
void write_text_list(const hdf5::File& file, const std::string& object, const std::string& name,
                     const std::vector<std::string>& words);

// A column of strings, with its hash. Calls `value` with each row in turn.
void write_text_column(const hdf5::File& file, const GuardedFile& guard, const std::string& path, std::size_t rows,
                       const std::function<std::string(std::size_t)>& value);

// One column of numbers, computed row by row.
template <typename T, typename Value>
void write_column(const hdf5::File& file, const GuardedFile& guard, const std::string& path, const hdf5::Type& type,
                  std::size_t rows, const Value& value) {
  std::size_t next = 0;
  const ByteFeed source = [&](std::span<std::byte> out) {
    for (std::size_t at = 0; at < out.size(); at += sizeof(T)) {
      const std::array<T, 1> element{value(next++)};
      std::ranges::copy(std::as_bytes(std::span(element)), out.begin() + static_cast<std::ptrdiff_t>(at));
    }
  };
  write_chunked(file, guard, {path, static_cast<std::int64_t>(rows)}, type, source);
}

}  // namespace pleat
