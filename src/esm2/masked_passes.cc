#include "esm2/masked_passes.h"

#include <ATen/ATen.h>

#include <utility>

namespace pleat {

void MaskedPasses::add(const MaskedCopy& copy, std::span<const std::int64_t> tokens, std::int64_t masked) {
  if (!copies_.empty() && batch_.token_count() + std::ssize(tokens) > most_tokens_) begin_pass();
  const std::int64_t begin = batch_.token_count();
  batch_.tokens.insert(batch_.tokens.end(), tokens.begin(), tokens.end());
  batch_.tokens[static_cast<std::size_t>(begin + masked)] = tokenizer_.mask();
  batch_.masked.push_back(begin + masked);
  batch_.cu_seqlens.push_back(std::ssize(batch_.tokens));
  batch_.rows.push_back(std::ssize(batch_.rows));
  copies_.push_back(copy);
}

void MaskedPasses::finish() {
  if (!copies_.empty()) begin_pass();
  take_results();
}

// What the pass before has given is taken while a GPU is at this one.
void MaskedPasses::begin_pass() {
  tokenizer_.fill_up(batch_);
  UnderWay begun{std::exchange(copies_, {}), HostCopies({model_.masked_logits(batch_)})};
  take_results();
  under_way_ = std::move(begun);
  batch_ = {.tokens = {}, .cu_seqlens = {0}, .rows = {}, .residue_tokens = {}};
}

void MaskedPasses::take_results() {
  std::optional<UnderWay> done = std::exchange(under_way_, {});
  if (!done) return;
  UnderWay& pass = *done;
  const at::Tensor logits = pass.logits.wait().front().contiguous();
  const auto* const h_logits = logits.const_data_ptr<float>();
  const auto width = static_cast<std::size_t>(logits.size(1));
  for (std::size_t i = 0; i < pass.copies.size(); ++i) take_(pass.copies[i], {h_logits + i * width, width});
}

}  // namespace pleat
