#include "power_cut.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "core/file.h"

namespace pleat::fault {
namespace {

namespace fs = std::filesystem;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_of_folder(Call::Kind kind) {
  return kind == Call::Kind::create || kind == Call::Kind::rename || kind == Call::Kind::unlink ||
         kind == Call::Kind::mkdir || kind == Call::Kind::rmdir;
}

bool is_of_data(Call::Kind kind) { return kind == Call::Kind::write || kind == Call::Kind::truncate; }

bool covers(const Call& flush, const Call& call) {
  if (flush.kind == Call::Kind::flush) return is_of_data(call.kind) && call.file == flush.file;
  return flush.kind == Call::Kind::flush_folder && is_of_folder(call.kind) && parent_of(call.path) == flush.path;
}

// A folder tree in the making: names, and what they name.
class Disk {
 public:
  explicit Disk(const Tree& before) {
    for (const auto& [path, node] : before) names_[path] = node.is_folder ? folder : add(node.content);
  }

  void apply(const Call& call, Fate fate) {
    if (fate == Fate::dropped) return;
    switch (call.kind) {
      case Call::Kind::create: return create(call);
      case Call::Kind::write: return write(content_of(call), call, fate);
      case Call::Kind::truncate: return content_of(call).resize(call.offset, '\0');
      case Call::Kind::rename: return rename(call);
      case Call::Kind::unlink:
      case Call::Kind::rmdir: names_.erase(call.path); return;
      case Call::Kind::mkdir: names_[call.path] = folder; return;
      case Call::Kind::flush:
      case Call::Kind::flush_folder:
      case Call::Kind::mark: return;
    }
  }

  // Without what lies in folders that are not there.
  [[nodiscard]] Tree tree(const std::string& root) const {
    Tree tree;
    for (const auto& [path, what] : names_) {
      const std::string parent = parent_of(path);
      const bool is_reachable = parent == root || tree.contains(parent);
      if (is_reachable) tree[path] = {what == folder, what == folder ? "" : contents_[static_cast<std::size_t>(what)]};
    }
    return tree;
  }

 private:
  static constexpr std::int64_t folder = -1;

  std::int64_t add(std::string content) {
    contents_.push_back(std::move(content));
    return std::ssize(contents_) - 1;
  }

  void create(const Call& call) {
    if (!files_.contains(call.file)) files_[call.file] = add("");
    names_[call.path] = files_[call.file];
  }

  // A file that was there before is known by its name when it is first written.
  std::string& content_of(const Call& call) {
    if (!files_.contains(call.file)) {
      const auto named = names_.find(call.path);
      files_[call.file] = named != names_.end() && named->second != folder ? named->second : add("");
    }
    return contents_[static_cast<std::size_t>(files_[call.file])];
  }

  static void write(std::string& content, const Call& call, Fate fate) {
    const std::uint64_t end = call.offset + call.data.size();
    std::uint64_t reached = end;
    if (fate == Fate::torn_512 || fate == Fate::torn_4096) {
      const std::uint64_t block = fate == Fate::torn_512 ? 512 : 4096;
      const std::uint64_t middle = (call.offset + call.data.size() / 2 + block - 1) / block * block;
      reached = std::clamp(middle, call.offset, end);
    }
    if (content.size() < reached) content.resize(reached, '\0');
    if (fate == Fate::zeros) {
      std::fill(content.begin() + static_cast<std::ptrdiff_t>(call.offset),
                content.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    } else {
      content.replace(call.offset, reached - call.offset, call.data, 0, reached - call.offset);
    }
  }

  void rename(const Call& call) {
    const auto named = names_.find(call.path);
    if (named == names_.end()) return;
    names_[call.to] = named->second;
    names_.erase(call.path);
  }

  std::map<std::string, std::int64_t> names_;
  std::map<std::int64_t, std::int64_t> files_;  // of the recording -> contents_
  std::vector<std::string> contents_;
};

}  // namespace

Tree read_tree(const fs::path& folder) {
  Tree tree;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    Node& node = tree[entry.path().string()];
    node.is_folder = entry.is_directory();
    if (!node.is_folder) node.content = read_text_file(entry.path());
  }
  return tree;
}

void write_tree(const Tree& tree, const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
  for (const auto& [path, node] : tree) {
    if (node.is_folder) {
      fs::create_directory(path);
    } else {
      std::ofstream(path, std::ios::binary) << node.content;
    }
  }
}

PowerCut::PowerCut(const fs::path& folder, Tree before, std::vector<Call> calls)
    : folder_(folder.string()),
      before_(std::move(before)),
      calls_(std::move(calls)),
      covered_at_(calls_.size(), calls_.size()) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (!is_of_data(calls_[i].kind) && !is_of_folder(calls_[i].kind)) continue;
    for (std::size_t j = i + 1; j < calls_.size() && covered_at_[i] == calls_.size(); ++j) {
      if (covers(calls_[j], calls_[i])) covered_at_[i] = j;
    }
  }
}

std::vector<std::size_t> PowerCut::uncovered(std::size_t end) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < end; ++i) {
    const bool changes = is_of_data(calls_[i].kind) || is_of_folder(calls_[i].kind);
    if (changes && covered_at_[i] >= end) found.push_back(i);
  }
  return found;
}

Tree PowerCut::state(std::size_t end, const std::map<std::size_t, Fate>& fates) const {
  Disk disk(before_);
  for (std::size_t i = 0; i < end; ++i) {
    const auto fate = fates.find(i);
    disk.apply(calls_[i], fate == fates.end() ? Fate::kept : fate->second);
  }
  return disk.tree(folder_);
}

std::int64_t PowerCut::marks(std::size_t end) const {
  return std::count_if(calls_.begin(), calls_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](const Call& call) { return call.kind == Call::Kind::mark; });
}

}  // namespace pleat::fault
