#include "runtime/model_device.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <chrono>
#include <new>
#include <string_view>
#include <utility>

#include "machine/precision.h"
#include "ops/cuda_plugin.h"
#include "plan/fold_cost.h"
#include "runtime/collect.h"
#include "runtime/fold_results.h"
#include "runtime/outcomes.h"
#include "runtime/scores.h"
#include "runtime/seconds_since.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

// The language model's states of one sequence of the batch, without its begin and end token: [T, D] -> [P, D].
at::Tensor states_of(const at::Tensor& mixed, const PackedBatch& batch, std::int64_t sequence) {
  return mixed.slice(0, batch.cu_seqlens[sequence] + 1, batch.cu_seqlens[sequence + 1] - 1);
}

// For an allocation that fails on a CPU LibTorch has no type of its own.
bool is_out_of_memory(const c10::Error& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  return std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator") != std::string_view::npos;
}

}  // namespace

void FoldCount::add(const FoldTotals& more) {
  const std::scoped_lock lock(mutex_);
  totals_.sequences += more.sequences;
  totals_.positions += more.positions;
  totals_.seconds += more.seconds;
  totals_.flops += more.flops;
}

FoldTotals FoldCount::totals() const {
  const std::scoped_lock lock(mutex_);
  return totals_;
}

std::shared_ptr<const LoadedModel> Float32Models::on(at::Device device) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<const LoadedModel>& model = models_[device.str()];
  if (!model) model = std::make_shared<const LoadedModel>(*checkpoint_, job_, Precision::float32, device);
  return model;
}

ModelDevice::ModelDevice(std::shared_ptr<Computation> shared, std::int64_t number)
    : shared_(std::move(shared)),
      job_(*shared_->job),
      device_(at::kCPU),
      place_(place_of(job_.devices, number)),
      model_(shared_->models.at(place_.memory)),
      letter_ids_(job_.tokenizer.ids_of(job_.layout.alphabet)) {
  if (!job_.devices.on_gpu()) return;
  device_ = at::Device(at::kCUDA, static_cast<at::DeviceIndex>(job_.devices.gpus.at(place_.memory).number));
  if (job_.devices.workers_per_gpu > 1) {
    stream_ = c10::impl::VirtualGuardImpl(at::kCUDA).getStreamFromGlobalPool(device_);
  }
}

std::string ModelDevice::name() const { return place_.name; }

template <class Body>
auto ModelDevice::on_the_device(const Body& body) const {
  // LibTorch keeps all of these for each thread.
  const c10::OptionalDeviceGuard device_guard(device_.is_cpu() ? std::nullopt : std::optional(device_));
  const c10::OptionalStreamGuard stream_guard(stream_);
  const c10::InferenceMode inference;
  if (at::get_num_threads() != job_.capacity.threads()) {
    at::set_num_threads(static_cast<int>(job_.capacity.threads()));
  }
  const StopScope scope(*shared_->halt);
  return in_the_engines_words(body);
}

template <class Body>
auto ModelDevice::in_the_engines_words(const Body& body) const {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    throw OutOfMemory();
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw OutOfMemory();
    std::string why;
    if (!device_.is_cpu() && load_cuda_plugin().plugin->is_lost(device_.index(), why)) throw DeviceLost(why);
    throw std::runtime_error(error.what_without_backtrace());
  }
}

// A fold takes much longer than what the device would wait for. The passes of scores follow each other by themselves.
bool ModelDevice::prefetches() const {
  return !device_.is_cpu() && model_->folding() == nullptr && !job_.layout.scores;
}

// All workers on the processor share its memory, and those of a GPU that one's.
std::string ModelDevice::memory() const { return device_.is_cpu() ? "cpu" : device_.str(); }

Pending ModelDevice::begin(const std::vector<std::int64_t>& rows) {
  shared_->under_way.begin(rows);
  if (!prefetches()) return Device::begin(rows);
  Pending results = on_the_device([&] { return run_language_model(*model_, pack(rows)).results; });
  return [this, results = std::move(results)] { return on_the_device(results); };
}

std::vector<SequenceResult> ModelDevice::compute(const std::vector<std::int64_t>& rows, const Effort& effort) {
  shared_->under_way.begin(rows);
  return on_the_device([&] {
    if (!effort.in_float32 || !has_float32()) return compute_with(*model_, rows, effort);
    std::vector<SequenceResult> results = compute_with(*shared_->float32_models.on(device_), rows, effort);
    const std::string why = fmt::format("{} gave NaN or infinity", precision_name(job_.precision));
    for (SequenceResult& result : results) {
      if (result.failed) {
        result.message = fmt::format("{}, and in float32: {}", why, result.message);
      } else {
        add_note(result, RecordCode::computed_in_float32, why + ", and float32 did not");
      }
    }
    return results;
  });
}

