#include "esmfold/input.h"

#include "esmfold/residue_constants.h"

namespace pleat {

FoldInput make_fold_input(std::string_view residues, std::span<const std::uint16_t> chain, const ChainLink& link) {
  FoldInput input;
  input.chain.assign(chain.begin(), chain.end());
  std::int64_t jump = 0;
  for (std::size_t i = 0; i < residues.size(); ++i) {
    if (i > 0 && chain[i] != chain[i - 1]) {
      for (std::int64_t k = 0; k < link.linker_length; ++k) {
        input.residue_index.push_back(input.positions() + jump);
        input.aatype.push_back(aatype_of('G'));
      }
      jump += link.index_jump;
    }
    input.residues.push_back(input.positions());
    input.residue_index.push_back(input.positions() + jump);
    input.aatype.push_back(aatype_of(residues[i]));
  }
  return input;
}

}  // namespace pleat
