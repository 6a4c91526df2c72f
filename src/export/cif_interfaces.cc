#include "export/cif_interfaces.h"

#include "export/gemmi_model.h"

namespace pleat {
namespace {

struct Metric {
  const char* name;
  const char* description;
  const char* type;
  std::vector<float> StoredInterfaces::*values;
  int digits;
  const char* other = ".";  // what a type of the dictionary does not say
};

const std::vector<Metric> of_complex{
    {"ipTM", "Interface TM-score of the whole complex", "ipTM", &StoredInterfaces::iptm, 4},
    {"pTM without linkers", "Predicted TM-score, linkers between chains left out", "pTM",
     &StoredInterfaces::ptm_residues, 4}};

const std::vector<Metric> chain_metrics{
    {"chain pTM", "Predicted TM-score of the chain alone", "pTM", &StoredInterfaces::chain_ptm, 4},
    {"chain pLDDT", "Mean over the atoms of the chain", "pLDDT all-atom", &StoredInterfaces::chain_mean_plddt, 2}};

const std::vector<Metric> of_pair{
    {"pair ipTM", "Interface TM-score of the two chains alone; the first is aligned, the second scored", "ipTM",
     &StoredInterfaces::pair_iptm, 4},
    {"ipSAE", "The first chain is aligned, the second scored", "other", &StoredInterfaces::ipsae, 4,
     "ipSAE (Dunbrack 2025) with d0 from the residues below the cutoff"},
    {"ipSAE_d0chn", "The first chain is aligned, the second scored", "other", &StoredInterfaces::ipsae_d0chn, 4,
     "ipSAE (Dunbrack 2025) with d0 from the residues of both chains"},
    {"minimum PAE", "The least PAE with the first chain aligned and the second scored", "PAE",
     &StoredInterfaces::min_pae, 2},
    {"contacts", "Pairs of residues of the two chains", "other", &StoredInterfaces::contacts, 0,
     "number of pairs of residues with CA atoms within 8 angstrom"}};

std::string feature_of(std::size_t chain) { return std::to_string(chain + 1); }

}  // namespace

CifMetrics interface_metrics(const StoredInterfaces& interfaces, int first) {
  CifMetrics found;
  const std::size_t chains = interfaces.chains();
  const auto text = [&](const Metric& metric, std::size_t i) {
    return decimal_text((interfaces.*metric.values)[i], metric.digits, "?");
  };
  const auto for_each = [&](const std::vector<Metric>& metrics, const char* mode, const auto& add) {
    for (const Metric& metric : metrics) {
      const std::string id = std::to_string(first++);
      found.metrics.push_back({id, metric.name, metric.description, metric.type, mode, metric.other});
      add(metric, id);
    }
  };
  for_each(of_complex, "global",
           [&](const Metric& metric, const std::string& id) { found.globals.push_back({id, text(metric, 0)}); });
  for_each(chain_metrics, "per-feature", [&](const Metric& metric, const std::string& id) {
    for (std::size_t a = 0; a < chains; ++a) found.of_chains.push_back({feature_of(a), id, text(metric, a)});
  });
  for_each(of_pair, "per-feature-pair", [&](const Metric& metric, const std::string& id) {
    for (std::size_t pair = 0; pair < chains * chains; ++pair) {
      const std::size_t a = pair / chains;
      const std::size_t b = pair % chains;
      if (a != b) found.of_chain_pairs.push_back({feature_of(a), feature_of(b), id, text(metric, pair)});
    }
  });
  for (std::size_t a = 0; a < chains; ++a) {
    const std::string name = chain_name(static_cast<std::int64_t>(a));
    found.features.push_back({feature_of(a), "entity instance", "polymer", "chain " + name});
    found.instances.push_back({feature_of(a), feature_of(a), name});
  }
  return found;
}

}  // namespace pleat
