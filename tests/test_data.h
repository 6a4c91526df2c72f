// The data that tests are given.
#pragma once

#include <filesystem>

namespace pleat {

// tests/data of the checkout that this program was built in, or where the variable PLEAT_TEST_DATA says, for programs
// that run on another machine.
[[nodiscard]] std::filesystem::path test_data();

}  // namespace pleat
