// Files as torch.save writes them, and files as it never would: pickles and zip archives made by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pleat {

// A number in so many bytes, little-endian.
inline std::string little(std::uint64_t number, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes && i < 8; ++i) text[i] = static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

// Instructions of Python's pickle.
namespace pickled {

inline const std::string start = "\x80\x02";
inline const std::string stop = ".";

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string text(const std::string& text) { return "X" + little(text.size(), 4) + text; }
inline std::string number(std::int64_t number) {  // LONG1
  return std::string("\x8a\x08") + little(static_cast<std::uint64_t>(number), 8);
}
inline std::string tuple(const std::string& items) { return "(" + items + "t"; }
inline std::string numbers(const std::vector<std::int64_t>& values) {
  std::string items;
  for (const std::int64_t value : values) items += number(value);
  return tuple(items);
}
inline std::string call(const std::string& function, const std::string& arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string ordered_dict() { return call(global("collections", "OrderedDict"), ""); }

inline std::string storage(const std::string& key, std::int64_t numel, const std::string& type = "FloatStorage") {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + number(numel)) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& stride) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              storage + number(offset) + numbers(shape) + numbers(stride) + "\x89" + ordered_dict());
}
// `items`: names and values in turn.
inline std::string dictionary(const std::string& items) { return start + ordered_dict() + "(" + items + "u" + stop; }

// One tensor "a" of two numbers in storage 0.
inline std::string one_tensor() { return dictionary(text("a") + tensor(storage("0", 2), 0, {2}, {1})); }

}  // namespace pickled

// A zip archive of stored files, and where its records lie, for tests that damage them.
struct ZipFile {
  std::string bytes;
  std::map<std::string, std::size_t> local;    // local headers by file name
  std::map<std::string, std::size_t> central;  // entries of the directory
  std::size_t directory = 0;
  std::size_t end64 = 0;  // the zip64 record
  std::size_t end = 0;    // the last record

  // Overwrites a number.
  void put(std::size_t at, std::uint64_t number, std::size_t size) { bytes.replace(at, size, little(number, size)); }
};

inline ZipFile zip(const std::vector<std::pair<std::string, std::string>>& files) {
  ZipFile zip;
  std::string directory;
  for (const auto& [name, data] : files) {
    zip.local[name] = zip.bytes.size();
    zip.central[name] = directory.size();
    const std::string sizes = little(0, 4) + little(data.size(), 4) + little(data.size(), 4) + little(name.size(), 2);
    directory += "PK\x01\x02" + little(0, 12) + sizes + little(0, 12) + little(zip.bytes.size(), 4) + name;
    zip.bytes += "PK\x03\x04" + little(0, 10) + sizes + little(0, 2) + name + data;
  }
  zip.directory = zip.bytes.size();
  for (auto& [name, place] : zip.central) place += zip.directory;
  zip.bytes += directory;
  zip.end64 = zip.bytes.size();
  zip.bytes += "PK\x06\x06" + little(44, 8) + little(0, 12) + little(files.size(), 8) + little(files.size(), 8) +
               little(directory.size(), 8) + little(zip.directory, 8);
  zip.bytes += "PK\x06\x07" + little(0, 4) + little(zip.end64, 8) + little(1, 4);
  zip.end = zip.bytes.size();
  zip.bytes += "PK\x05\x06" + little(0, 4) + little(files.size(), 2) + little(files.size(), 2) +
               little(directory.size(), 4) + little(zip.directory, 4) + little(0, 2);
  return zip;
}

// A file with this pickle and these storages by key.
inline ZipFile torch_file(const std::string& pickle, const std::map<std::string, std::string>& storages,
                          const std::vector<std::pair<std::string, std::string>>& others = {{"m/version", "3\n"}}) {
  std::vector<std::pair<std::string, std::string>> files{{"m/data.pkl", pickle}};
  for (const auto& [key, data] : storages) files.emplace_back("m/data/" + key, data);
  files.insert(files.end(), others.begin(), others.end());
  return zip(files);
}

// A sound file: one tensor "a" of two numbers.
inline ZipFile small_torch_file() { return torch_file(pickled::one_tensor(), {{"0", "abcdefgh"}}); }

}  // namespace pleat
