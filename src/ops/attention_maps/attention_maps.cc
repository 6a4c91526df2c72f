#include "ops/attention_maps/attention_maps.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ops/attention/heads.h"
#include "ops/contacts/contacts.h"
#include "ops/general.h"
#include "tensor/device.h"

namespace pleat {
namespace {

// Writes one tile of a head's map. Token t of the sequence is residue t - 1; the first and the last token are left out.
void keep_tile(const cpu::AttentionScratch& scratch, std::int64_t q_begin, std::int64_t tile, std::int64_t residues,
               float* map) {
  for (std::int64_t r = 0; r < tile; ++r) {
    const std::int64_t i = q_begin + r - 1;
    if (i < 0 || i >= residues) continue;
    const float* const scores = scratch.scores.get() + r * scratch.score_stride + 1;
    float* const row = map + i * residues;
    for (std::int64_t j = 0; j < residues; ++j) row[j] = scores[j] * scratch.inverse[r];
  }
}

at::Tensor maps_on_processor(const AttentionInput& input, at::Tensor& out, std::int64_t sequence) {
  const std::int64_t heads = input.qkv.size(2);
  const std::int64_t residues = (*input.cu_seqlens)[sequence + 1] - (*input.cu_seqlens)[sequence] - 2;
  at::Tensor maps = at::empty({heads, residues, residues}, at::kFloat);
  auto* const h_maps = maps.mutable_data_ptr<float>();
  attend_by_tiles(
      input, out, sequence,
      [&](const cpu::AttentionScratch& scratch, std::int64_t head, std::int64_t /*tile*/, std::int64_t q_begin,
          std::int64_t rows) { keep_tile(scratch, q_begin, rows, residues, h_maps + head * residues * residues); });
  return maps;
}

std::vector<at::Tensor> maps_by_general(const AttentionInput& input) {
  const at::Tensor rotated = general::rotated(input);  // [T, 2, H, Dh]
  const std::int64_t heads = input.qkv.size(2);
  std::vector<at::Tensor> maps;
  for (std::size_t s = 0; s + 1 < input.cu_seqlens->size(); ++s) {
    const std::int64_t begin = (*input.cu_seqlens)[s];
    const std::int64_t end = (*input.cu_seqlens)[s + 1];
    const std::int64_t residues = end - begin - 2;
    const std::int64_t step =
        std::clamp<std::int64_t>(general::usual_block / ((end - begin) * (end - begin)), 1, heads);
    maps.push_back(at::empty({heads, residues, residues}, input.qkv.options().dtype(at::kFloat)));
    for (std::int64_t first = 0; first < heads; first += step) {
      const std::int64_t count = std::min(step, heads - first);
      const at::Tensor whole = general::attention_maps(rotated, begin, end, first, count);  // [h, L + 2, L + 2]
      maps.back().narrow(0, first, count).copy_(whole.slice(1, 1, -1).slice(2, 1, -1));
    }
  }
  return maps;
}

}  // namespace

MappedAttention attention_with_maps(const AttentionInput& input) {
  MappedAttention result;
  if (!on_processor(input.qkv)) {
    result.maps = maps_by_general(input);
    return result;
  }
  result.context = attention_output(input);  // [T, H * Dh]
  for (std::size_t s = 0; s + 1 < input.cu_seqlens->size(); ++s) {
    result.maps.push_back(maps_on_processor(input, result.context, static_cast<std::int64_t>(s)));
  }
  return result;
}

MappedAttention attention_with_maps_reference(const AttentionInput& input) {
  MappedAttention result{attention_reference(input), {}};
  for (std::size_t s = 0; s + 1 < input.cu_seqlens->size(); ++s) {
    const at::Tensor whole = attention_maps_reference(input, static_cast<std::int64_t>(s));  // [H, L + 2, L + 2]
    result.maps.push_back(whole.slice(1, 1, -1).slice(2, 1, -1));
  }
  return result;
}

}  // namespace pleat
