// A manifest written to a folder of its own, and read again.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/scratch_folder.h"
#include "manifest/manifest.h"

namespace pleat {

// The four required keys; tests add to it.
inline const std::string minimal = "version: 1\nmodel: m\ninputs: [a.fasta]\noutput: r.h5\n";

class ManifestTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) const {
    std::ofstream(file(), std::ios::binary) << text;
    return file();
  }
  std::filesystem::path file() const { return folder_ / "m.yaml"; }

  Manifest load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return load_manifest(write(text), overrides);
  }

  // The message of the Error(bad_manifest) that `text` gives, without the folder, then " | " and its hint.
  std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    try {
      static_cast<void>(load(text, overrides));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_manifest) << error.what();
      EXPECT_FALSE(error.hint().empty()) << error.what();
      EXPECT_FALSE(std::string(error.what()).ends_with('.')) << error.what();
      std::string what = error.what();
      const std::string prefix = folder_.string() + "/";
      if (what.starts_with(prefix)) what.erase(0, prefix.size());
      return what + " | " + error.hint();
    }
    return "no error";
  }

  ScratchFolder scratch_;
  std::filesystem::path folder_ = scratch_.path();
};

}  // namespace pleat
