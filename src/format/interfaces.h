// Where results and files hold the numbers of a complex's interfaces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "format/schema.h"
#include "format/sequence_result.h"
#include "format/stored_interfaces.h"

namespace pleat {

struct InterfaceColumn {
  const char* path;
  std::vector<float> StoredInterfaces::*values;
};

inline constexpr std::array interface_columns{
    InterfaceColumn{schema::iptm, &StoredInterfaces::iptm},
    InterfaceColumn{schema::ptm_residues, &StoredInterfaces::ptm_residues},
    InterfaceColumn{schema::chain_ptm, &StoredInterfaces::chain_ptm},
    InterfaceColumn{schema::chain_mean_plddt, &StoredInterfaces::chain_mean_plddt},
    InterfaceColumn{schema::pair_iptm, &StoredInterfaces::pair_iptm},
    InterfaceColumn{schema::ipsae, &StoredInterfaces::ipsae},
    InterfaceColumn{schema::ipsae_d0chn, &StoredInterfaces::ipsae_d0chn},
    InterfaceColumn{schema::min_pae, &StoredInterfaces::min_pae},
    InterfaceColumn{schema::interface_contacts, &StoredInterfaces::contacts},
};

// Into a result, and back; nothing where the result has none.
void put_interfaces(const StoredInterfaces& interfaces, SequenceResult& result);
[[nodiscard]] StoredInterfaces interfaces_of(const SequenceResult& result);

}  // namespace pleat
