#include "golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/file.h"
#include "tensor/host.h"
#include "test_data.h"

namespace pleat {
namespace {

at::Tensor tensor_named(const Checkpoint& golden, const std::string& name) {
  const TensorView& view = golden.tensors().at(name);
  return tensor_from(view, scalar_type(view.dtype));
}

}  // namespace

std::vector<std::string> golden_cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(test_data() / "esm2")) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  if (names.size() < 4) throw std::runtime_error("golden data is missing from tests/data/esm2");
  return names;
}

Golden load_golden(const std::string& name) {
  Golden golden;
  golden.folder = test_data() / "esm2" / name;
  const auto json = nlohmann::json::parse(read_text_file(golden.folder / "golden.json"));
  const Checkpoint expected = Checkpoint::open(golden.folder / "golden");
  golden.layers = json.at("layers").get<std::vector<std::int64_t>>();
  std::size_t index = 0;
  for (const auto& entry : json.at("sequences")) {
    const std::string prefix = std::to_string(index++) + ".";
    const auto& deviations = entry.at("bfloat16_from_float32");
    const auto load = [&](const std::string& part) {
      return GoldenTensor{tensor_named(expected, prefix + part), deviations.at(part).get<double>()};
    };
    GoldenSequence sequence;
    sequence.residues = entry.at("residues").get<std::string>();
    sequence.tokens = tensor_named(expected, prefix + "tokens");
    sequence.contact_residues = tensor_named(expected, prefix + "residues");
    for (const std::int64_t layer : golden.layers) sequence.hidden[layer] = load(fmt::format("hidden.{:02}", layer));
    sequence.logits = load("logits");
    sequence.contacts = load("contacts");
    golden.sequences.push_back(std::move(sequence));
  }
  return golden;
}

SequenceTable table_of(const std::vector<std::string>& sequences) {
  SequenceTable table;
  for (const std::string& residues : sequences) {
    table.append(residues, std::vector<std::uint16_t>(residues.size(), 0));
  }
  return table;
}

}  // namespace pleat
