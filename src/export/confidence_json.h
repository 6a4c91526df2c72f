// How sure the model is of a structure, as JSON in AlphaFold 3's words: what ipSAE and viewers of PAE read.
#pragma once

#include <string>
#include <vector>

#include "export/structure.h"

namespace pleat {

// Tokens are the residues that have atoms, in the order of the mmCIF file. pae [L, L] ångström, of all residues.
// atom_chain_ids, atom_plddts, token_chain_ids, token_res_ids, pae.
[[nodiscard]] std::string confidences_json(const Structure& structure, const std::vector<float>& pae);

// ptm and mean_plddt; of complexes iptm and, for chains and each two of them, chain_ptm, chain_iptm, chain_pair_iptm,
// chain_pair_pae_min, and pleat's chain_pair_ipsae and chain_pair_contacts.
[[nodiscard]] std::string summary_json(const Structure& structure, const std::vector<float>& pae,
                                       const StructureOrigin& origin);

}  // namespace pleat
