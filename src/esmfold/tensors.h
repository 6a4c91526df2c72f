// The tensors of an ESMFold checkpoint by name, as Hugging Face transformers writes them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/tensor_view.h"
#include "weights/checkpoint.h"
#include "weights/config.h"

namespace pleat {

// Every tensor that the folding model keeps beside its language model ("esm.", see esm2_tensor_specs), with its shape.
// transformers 4 and 5 write the same ones. `af2_to_esm` alone is of integers.
[[nodiscard]] std::vector<TensorSpec> esmfold_tensor_specs(const Esm2Config& language_model, const FoldConfig& config);

// Leftovers that carry no information, as regular expressions: constants of the structure module, which transformers
// keeps as buffers and normally leaves out of files.
[[nodiscard]] const std::vector<std::string>& esmfold_benign_tensors();

// `af2_to_esm` [22] holds the language model's tokens of <pad>, AlphaFold's 20 residues in their order, and X. Throws
// Error(bad_input) where it disagrees with the vocabulary: the weights were trained with other tokens than those
// config.json lists. `tensors` have passed check_tensors; without the tensor there is nothing to check.
void check_af2_to_esm(const std::map<std::string, TensorView>& tensors, const Esm2Config& language_model);

}  // namespace pleat
