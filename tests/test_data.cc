#include "test_data.h"

#include <cstdlib>

namespace pleat {

std::filesystem::path test_data() {
  const char* const given = std::getenv("PLEAT_TEST_DATA");
  return given != nullptr && *given != '\0' ? given : PLEAT_TEST_DATA;
}

}  // namespace pleat
