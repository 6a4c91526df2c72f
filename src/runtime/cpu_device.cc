#include "cpu_device.h"

#include <ATen/ATen.h>

#include <chrono>
#include <utility>

#include "failure.h"
#include "fold_results.h"
#include "pleat/plan/fold_cost.h"
#include "pleat/runtime/collect.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The language model's states of one sequence of the batch, without its begin and end token: [T, D] -> [P, D].
at::Tensor states_of(const at::Tensor& mixed, const PackedBatch& batch, std::int64_t sequence) {
  return mixed.slice(0, batch.cu_seqlens[sequence] + 1, batch.cu_seqlens[sequence + 1] - 1);
}

}  // namespace

CpuDevice::CpuDevice(const Esm2& model, const Tokenizer& tokenizer, const SequenceTable& sequences,
                     const ResultLayout& layout, std::optional<FoldTask> fold, const StopFlag& stop)
    : model_(model),
      tokenizer_(tokenizer),
      sequences_(sequences),
      layout_(layout),
      fold_(std::move(fold)),
      stop_(stop),
      letter_ids_(tokenizer.ids_of(layout.alphabet)) {
  if (fold_) fold_->request.stop = &stop_;
}

std::vector<SequenceResult> CpuDevice::compute(const std::vector<std::int64_t>& rows) {
  const c10::InferenceMode guard;
  const StopScope scope(stop_);
  const PackedBatch batch = tokenizer_.pack(sequences_, rows);
  Esm2Request request{layout_.layers, layout_.logits, layout_.contacts};
  if (fold_) request.mix = fold_->model->mix();
  at::Tensor mixed;
  std::vector<SequenceResult> results;
  {
    const Esm2Output output = model_.forward(batch, request);
    results = collect_results(batch, output, layout_, letter_ids_);
    mixed = output.mixed;
  }
  if (!fold_) return results;
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    throw_if_stopped(&stop_);
    if (!results[s].failed) add_fold(states_of(mixed, batch, s), results[s]);
  }
  return results;
}

// A failure stays with its sequence, so that the others are not computed again.
void CpuDevice::add_fold(const at::Tensor& states, SequenceResult& result) {
  const auto start = Clock::now();
  try {
    if (!states.isfinite().all().item<bool>()) {
      result = failed_result(result.row, "not_finite", "the language model's states hold NaN or infinity");
      return;
    }
    add_structure(fold(states, result.row), sequences_.chain(result.row), layout_, result);
  } catch (const FoldStopped&) {
    throw Stopped(stop_);
  } catch (const std::exception&) {
    result = failure_of_current_exception(result.row);
  }
  result.seconds = seconds_since(start);
  folded_.seconds += result.seconds;
}

FoldOutput CpuDevice::fold(const at::Tensor& states, std::int64_t row) {
  const FoldInput input = make_fold_input(sequences_.residues(row), sequences_.chain(row), fold_->link);
  FoldOutput output = fold_->model->fold(states, input, fold_->request);
  ++folded_.sequences;
  folded_.positions += input.positions();
  folded_.flops += fold_flops(fold_->model->config(), input.positions(), output.recycles + 1);
  return output;
}

}  // namespace pleat
