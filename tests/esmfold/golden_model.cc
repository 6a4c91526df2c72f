#include "golden_model.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/file.h"
#include "seeded_model.h"
#include "tensor/host.h"
#include "test_data.h"

namespace pleat {
namespace {

const std::filesystem::path root = test_data() / "esmfold";

// Letters and the chain of each.
struct Chains {
  std::string residues;
  std::vector<std::uint16_t> chain;

  explicit Chains(const std::string& sequence) {
    std::uint16_t number = 0;
    for (const char letter : sequence) {
      if (letter == ':') {
        ++number;
      } else {
        residues += letter;
        chain.push_back(number);
      }
    }
  }
};

GoldenFold parse_case(const nlohmann::json& entry) {
  const auto number = [&](const char* name) {
    return entry.at(name).is_null() ? std::numeric_limits<double>::quiet_NaN() : entry.at(name).get<double>();
  };
  GoldenFold fold;
  fold.sequence = entry.at("sequence").get<std::string>();
  fold.num_recycles = entry.at("num_recycles").get<std::int64_t>();
  if (!entry.at("chain_linker").is_null()) {
    fold.link = {entry.at("chain_linker").get<std::int64_t>(), entry.at("chain_gap").get<std::int64_t>()};
  }
  fold.traced = entry.at("traced").get<bool>();
  fold.mean_plddt = number("mean_plddt");
  fold.ptm = number("ptm");
  fold.extent = number("extent");
  if (entry.contains("bfloat16_from_float32")) {
    fold.bfloat16_positions = entry.at("bfloat16_from_float32").at("positions").get<double>();
    fold.bfloat16_plddt = entry.at("bfloat16_from_float32").at("plddt").get<double>();
  }
  return fold;
}

}  // namespace

std::vector<std::string> golden_models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  if (names.size() < 5) throw std::runtime_error("golden data is missing from tests/data/esmfold");
  return names;
}

GoldenModel::GoldenModel(const std::string& name, at::ScalarType precision, at::Device device)
    : folder_(root / name),
      config_(load_model_config(folder_)),
      checkpoint_(Checkpoint::open(golden_model_folder(folder_))),
      model_(checkpoint_, config_.language_model, config_.fold.value(), precision, device),
      golden_(Checkpoint::open(folder_ / "golden")) {
  const auto json = nlohmann::json::parse(read_text_file(folder_ / "golden.json"));
  for (const auto& entry : json.at("cases")) cases_.push_back(parse_case(entry));
}

bool GoldenModel::has(std::size_t index, const std::string& name) const {
  return golden_.tensors().contains(std::to_string(index) + "." + name);
}

at::Tensor GoldenModel::expected(std::size_t index, const std::string& name) const {
  const TensorView& view = golden_.tensors().at(std::to_string(index) + "." + name);
  return tensor_from(view, scalar_type(view.dtype));
}

std::vector<std::string> GoldenModel::traces(std::size_t index) const {
  const std::string prefix = std::to_string(index) + ".trace.";
  std::vector<std::string> names;
  for (const auto& [name, view] : golden_.tensors()) {
    if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
  }
  return names;
}

FoldInput GoldenModel::input(std::size_t index) const {
  const Chains chains(cases_[index].sequence);
  return make_fold_input(chains.residues, chains.chain, cases_[index].link);
}

std::vector<at::Tensor> GoldenModel::states(const std::vector<std::size_t>& indices) const {
  SequenceTable table;
  std::vector<std::int64_t> rows;
  for (const std::size_t index : indices) {
    const Chains chains(cases_[index].sequence);
    rows.push_back(table.append(chains.residues, chains.chain));
  }
  const Tokenizer tokenizer(config_.language_model, Tokenizer::esmfold_letters,
                            cases_[indices.front()].link.linker_length);
  const PackedBatch batch = tokenizer.pack(table, rows);
  Esm2Request request;
  request.mix = model_.mix();
  const at::Tensor mixed = model_.language_model().forward(batch, request).mixed;  // [T, D]
  std::vector<at::Tensor> states;
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    states.push_back(mixed.slice(0, batch.cu_seqlens[s] + 1, batch.cu_seqlens[s + 1] - 1));
  }
  return states;
}

FoldOutput GoldenModel::fold(std::size_t index, FoldRequest request, const FoldTrace& trace) const {
  request.num_recycles = cases_[index].num_recycles;
  FoldTrace from_device;
  if (trace) from_device = [&](std::string_view name, const at::Tensor& value) { trace(name, value.cpu()); };
  FoldOutput output = model_.fold(states({index}).front(), input(index), request, from_device);
  for (at::Tensor* part : {&output.positions, &output.atom_mask, &output.plddt, &output.pae, &output.angles,
                           &output.distogram_logits, &output.lm_logits}) {
    if (part->defined()) *part = part->cpu();
  }
  return output;
}

}  // namespace pleat
