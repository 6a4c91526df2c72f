// The forward pass. On the processor work that goes row by row is done in blocks of rows that stay in its cache from
// one product to the next.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/stop.h"
#include "esm2/model.h"
#include "ops/attention_maps/attention_maps.h"
#include "ops/layer_norm/layer_norm.h"
#include "tensor/device.h"
#include "tensor/host.h"

namespace pleat {
namespace {

// Calls body(begin, end) over the rows of `hidden` in blocks of a size that suits the number of threads. No block has
// fewer than PackedBatch::minimum_rows rows, since the rows and the block size are multiples of it.
template <class Body>
void for_each_block(const at::Tensor& hidden, const Body& body) {
  const std::int64_t rows = hidden.size(0);
  const std::int64_t block =
      rows_at_once(hidden, std::max<std::int64_t>(256, std::int64_t{64} * at::get_num_threads()));
  for (std::int64_t begin = 0; begin < rows; begin += block) {
    throw_if_stopped(StopScope::current());
    body(begin, std::min(begin + block, rows));
  }
}

// A head that not every checkpoint has; whoever asks for its output has looked.
template <class Head>
const Head& needed(const std::optional<Head>& head) {
  if (!head) throw Error(ErrorCode::internal, "the output of a head is asked of a model that has none");
  return *head;
}

}  // namespace

std::int64_t Esm2::linear_flops_per_token() const {
  std::int64_t products = 0;
  for (const Esm2Layer& layer : layers_) {
    products +=
        layer.qkv.cost() + layer.attention_out.cost() + layer.feed_forward_in.cost() + layer.feed_forward_out.cost();
  }
  return 2 * products;
}

at::Tensor Esm2::norm(const LayerNorm& parameters, at::Tensor& hidden, const at::Tensor& update) const {
  return add_layer_norm(hidden, update, parameters.weight, parameters.bias, config_.layer_norm_eps, precision_);
}

at::Tensor Esm2::embed(const PackedBatch& batch) const {
  const at::Tensor tokens =
      at::from_blob(const_cast<std::int64_t*>(batch.tokens.data()), {batch.padded_tokens()}, at::kLong);
  at::Tensor hidden = at::embedding(word_embeddings_, sent_to(word_embeddings_.device(), tokens));  // [T, D]
  if (config_.token_dropout) {
    // In training 15 % of the residues were chosen and 80 % of those masked; the rest are scaled to the same mean.
    hidden *= 1.0 - 0.15 * 0.8;
    if (!batch.masked.empty()) drop_masked(batch, hidden);
  }
  if (embedding_norm_) {
    hidden = at::layer_norm(hidden, {hidden.size(1)}, embedding_norm_->weight, embedding_norm_->bias,
                            config_.layer_norm_eps);
  }
  return hidden;
}

// Masked tokens count for nothing, and the others for so much more that a sequence has the same sum.
void Esm2::drop_masked(const PackedBatch& batch, at::Tensor& hidden) const {
  const at::Tensor shares = at::ones({batch.padded_tokens(), 1}, at::kFloat);
  auto* const h_shares = shares.mutable_data_ptr<float>();
  auto next = batch.masked.begin();
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const std::int64_t begin = batch.cu_seqlens[s];
    const std::int64_t end = batch.cu_seqlens[s + 1];
    const auto last = std::lower_bound(next, batch.masked.end(), end);
    // In float32, as the reference does it.
    const float masked = static_cast<float>(last - next) / static_cast<float>(end - begin);
    std::fill(h_shares + begin, h_shares + end, 1.0F - masked);
    next = last;
  }
  hidden.index_fill_(0, sent_to(hidden.device(), batch.masked), 0);
  hidden.div_(sent_to(hidden.device(), shares));
}

at::Tensor Esm2::project_qkv(const Esm2Layer& layer, at::Tensor& hidden) const {
  const std::int64_t rows = hidden.size(0);
  const std::int64_t width = 3 * hidden.size(1);
  at::Tensor qkv;  // [T, 3D]
  for_each_block(hidden, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor residual = hidden.slice(0, begin, end);
    const at::Tensor normed = norm(layer.attention_norm, residual, {});  // [rows, D]
    if (end - begin == rows) {
      qkv = layer.qkv(normed);
      return;
    }
    if (begin == 0) qkv = at::empty({rows, width}, normed.options());
    at::Tensor projected = qkv.slice(0, begin, end);  // [rows, 3D]
    layer.qkv.write(projected, normed);
  });
  return qkv.view({rows, 3, config_.num_attention_heads, config_.head_dim()});
}

void Esm2::finish_layer(const Esm2Layer& layer, const at::Tensor& context, at::Tensor& hidden) const {
  for_each_block(hidden, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor residual = hidden.slice(0, begin, end);         // [rows, D]
    const at::Tensor attended = context.slice(0, begin, end);  // [rows, D]
    const at::Tensor update = layer.attention_out.add_or_return(residual, attended);
    layer.feed_forward_out.add_to(residual,
                                  layer.feed_forward_in(norm(layer.feed_forward_norm, residual, update)));  // [rows, F]
  });
}

