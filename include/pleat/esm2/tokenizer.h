// Residues to tokens: <cls> residues <eos>, one id each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "pleat/sequence/dataset.h"
#include "pleat/tensor/packed_batch.h"
#include "pleat/weights/config.h"

namespace pleat {

class Tokenizer {
 public:
  // Throws Error(bad_input) when the vocabulary lacks <cls>, <eos>, <pad> or one of the 20 amino acids.
  explicit Tokenizer(const Esm2Config& config);

  // The letters that have a token of their own, in a fixed order: "ACDEFGHIKLMNPQRSTVWYXBUZO" for ESM-2.
  [[nodiscard]] const std::string& alphabet() const { return alphabet_; }

  // The token ids of letters of the alphabet.
  [[nodiscard]] std::vector<std::int64_t> ids_of(const std::vector<std::string>& letters) const;

  // Chains of a sequence written A:B are joined by a linker of this many glycines, as ESMFold does; the linker's
  // tokens belong to no residue.
  static constexpr std::int64_t linker_length = 25;

  // Tokens that a sequence of `residues` in `chains` chains takes.
  [[nodiscard]] static std::int64_t token_count(std::int64_t residues, std::int64_t chains);

  // The given rows of the table, in that order, as one batch.
  [[nodiscard]] PackedBatch pack(const SequenceTable& sequences, const std::vector<std::int64_t>& rows) const;

 private:
  std::array<std::int64_t, 256> ids_{};
  std::string alphabet_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t pad_ = 0;
};

}  // namespace pleat
