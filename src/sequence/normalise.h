// The residue policy: from the letters as written to the letters the model knows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record_code.h"
#include "sequence/reader.h"

namespace pleat {

class Normaliser {
 public:
  explicit Normaliser(const ReadOptions& options);

  // Takes one sequence as written, with ':' between chains, from which so many line numbers were left out. Returns why
  // it is refused, nothing where it is accepted; the accessors then hold the result until the next call.
  [[nodiscard]] std::optional<RecordCode> run(std::string_view text, std::int64_t numbers = 0);

  [[nodiscard]] const std::string& residues() const { return residues_; }
  [[nodiscard]] const std::vector<std::uint16_t>& chain() const { return chain_; }
  // What was changed in one that was accepted: the code of the first of several notes.
  [[nodiscard]] std::optional<RecordCode> noted() const { return noted_; }
  // Of the refusal, or of all notes.
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  enum class Kind : std::uint8_t { known, known_in_lower_case, unknown_letter, other };

  std::optional<RecordCode> add_chain(std::string_view text, std::size_t start);
  RecordCode reject(RecordCode code, std::string message);
  // `text` starts with what is no residue.
  RecordCode reject_residue(std::string_view text, std::size_t position);
  [[nodiscard]] std::string_view without_blanks(std::string_view chain);
  void note(RecordCode code, const std::string& message);
  void note_conversions();
  void note_cleaning(std::int64_t numbers);
  std::optional<RecordCode> judge_nucleotides();

  std::array<Kind, 256> kinds_{};
  bool strict_;
  NucleotidePolicy nucleotides_;
  bool can_convert_;  // to X; an alphabet without it leaves no choice but to reject
  std::int64_t max_length_;

  std::string residues_;
  std::vector<std::uint16_t> chain_;
  std::int64_t blanks_ = 0;                   // left out
  std::array<std::int64_t, 26> converted_{};  // how many of each letter
  std::optional<RecordCode> noted_;
  std::string message_;
};

}  // namespace pleat
