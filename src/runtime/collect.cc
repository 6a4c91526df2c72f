#include "pleat/runtime/collect.h"

#include <ATen/ATen.h>

#include "pleat/tensor/host.h"

namespace pleat {
namespace {

// The tokens of one sequence that stand for residues, as rows of the batch's tensors.
class ResidueRows {
 public:
  ResidueRows(const PackedBatch& batch, std::int64_t sequence, at::Device device) {
    const auto& tokens = batch.residue_tokens[sequence];
    first_ = batch.cu_seqlens[sequence];
    length_ = static_cast<std::int64_t>(tokens.size());
    contiguous_ = tokens.back() - tokens.front() + 1 == length_;
    if (!contiguous_) tokens_ = at::tensor(tokens, at::kLong).to(device);
  }

  // x [T, C] -> [L, C]
  [[nodiscard]] at::Tensor of_batch(const at::Tensor& x) const {
    return contiguous_ ? x.slice(0, first_ + 1, first_ + 1 + length_) : x.index_select(0, tokens_ + first_);
  }

  // Pairs of tokens without the begin and the end token, [tokens - 2, tokens - 2] -> [L, L]
  [[nodiscard]] at::Tensor of_pairs(const at::Tensor& x) const {
    return contiguous_ ? x : x.index_select(0, tokens_ - 1).index_select(1, tokens_ - 1);
  }

 private:
  std::int64_t first_;
  std::int64_t length_;
  bool contiguous_;
  at::Tensor tokens_;  // [L]
};

// Converts to the type of the file and notices what it cannot hold.
class Converter {
 public:
  Converter(const ResultLayout& layout, SequenceResult& result) : dtype_(layout.dtype), result_(result) {}

  [[nodiscard]] std::vector<std::byte> operator()(const at::Tensor& values, const std::string& what) {
    const at::Tensor stored = values.to(scalar_type(dtype_)).contiguous();
    if (!stored.isfinite().all().item<bool>()) fail(values, what);
    return bytes_of(stored, dtype_);
  }

 private:
  void fail(const at::Tensor& values, const std::string& what) {
    result_.failed = true;
    if (values.isfinite().all().item<bool>()) {
      result_.error_code = "float16_overflow";
      result_.message = what + " reaches " + std::to_string(values.abs().max().item<float>()) +
                        ", which float16 cannot hold; set tasks.embeddings.dtype to float32";
    } else {
      result_.error_code = "not_finite";
      result_.message = what + " holds NaN or infinity";
    }
  }

  DType dtype_;
  SequenceResult& result_;
};

LayerResult collect_layer(const at::Tensor& hidden, std::int64_t begin_token, const ResidueRows& rows,
                          const ResultLayout& layout, const std::string& what, Converter& convert) {
  LayerResult result;
  const at::Tensor residues = rows.of_batch(hidden);  // [L, D]
  if (layout.per_residue) result.per_residue = convert(residues, what);
  // Summed in float64: a mean over thousands of residues keeps all its digits.
  if (layout.mean) result.mean = convert(residues.mean(0, false, at::kDouble), what);
  if (layout.bos) result.bos = convert(hidden[begin_token], what);
  return result;
}

at::Device device_of(const Esm2Output& output) {
  if (!output.hidden.empty()) return output.hidden.front().device();
  if (output.logits.defined()) return output.logits.device();
  return output.contacts.empty() ? at::Device(at::kCPU) : output.contacts.front().device();
}

}  // namespace

std::vector<SequenceResult> collect_results(const PackedBatch& batch, const Esm2Output& output,
                                            const ResultLayout& layout, const std::vector<std::int64_t>& letter_ids) {
  const c10::InferenceMode guard;
  const at::Device device = device_of(output);
  const at::Tensor letters = at::tensor(letter_ids, at::kLong).to(device);
  std::vector<SequenceResult> results(static_cast<std::size_t>(batch.size()));
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    SequenceResult& result = results[s];
    result.row = batch.rows[s];
    Converter convert(layout, result);
    const ResidueRows rows(batch, s, device);
    for (std::size_t i = 0; i < layout.layers.size(); ++i) {
      result.layers.push_back(collect_layer(output.hidden[i], batch.cu_seqlens[s], rows, layout,
                                            "layer " + std::to_string(layout.layers[i]), convert));
    }
    if (layout.logits) result.logits = convert(rows.of_batch(output.logits).index_select(1, letters), "logits");
    if (layout.contacts) result.contacts = convert(rows.of_pairs(output.contacts[s]), "contacts");
    if (result.failed) {
      result.layers.clear();
      result.logits.clear();
      result.contacts.clear();
    }
  }
  return results;
}

}  // namespace pleat
