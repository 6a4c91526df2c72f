// Residues to tokens: <cls> residues <eos>, one id each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequence/dataset.h"
#include "tensor/packed_batch.h"
#include "weights/config.h"

namespace pleat {

class Tokenizer {
 public:
  // The letters of the two kinds of model: ESMFold was trained with the 20 amino acids and X only.
  static constexpr std::string_view esm2_letters = "ACDEFGHIKLMNPQRSTVWYXBUZO";
  static constexpr std::string_view esmfold_letters = "ACDEFGHIKLMNPQRSTVWYX";
  static constexpr std::int64_t usual_linker = 25;

  // Chains of a sequence written A:B are joined by a linker of `linker_length` glycines, as ESMFold does; the linker's
  // tokens belong to no residue. Throws Error(bad_input) when the vocabulary lacks <cls>, <eos>, <pad> or one of the 20
  // amino acids.
  explicit Tokenizer(const Esm2Config& config, std::string_view letters = esm2_letters,
                     std::int64_t linker_length = usual_linker);

  // Those of the letters that have a token of their own, in the order of the letters.
  [[nodiscard]] const std::string& alphabet() const { return alphabet_; }
  [[nodiscard]] std::int64_t linker_length() const { return linker_length_; }

  // The token ids of letters of the alphabet.
  [[nodiscard]] std::vector<std::int64_t> ids_of(const std::vector<std::string>& letters) const;

  // Tokens that a sequence of `residues` in `chains` chains takes.
  [[nodiscard]] std::int64_t token_count(std::int64_t residues, std::int64_t chains) const;

  // The given rows of the table, in that order, as one batch.
  [[nodiscard]] PackedBatch pack(const SequenceTable& sequences, const std::vector<std::int64_t>& rows) const;

  // The id of <mask>. Throws Error(bad_input) where the vocabulary has none.
  [[nodiscard]] std::int64_t mask() const;
  // Makes the batch a multiple of PackedBatch::minimum_rows long.
  void fill_up(PackedBatch& batch) const;

 private:
  std::array<std::int64_t, 256> ids_{};
  std::string alphabet_;
  std::int64_t linker_length_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t pad_ = 0;
  std::int64_t mask_ = -1;  // -1: there is none
};

}  // namespace pleat
