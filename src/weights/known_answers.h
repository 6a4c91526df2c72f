// Numbers that others have published for trained weights. What pleat computes is compared with them, so that a user
// sees on the own machine that weights, program and device belong together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pleat {

enum class AnswerQuantity : std::uint8_t {
  // The language model's last layer: the first numbers of the first tokens, the begin token first. No unit.
  last_layer,
  // The first residue's N after the first block of the structure module, in the last pass. Ångström.
  first_block_nitrogen,
  // The mean pLDDT over all atoms, 0 to 100: that of the B-factors in a PDB file.
  mean_plddt,
};

struct KnownAnswer {
  std::string model;  // as in the registry; empty in a model's own file
  AnswerQuantity quantity = AnswerQuantity::last_layer;
  std::string sequence;                     // one chain
  std::int64_t passes = 0;                  // through the folding trunk, recycles and one
  std::vector<std::vector<double>> values;  // rows of equal length
  // The largest difference that is sound, by precision as files name it ("float32").
  std::map<std::string, double> bounds;
  std::string source;  // who says so
};

// "last layer of GLDALQITV", for people.
[[nodiscard]] std::string describe(const KnownAnswer& answer);

// Reads such a list; `origin` is its name for messages. Throws Error(bad_input).
[[nodiscard]] std::vector<KnownAnswer> parse_known_answers(std::string_view text, const std::string& origin);

// Those of known_answers.json, which is part of the program: for every published model that has some.
[[nodiscard]] const std::vector<KnownAnswer>& published_answers();

// Those of one model: what known_answers.json in its folder says, or, where there is no such file, what is published
// for `name` (with or without "facebook/") or for the model that the folder is called after. May be empty.
// Throws Error(bad_input) for a broken file.
[[nodiscard]] std::vector<KnownAnswer> known_answers(const std::string& name, const std::filesystem::path& folder);

}  // namespace pleat
