#include "runtime/loaded_model.h"

#include "esmfold/tensors.h"

namespace pleat {
namespace {

std::variant<Esm2, EsmFold> load(const Checkpoint& checkpoint, const PreparedJob& job, at::Device device) {
  const Esm2Config& language_model = job.config.language_model;
  if (!job.config.fold) return Esm2(checkpoint, language_model, job.precision, {}, {}, device);
  if (job.layout.structure) return EsmFold(checkpoint, language_model, *job.config.fold, job.precision, device);
  Esm2 model(checkpoint, language_model, job.precision, esmfold_tensor_specs(language_model, *job.config.fold),
             esmfold_benign_tensors(), device);
  check_af2_to_esm(checkpoint.tensors(), language_model);
  return model;
}

}  // namespace

LoadedModel::LoadedModel(const Checkpoint& checkpoint, const PreparedJob& job, at::Device device)
    : model_(load(checkpoint, job, device)) {}

const Esm2& LoadedModel::language_model() const {
  const EsmFold* const fold = folding();
  return fold != nullptr ? fold->language_model() : std::get<Esm2>(model_);
}

}  // namespace pleat
