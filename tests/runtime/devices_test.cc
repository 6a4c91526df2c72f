#include "pleat/runtime/devices.h"

#include <gmock/gmock.h>

#include <string>

#include "pleat/core/error.h"
#include "pleat/core/file.h"

namespace pleat {
namespace {

using testing::HasSubstr;

TEST(ChooseDevices, TheProcessorIsOneDeviceOrSeveral) {
  EXPECT_EQ(choose_devices("auto").cpu_workers, 1);
  EXPECT_EQ(choose_devices("cpu").cpu_workers, 1);
  EXPECT_EQ(choose_devices("cpu*4").cpu_workers, 4);
}

class MissingDevice : public testing::TestWithParam<const char*> {};

TEST_P(MissingDevice, IsNamedWithAWayOut) {
  try {
    static_cast<void>(choose_devices(GetParam()));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_device);
    EXPECT_THAT(error.what(), HasSubstr("'" + std::string(GetParam()) + "'"));
    EXPECT_THAT(error.hint(), HasSubstr("cpu"));
  }
}

INSTANTIATE_TEST_SUITE_P(Names, MissingDevice,
                         testing::Values("cuda", "cuda:0", "cuda:0,2", "tpu", "CPU", "cpu:99", "", "cpu*", "cpu*0",
                                         "cpu*-1", "cpu*1000", "cpu*4x", "cpu *4"));

TEST(CpuHasBfloat16, AgreesWithTheSystem) {
  EXPECT_EQ(cpu_has_bfloat16(), read_text_file("/proc/cpuinfo").find("avx512_bf16") != std::string::npos);
}

}  // namespace
}  // namespace pleat