at::Tensor Esm2::attend(const AttentionInput& input, bool keep_maps, ContactAccumulator* contacts,
                        Esm2Output& output) const {
  if (keep_maps) {
    MappedAttention mapped = attention_with_maps(input);
    output.attentions.push_back(std::move(mapped.maps));
    if (contacts == nullptr && mapped.context.defined()) return mapped.context;
  }
  return contacts != nullptr ? contacts->attention(input) : attention(input);
}

at::Tensor Esm2::normed_last(at::Tensor& hidden) const {
  return add_layer_norm(hidden, {}, last_norm_.weight, last_norm_.bias, config_.layer_norm_eps, at::kFloat);
}

at::Tensor Esm2::predict_logits(const at::Tensor& last_hidden) const {
  const MaskedLmHead& head = needed(lm_head_);
  at::Tensor dense = head.dense(last_hidden.to(precision_)).to(at::kFloat);  // [T, D]
  return head.decoder(norm(head.norm, dense, {})).to(at::kFloat);            // [T, vocabulary]
}

// Where the tokens of a batch are, for attention.
struct Esm2::Positions {
  const std::vector<std::int64_t>* cu_seqlens;
  RotaryTable rotary;
  std::optional<TokenPlaces> places;  // not on the processor

  [[nodiscard]] AttentionInput input(at::Tensor qkv) const {
    return {std::move(qkv), cu_seqlens, &rotary, places ? &*places : nullptr};
  }
};

Esm2::Positions Esm2::positions_of(const PackedBatch& batch) const {
  Positions positions{&batch.cu_seqlens, RotaryTable::make(batch.longest(), rotary_frequencies_), {}};
  if (!on_processor(word_embeddings_)) {
    positions.places =
        TokenPlaces::make(batch.cu_seqlens, batch.padded_tokens(), positions.rotary, word_embeddings_.device());
  }
  return positions;
}

Esm2Output Esm2::forward(const PackedBatch& batch, const Esm2Request& request) const {
  const c10::InferenceMode guard;
  const auto asked_for = [&](std::int64_t layer) { return std::ranges::binary_search(request.layers, layer); };
  const std::int64_t depth = config_.num_hidden_layers;
  const Positions positions = positions_of(batch);
  std::optional<ContactAccumulator> contacts;
  if (request.contacts) {
    const ContactHead& head = needed(contact_head_);
    contacts.emplace(head.weight, head.bias, config_.num_attention_heads, batch.cu_seqlens);
  }

  Esm2Output output;
  const auto keep = [&](std::int64_t layer, const at::Tensor& state) {
    if (asked_for(layer)) output.hidden.push_back(layer == depth ? state : state.clone());
    if (request.mix.defined()) output.mixed.add_(state, request.mix[layer].item());
  };
  at::Tensor hidden = embed(batch);  // [T, D]
  if (request.mix.defined()) output.mixed = at::zeros_like(hidden);
  for (std::int64_t i = 0; i < depth; ++i) {
    keep(i, hidden);
    const Esm2Layer& layer = layers_[i];
    const AttentionInput input = positions.input(project_qkv(layer, hidden));
    const bool keep_maps = std::ranges::binary_search(request.attentions, i + 1);
    finish_layer(layer, attend(input, keep_maps, contacts ? &*contacts : nullptr, output), hidden);
  }
  if (asked_for(depth) || request.logits || request.mix.defined()) {
    const at::Tensor last = normed_last(hidden);  // [T, D]
    keep(depth, last);
    if (request.logits) output.logits = predict_logits(last);
  }
  if (contacts) {
    for (std::int64_t s = 0; s < batch.size(); ++s) output.contacts.push_back(contacts->contacts(s));
  }
  return output;
}

at::Tensor Esm2::masked_logits(const PackedBatch& batch) const {
  const c10::InferenceMode guard;
  const std::int64_t count = std::ssize(batch.masked);
  if (count == 0) throw Error(ErrorCode::internal, "logits of masked tokens are asked of a batch without any");
  std::vector<std::int64_t> rows = batch.masked;
  while (std::ssize(rows) % PackedBatch::minimum_rows != 0) rows.push_back(rows.back());
  const Positions positions = positions_of(batch);
  at::Tensor hidden = embed(batch);  // [T, D]
  for (const Esm2Layer& layer : layers_) {
    AttentionInput input = positions.input(project_qkv(layer, hidden));
    const bool is_last = &layer == &layers_.back();
    if (is_last) input.needed = &batch.masked;
    at::Tensor context = attention(input);  // [T, D]
    if (is_last) {
      // Behind the last attention a token's row depends on no other.
      const at::Tensor masked = sent_to(hidden.device(), rows);
      context = context.index_select(0, masked);  // [M, D]
      hidden = hidden.index_select(0, masked);    // [M, D]
    }
    finish_layer(layer, context, hidden);
  }
  return predict_logits(normed_last(hidden)).slice(0, 0, count);
}

}  // namespace pleat
