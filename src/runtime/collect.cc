#include "runtime/collect.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "format/schema.h"
#include "ops/collect/collect.h"
#include "runtime/storable.h"
#include "tensor/host.h"

namespace pleat {
namespace {

using Starts = std::vector<std::int64_t>;  // as in KeptRows
using Bytes = std::vector<std::byte>;

// The output of a batch as a few tensors over all its sequences, so that it leaves the device in a few copies.
class Collection {
 public:
  Collection(const PackedBatch& batch, Esm2Output output, const ResultLayout& layout,
             const std::vector<std::int64_t>& letter_ids);

  [[nodiscard]] std::vector<SequenceResult> wait();

 private:
  // One kind of numbers, sequence after sequence.
  struct Part {
    std::string what;      // "layer 6"
    const Starts* starts;  // one of the members below
    Bytes& (*place)(SequenceResult& result, const Part& part);
    std::size_t layer = 0;  // its number among the layout's
    std::string path = {};  // in SequenceResult::extra, of what lies there
  };

  void add_layer(std::size_t layer, const at::Tensor& hidden);
  void add_contacts(const PackedBatch& batch, std::vector<at::Tensor> contacts);
  void add_attentions(const PackedBatch& batch, std::int64_t layer, std::vector<at::Tensor> maps);
  [[nodiscard]] at::Tensor without_linkers(const PackedBatch& batch, std::size_t sequence,
                                           const at::Tensor& maps) const;
  void add(Part part, ConvertedRows rows);
  void add(Part part, const at::Tensor& values) { add(std::move(part), convert_rows(values, type_)); }
  void take(const Part& part, const at::Tensor& stored, const at::Tensor& extents, SequenceResult& result,
            std::size_t sequence) const;
  [[nodiscard]] bool check(const Part& part, const at::Tensor& extents, SequenceResult& result,
                           std::size_t sequence) const;

