// The weights that a run needs, in memory.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "esm2/model.h"
#include "esmfold/model.h"
#include "runtime/prepare.h"
#include "weights/checkpoint.h"

namespace pleat {

// A language model, or a folding model and the language model in it.
class LoadedModel {
 public:
  // Of a folding model that is not to fold only the language model is loaded, but the whole checkpoint is checked.
  // `precision` as resolve_precision() gives it.
  // Throws Error(bad_input) that lists everything wrong with the checkpoint.
  LoadedModel(const Checkpoint& checkpoint, const PreparedJob& job, Precision precision, at::Device device = at::kCPU);

  [[nodiscard]] const Esm2& language_model() const;
  // Null where nothing is to be folded.
  [[nodiscard]] const EsmFold* folding() const { return std::get_if<EsmFold>(&model_); }

 private:
  std::variant<Esm2, EsmFold> model_;
};

// The model of a run: one in the processor's memory, or one on each of its GPUs, in their order, all read at once.
// Throws what one of the constructors throws.
[[nodiscard]] std::vector<std::shared_ptr<const LoadedModel>> load_models(const Checkpoint& checkpoint,
                                                                          const PreparedJob& job);

}  // namespace pleat
