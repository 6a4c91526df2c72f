// The only batch layout: the tokens of all sequences end to end, with no padding between them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pleat {

struct PackedBatch {
  // T = cu_seqlens.back() tokens, followed by a few that belong to no sequence, up to `padded_tokens`. Matrix
  // libraries take another path, with other rounding, for a product of only a few rows; with a multiple of
  // `minimum_rows` a row's bits do not depend on how many there are.
  std::vector<std::int64_t> tokens;      // [padded_tokens]
  std::vector<std::int64_t> cu_seqlens;  // [B+1], the first token of each sequence; starts with 0
  std::vector<std::int64_t> rows;        // [B], the row of each sequence in the SequenceTable
  // [B][L], for each residue its token, counted from the sequence's first. Begin and end tokens and the linker between
  // chains have no residue.
  std::vector<std::vector<std::int64_t>> residue_tokens;
  std::vector<std::int64_t> masked = {};  // those of `tokens` that are <mask>, rising; most batches have none

  static constexpr std::int64_t minimum_rows = 8;

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
  [[nodiscard]] std::int64_t token_count() const { return cu_seqlens.back(); }
  [[nodiscard]] std::int64_t padded_tokens() const { return static_cast<std::int64_t>(tokens.size()); }
  [[nodiscard]] std::int64_t longest() const;  // in tokens
};

}  // namespace pleat