  const ResultLayout layout_;
  const at::ScalarType type_;             // the layout's
  const std::vector<std::int64_t> rows_;  // as in PackedBatch
  KeptRows residues_;                     // the tokens of all residues
  KeptRows begins_;                       // the begin tokens: one a sequence
  Starts by_pair_{0};                     // rows are elements here
  std::vector<Part> parts_;
  std::vector<at::Tensor> tensors_;  // of each part the ConvertedRows
  HostCopies copies_;
};

at::Device device_of(const Esm2Output& output) {
  if (!output.hidden.empty()) return output.hidden.front().device();
  if (output.logits.defined()) return output.logits.device();
  if (!output.contacts.empty()) return output.contacts.front().device();
  return output.attentions.empty() ? at::Device(at::kCPU) : output.attentions.front().front().device();
}

Collection::Collection(const PackedBatch& batch, Esm2Output output, const ResultLayout& layout,
                       const std::vector<std::int64_t>& letter_ids)
    : layout_(layout), type_(scalar_type(layout.dtype)), rows_(batch.rows) {
  const at::Device device = device_of(output);
  std::vector<std::int64_t> residues;
  Starts by_residue{0};
  Starts by_sequence{0};
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    for (const std::int64_t token : batch.residue_tokens[s]) residues.push_back(batch.cu_seqlens[s] + token);
    by_residue.push_back(static_cast<std::int64_t>(residues.size()));
    by_sequence.push_back(s + 1);
    const auto length = static_cast<std::int64_t>(batch.residue_tokens[s].size());
    by_pair_.push_back(by_pair_.back() + length * length);
  }
  residues_ = KeptRows::make(residues, std::move(by_residue), device);
  begins_ = KeptRows::make({batch.cu_seqlens.begin(), batch.cu_seqlens.end() - 1}, std::move(by_sequence), device);
  for (std::size_t i = 0; i < layout_.layers.size(); ++i) {
    add_layer(i, output.hidden[i]);
    output.hidden[i].reset();  // it is large
  }
  if (layout_.logits) {
    add({"logits", &residues_.starts, [](SequenceResult& result, const Part&) -> Bytes& { return result.logits; }},
        output.logits.index_select(0, residues_.rows).index_select(1, sent_to(device, letter_ids)));
  }
  if (layout_.contacts) add_contacts(batch, std::move(output.contacts));
  for (std::size_t i = 0; i < layout_.attention_layers.size(); ++i) {
    add_attentions(batch, layout_.attention_layers[i], std::move(output.attentions[i]));
  }
  copies_ = HostCopies(std::move(tensors_));
}

void Collection::add_layer(std::size_t layer, const at::Tensor& hidden) {
  const std::string what = "layer " + std::to_string(layout_.layers[layer]);
  CollectedRows collected;
  if (layout_.per_residue || layout_.mean) {
    collected = collect_rows(hidden, residues_, {.type = type_, .rows = layout_.per_residue, .means = layout_.mean});
  }
  if (layout_.per_residue) {
    add({what, &residues_.starts,
         [](SequenceResult& result, const Part& part) -> Bytes& { return result.layers[part.layer].per_residue; },
         layer},
        std::move(collected.rows));
  }
  if (layout_.mean) {
    add({what, &begins_.starts,
         [](SequenceResult& result, const Part& part) -> Bytes& { return result.layers[part.layer].mean; }, layer},
        std::move(collected.means));
  }
  if (layout_.bos) {
    add({what, &begins_.starts,
         [](SequenceResult& result, const Part& part) -> Bytes& { return result.layers[part.layer].bos; }, layer},
        collect_rows(hidden, begins_, {.type = type_, .rows = true}).rows);
  }
}

void Collection::add_contacts(const PackedBatch& batch, std::vector<at::Tensor> contacts) {
  for (std::size_t s = 0; s < contacts.size(); ++s) {
    contacts[s] = without_linkers(batch, s, contacts[s]).reshape({-1, 1});
  }
  add({"contacts", &by_pair_, [](SequenceResult& result, const Part&) -> Bytes& { return result.contacts; }},
      at::cat(contacts));
}

// The heads of a pair lie side by side.
void Collection::add_attentions(const PackedBatch& batch, std::int64_t layer, std::vector<at::Tensor> maps) {
  for (std::size_t s = 0; s < maps.size(); ++s) {
    maps[s] = without_linkers(batch, s, maps[s]).permute({1, 2, 0}).flatten(0, 1);  // [L * L, H]
  }
  add({.what = "attention of layer " + std::to_string(layer),
       .starts = &by_pair_,
       .place = [](SequenceResult& result, const Part& part) -> Bytes& { return result.extra[part.path]; },
       .path = schema::path_in_layer(schema::attention_maps, layer, layout_.depth)},
      at::cat(maps));
}

// maps [..., L, L], over the tokens of a sequence without its begin and end token.
at::Tensor Collection::without_linkers(const PackedBatch& batch, std::size_t sequence, const at::Tensor& maps) const {
  const std::int64_t begin = residues_.starts[sequence];
  const std::int64_t end = residues_.starts[sequence + 1];
  if (maps.size(-1) == end - begin) return maps;
  const at::Tensor kept = residues_.rows.slice(0, begin, end) - (batch.cu_seqlens[sequence] + 1);
  return maps.index_select(-2, kept).index_select(-1, kept);
}

void Collection::add(Part part, ConvertedRows rows) {
  parts_.push_back(std::move(part));
  tensors_.push_back(std::move(rows.values));
  tensors_.push_back(std::move(rows.extents));
}

std::vector<SequenceResult> Collection::wait() {
  const std::vector<at::Tensor> tensors = copies_.wait();
  std::vector<SequenceResult> results(rows_.size());
  for (std::size_t s = 0; s < rows_.size(); ++s) {
    SequenceResult& result = results[s];
    result.row = rows_[s];
    result.layers.resize(layout_.layers.size());
    // The first part that is wrong is what its record says.
    for (std::size_t i = 0; i < parts_.size() && !result.failed; ++i) {
      take(parts_[i], tensors[2 * i], tensors[2 * i + 1], result, s);
    }
  }
  return results;
}

void Collection::take(const Part& part, const at::Tensor& stored, const at::Tensor& extents, SequenceResult& result,
                      std::size_t sequence) const {
  if (!check(part, extents, result, sequence)) return;
  const auto row_bytes = static_cast<std::int64_t>(stored.element_size()) * stored.size(1);
  const auto* const begin = static_cast<const std::byte*>(stored.const_data_ptr());
  part.place(result, part)
      .assign(begin + (*part.starts)[sequence] * row_bytes, begin + (*part.starts)[sequence + 1] * row_bytes);
}

bool Collection::check(const Part& part, const at::Tensor& extents, SequenceResult& result,
                       std::size_t sequence) const {
  const auto* const h_extents = extents.const_data_ptr<float>();
  const std::int64_t rows = extents.size(1);
  float reach = 0;
  for (std::int64_t row = (*part.starts)[sequence]; row < (*part.starts)[sequence + 1]; ++row) {
    for (const float extent : {h_extents[row], h_extents[rows + row]}) {
      const float size = std::abs(extent);
      if (std::isnan(size) || size > reach) reach = size;  // once NaN, always NaN
    }
  }
  return is_storable(part.what, reach, layout_.dtype, "tasks.embeddings.dtype", result);
}

}  // namespace

Pending collect_results(const PackedBatch& batch, Esm2Output output, const ResultLayout& layout,
                        const std::vector<std::int64_t>& letter_ids) {
  const c10::InferenceMode guard;
  const auto collection = std::make_shared<Collection>(batch, std::move(output), layout, letter_ids);
  return [collection] { return collection->wait(); };
}

}  // namespace pleat
