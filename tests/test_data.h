// The data that tests are given.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace pleat {

// tests/data of the checkout that this program was built in, or where the variable PLEAT_TEST_DATA says, for programs
// that run on another machine.
inline std::filesystem::path test_data() {
  const char* const given = std::getenv("PLEAT_TEST_DATA");
  return given != nullptr && *given != '\0' ? given : PLEAT_TEST_DATA;
}

}  // namespace pleat
