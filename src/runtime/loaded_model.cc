#include "runtime/loaded_model.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <future>

#include "core/stop.h"
#include "esmfold/tensors.h"
#include "machine/precision.h"

namespace pleat {
namespace {

std::variant<Esm2, EsmFold> load(const Checkpoint& checkpoint, const PreparedJob& job, at::ScalarType type,
                                 at::Device device) {
  const Esm2Config& language_model = job.config.language_model;
  if (!job.config.fold) return Esm2(checkpoint, language_model, type, {}, {}, device);
  if (job.layout.structure) return EsmFold(checkpoint, language_model, *job.config.fold, type, device);
  Esm2 model(checkpoint, language_model, type, esmfold_tensor_specs(language_model, *job.config.fold),
             esmfold_benign_tensors(), device);
  check_af2_to_esm(checkpoint.tensors(), language_model);
  return model;
}

// Threads that each of several at once may use to read.
int threads_of_each(std::size_t several) { return std::max(1, at::get_num_threads() / static_cast<int>(several)); }

}  // namespace

LoadedModel::LoadedModel(const Checkpoint& checkpoint, const PreparedJob& job, Precision precision, at::Device device)
    : model_(load(checkpoint, job, element_type(precision), device)) {}

std::vector<std::shared_ptr<const LoadedModel>> load_models(const Checkpoint& checkpoint, const PreparedJob& job) {
  const std::vector<Gpu>& gpus = job.devices.gpus;
  if (gpus.empty()) return {std::make_shared<const LoadedModel>(checkpoint, job, job.precision)};
  const StopToken never;
  const StopToken& stop = StopScope::current() != nullptr ? *StopScope::current() : never;
  std::vector<std::future<std::shared_ptr<const LoadedModel>>> loading;
  loading.reserve(gpus.size());
  for (const Gpu& gpu : gpus) {
    loading.push_back(std::async(std::launch::async, [&, threads = threads_of_each(gpus.size())] {
      const StopScope scope(stop);
      at::set_num_threads(threads);
      const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(gpu.number));
      const c10::DeviceGuard guard(device);
      auto model = std::make_shared<const LoadedModel>(checkpoint, job, job.precision, device);
      // Workers compute on streams of their own, which know nothing of this one.
      c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
      return model;
    }));
  }
  std::vector<std::shared_ptr<const LoadedModel>> models;
  models.reserve(gpus.size());
  for (auto& model : loading) models.push_back(model.get());
  return models;
}

const Esm2& LoadedModel::language_model() const {
  const EsmFold* const fold = folding();
  return fold != nullptr ? fold->language_model() : std::get<Esm2>(model_);
}

}  // namespace pleat
