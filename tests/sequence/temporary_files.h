// Input files for one test, in a folder of its own that goes away with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/scratch_folder.h"
#include "sequence/reader.h"

namespace pleat::testing {

// One gzip member.
inline std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

class TemporaryFiles : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path file = folder_ / name;
    std::ofstream out(file, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
    return file;
  }

  [[nodiscard]] Dataset read(const std::string& name, std::string_view content, const ReadOptions& options = {}) const {
    return read_inputs({write(name, content)}, options);
  }

  [[nodiscard]] std::filesystem::path folder() const { return folder_; }

 private:
  ScratchFolder scratch_;
  std::filesystem::path folder_ = scratch_.path();
};

// Runs `action`, which must throw an Error with this code and all of these words in its message.
template <typename Action>
void expect_error(ErrorCode code, std::initializer_list<std::string_view> words, const Action& action) {
  try {
    (void)action();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string_view word : words) {
      EXPECT_NE(std::string_view(error.what()).find(word), std::string_view::npos)
          << "'" << word << "' is not in: " << error.what();
    }
  }
}

}  // namespace pleat::testing
