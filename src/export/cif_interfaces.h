// The numbers of interfaces as rows of ModelCIF's metrics: of the whole complex, of each chain, and of each two chains,
// which are features there.
#pragma once

#include <string>
#include <vector>

#include "format/stored_interfaces.h"

namespace pleat {

using CifRow = std::vector<std::string>;

struct CifMetrics {
  std::vector<CifRow> metrics;         // of _ma_qa_metric: id, name, description, type, mode, type_other_details
  std::vector<CifRow> globals;         // metric, value
  std::vector<CifRow> features;        // of _ma_feature_list: feature_id, feature_type, entity_type, details
  std::vector<CifRow> instances;       // of _ma_entity_instance_feature: ordinal_id, feature_id, label_asym_id
  std::vector<CifRow> of_chains;       // feature, metric, value
  std::vector<CifRow> of_chain_pairs;  // aligned feature, scored feature, metric, value
};

// The ids of the metrics count on from `first`.
[[nodiscard]] CifMetrics interface_metrics(const StoredInterfaces& interfaces, int first);

}  // namespace pleat
