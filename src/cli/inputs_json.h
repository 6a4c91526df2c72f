// A run's inputs as JSON, for pleat inspect and the summary of a run.
#pragma once

#include <vector>

#include "sequence/input_file.h"

namespace pleat::cli {

// Json: nlohmann::json, or nlohmann::ordered_json where the keys are to stay in this order.
template <class Json>
Json inputs_json(const std::vector<InputReport>& inputs) {
  Json json = Json::array();
  for (const InputReport& input : inputs) {
    json.push_back({{"path", input.path},
                    {"bytes", input.bytes},
                    {"sha256", input.sha256},
                    {"records", input.records},
                    {"format", input.format},
                    {"problem", input.problem},
                    {"message", input.message}});
  }
  return json;
}

}  // namespace pleat::cli
