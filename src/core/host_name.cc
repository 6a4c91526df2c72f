#include "core/host_name.h"

#include <unistd.h>

#include <array>

namespace pleat {

std::string host_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return host.data();
}

}  // namespace pleat
