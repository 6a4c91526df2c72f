#include "report/packed_pdb.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pleat {
namespace {

using Json = nlohmann::ordered_json;

struct Atoms {
  std::vector<std::string> kinds;     // atom, residue and element: columns 13 to 21 and 77 to 80
  std::vector<std::uint8_t> kind;     // place in kinds
  std::vector<std::uint8_t> chain;    // its letter
  std::vector<std::int32_t> number;   // of the residue
  std::vector<std::int32_t> x, y, z;  // thousandths of an ångström
  std::vector<std::int32_t> b;        // hundredths
};

// "  -1.234" as -1234: a number in a column, with `decimals` of them.
std::optional<std::int32_t> fixed_number(std::string_view field, std::size_t decimals) {
  const std::size_t begin = field.find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  std::string digits(field.substr(begin));
  if (decimals > 0) {
    if (digits.size() < decimals + 2 || digits[digits.size() - decimals - 1] != '.') return std::nullopt;
    digits.erase(digits.size() - decimals - 1, 1);
  }
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (value == 0 && digits.front() == '-') return std::nullopt;  // "-0.000" has a sign that a number has not
  return value;
}

class Packer {
 public:
  // False for a line that the columns cannot hold.
  bool add(std::string_view line, std::int32_t serial) {
    constexpr std::size_t width = 80;
    constexpr std::size_t most_kinds = 256;
    if (line.size() != width || line.substr(26, 4) != "    " || line.substr(54, 6) != "  1.00" ||
        line.substr(66, 10) != "          " || fixed_number(line.substr(6, 5), 0) != serial || line[11] != ' ') {
      return false;
    }
    const auto number = fixed_number(line.substr(22, 4), 0);
    const auto x = fixed_number(line.substr(30, 8), 3);
    const auto y = fixed_number(line.substr(38, 8), 3);
    const auto z = fixed_number(line.substr(46, 8), 3);
    const auto b = fixed_number(line.substr(60, 6), 2);
    if (!number || !x || !y || !z || !b) return false;
    const std::string kind = std::string(line.substr(12, 9)) + std::string(line.substr(76, 4));
    const auto [found, is_new] = places_.try_emplace(kind, atoms_.kinds.size());
    if (is_new) atoms_.kinds.push_back(kind);
    if (found->second >= most_kinds) return false;
    atoms_.kind.push_back(static_cast<std::uint8_t>(found->second));
    atoms_.chain.push_back(static_cast<std::uint8_t>(line[21]));
    atoms_.number.push_back(*number);
    atoms_.x.push_back(*x);
    atoms_.y.push_back(*y);
    atoms_.z.push_back(*z);
    atoms_.b.push_back(*b);
    return true;
  }

  [[nodiscard]] const Atoms& atoms() const { return atoms_; }

 private:
  Atoms atoms_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

void pack_pdb(std::string_view text, Blob& blob) {
  Packer packer;
  Json others = Json::array();
  std::int32_t serial = 0;
  std::int32_t count = 0;
  for (std::size_t begin = 0; begin < text.size(); ++count) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const bool is_atom = line.starts_with("ATOM  ");
    if (is_atom || line.starts_with("TER")) ++serial;
    if (is_atom && !packer.add(line, serial)) {
      blob.meta["pdb"] = {{"text", text}};
      return;
    }
    if (!is_atom) others.push_back({count, line});
  }
  const Atoms& atoms = packer.atoms();
  blob.meta["pdb"] = {{"lines", count}, {"others", std::move(others)}, {"kinds", atoms.kinds}};
  blob.add("kind", std::span<const std::uint8_t>(atoms.kind));
  blob.add("chain", std::span<const std::uint8_t>(atoms.chain));
  const auto add = [&](const char* name, const std::vector<std::int32_t>& values) {
    blob.add_differences(name, values);
  };
  add("number", atoms.number);
  add("x", atoms.x);
  add("y", atoms.y);
  add("z", atoms.z);
  add("b", atoms.b);
}

}  // namespace pleat