std::vector<SequenceResult> ModelDevice::compute_with(const LoadedModel& model, const std::vector<std::int64_t>& rows,
                                                      const Effort& effort) {
  const PackedBatch batch = pack(rows);
  const LanguageModelOutput output = run_language_model(model, batch);
  std::vector<SequenceResult> results = output.results();
  if (job_.layout.scores) {
    const std::int64_t most_tokens = effort.chunk_size > 0 ? effort.chunk_size : shared_->plan.tokens_at_once;
    add_scores(job_, model.language_model(), batch, output.logits, most_tokens, results);
  }
  if (model.folding() == nullptr) return results;
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    throw_if_stopped(shared_->halt.get());
    if (!results[s].failed) add_fold(model, states_of(output.mixed, batch, s), effort, results[s]);
  }
  return results;
}

bool ModelDevice::has_float32() const { return element_type(job_.precision) != at::kFloat; }

PackedBatch ModelDevice::pack(const std::vector<std::int64_t>& rows) const {
  return job_.tokenizer.pack(job_.dataset.sequences, rows);
}

ModelDevice::LanguageModelOutput ModelDevice::run_language_model(const LoadedModel& model,
                                                                 const PackedBatch& batch) const {
  const ResultLayout& layout = job_.layout;
  Esm2Request request{layout.layers, layout.logits || job_.scoring.unmasked, layout.contacts, layout.attention_layers};
  if (model.folding() != nullptr) request.mix = model.folding()->mix();
  // Scores by masks alone need no pass over the sequences as they are.
  const bool is_needed = !request.layers.empty() || request.logits || request.contacts || !request.attentions.empty() ||
                         request.mix.defined();
  Esm2Output output = is_needed ? model.language_model().forward(batch, request) : Esm2Output();
  at::Tensor mixed = std::move(output.mixed);
  at::Tensor logits = output.logits;
  return {collect_results(batch, std::move(output), layout, letter_ids_), std::move(mixed), std::move(logits)};
}

// A failure stays with its sequence, so that the others are not computed again.
void ModelDevice::add_fold(const LoadedModel& model, const at::Tensor& states, const Effort& effort,
                           SequenceResult& result) {
  const auto start = Clock::now();
  try {
    if (states.isfinite().all().item<bool>()) {
      const FoldOutput output =
          in_the_engines_words([&] { return fold(*model.folding(), states, effort, result.row); });
      add_structure(output, job_.dataset.sequences.chain(result.row), job_.layout, result);
    } else {
      result = failed_result(result.row, RecordCode::not_finite, "the language model's states hold NaN or infinity");
    }
  } catch (const Stopped&) {
    throw;
  } catch (const DeviceLost&) {
    throw;
  } catch (const OutOfMemory&) {
    result = failed_result(result.row, RecordCode::out_of_memory, "");
  } catch (const std::exception& error) {
    result = failed_result(result.row, RecordCode::compute_failed, error.what());
  }
  result.seconds = seconds_since(start);
  shared_->folded.add({.seconds = result.seconds});
}

FoldOutput ModelDevice::fold(const EsmFold& model, const at::Tensor& states, const Effort& effort, std::int64_t row) {
  const SequenceTable& sequences = job_.dataset.sequences;
  const FoldInput input = make_fold_input(sequences.residues(row), sequences.chain(row), shared_->plan.chain_link);
  FoldRequest request = shared_->plan.fold_request;
  if (effort.chunk_size > 0) request.chunk_size = effort.chunk_size;
  request.stop = shared_->halt.get();
  FoldOutput output = model.fold(states, input, request);
  shared_->folded.add({.sequences = 1,
                       .positions = input.positions(),
                       .flops = fold_flops(model.config(), input.positions(), output.recycles + 1)});
  return output;
}

std::vector<std::int64_t> ModelDevice::smaller_chunks() const {
  std::vector<std::int64_t> chunks;
  if (job_.layout.scores) {
    for (std::int64_t chunk = shared_->plan.tokens_at_once / 4; chunk > 0; chunk /= 4) chunks.push_back(chunk);
    return chunks;
  }
  if (!job_.layout.structure) return chunks;
  for (const std::int64_t chunk : fold_chunks(job_.config.folding())) {
    // Each about half of the one before: every attempt costs the time of a fold.
    if (2 * chunk <= (chunks.empty() ? shared_->plan.fold_request.chunk_size : chunks.back())) chunks.push_back(chunk);
  }
  return chunks;
}

// A processor may be shared with others and swap, but does not hang. The smallest GPU of compute capability 8.0 or
// newer is good for a hundred times as much. It counts for the first batches alone, see Watchdog.
double ModelDevice::slowest_rate() const { return device_.is_cpu() ? 0 : 2e10; }

std::string ModelDevice::need_of(std::int64_t row) const {
  return fmt::format("it would need about {:.1f} GB beside the weights, and {:.1f} GB were set aside for it",
                     job_.capacity.bytes_for(job_.tokens[row]) / 1e9, job_.capacity.bytes() / 1e9);
}

}  // namespace pleat
