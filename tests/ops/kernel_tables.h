// Runs a test's body with the kernels of every instruction set.
#pragma once

#include <gtest/gtest.h>

#include "ops/cpu/kernels.h"

namespace pleat {

// Every instruction set this processor has, put back to the fastest at the end.
class EachKernelTable {
 public:
  template <class Body>
  void operator()(const Body& body) const {
    for (const cpu::Kernels* table : cpu::usable_kernels()) {
      SCOPED_TRACE(table->name);
      cpu::use_kernels(*table);
      body();
    }
    cpu::use_kernels(*cpu::usable_kernels().front());
  }
};

}  // namespace pleat
