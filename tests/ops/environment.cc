// What a Loader does before a model's first pass; the tests of single operations have none.
#include <gtest/gtest.h>

#include "tensor/vector_math.h"

namespace {

class VectorMath : public testing::Environment {
  void SetUp() override { pleat::settle_vector_math(); }
};

[[maybe_unused]] const testing::Environment* const settled = testing::AddGlobalTestEnvironment(new VectorMath);

}  // namespace
