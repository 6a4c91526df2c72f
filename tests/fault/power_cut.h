// The states that a power cut may leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "recorder.h"

namespace pleat::fault {

// Paths below a folder; nothing for a folder, the content of a file.
struct Node {
  bool is_folder = false;
  std::string content = {};
};
using Tree = std::map<std::string, Node>;

[[nodiscard]] Tree read_tree(const std::filesystem::path& folder);
// Makes the folder hold just that.
void write_tree(const Tree& tree, const std::filesystem::path& folder);

// What has become of a call that no flush had covered.
enum class Fate : std::uint8_t {
  kept,
  dropped,
  torn_512,   // of a write, whole blocks of the file up to about its middle
  torn_4096,  //
  zeros,      // of a write, its place in the file without its data
};

// One recorded run, to be cut at any call.
class PowerCut {
 public:
  // `before`: what lay on the disk, whole, when the recording began.
  PowerCut(const std::filesystem::path& folder, Tree before, std::vector<Call> calls);

  [[nodiscard]] std::size_t calls() const { return calls_.size(); }
  [[nodiscard]] const Call& call(std::size_t i) const { return calls_[i]; }
  // Those of the first `end` calls that no flush among them covers.
  [[nodiscard]] std::vector<std::size_t> uncovered(std::size_t end) const;
  // The disk after the first `end` calls; calls that are not in `fates` are kept.
  [[nodiscard]] Tree state(std::size_t end, const std::map<std::size_t, Fate>& fates) const;
  // How many marks there are among the first `end` calls.
  [[nodiscard]] std::int64_t marks(std::size_t end) const;

 private:
  std::string folder_;
  Tree before_;
  std::vector<Call> calls_;
  std::vector<std::size_t> covered_at_;  // for each call, the flush that covers it; none: calls_.size()
};

}  // namespace pleat::fault
