#include "machine/devices.h"

#include <gmock/gmock.h>

#include <string>

#include "core/error.h"
#include "core/file.h"

namespace pleat {
namespace {

using testing::HasSubstr;

using Kind = DeviceRequest::Kind;

TEST(ParseDevices, TakesEveryForm) {
  EXPECT_EQ(parse_devices("auto").kind, Kind::automatic);
  EXPECT_EQ(parse_devices("cpu").kind, Kind::cpu);
  EXPECT_EQ(parse_devices("cpu*4").workers, 4);
  EXPECT_EQ(parse_devices("cuda").kind, Kind::cuda);
  EXPECT_THAT(parse_devices("cuda").gpus, testing::IsEmpty());
  EXPECT_EQ(parse_devices("cuda:0").kind, Kind::cuda);
  EXPECT_THAT(parse_devices("cuda:0").gpus, testing::ElementsAre(0));
  EXPECT_THAT(parse_devices("cuda:2,0,11").gpus, testing::ElementsAre(2, 0, 11));
  EXPECT_EQ(parse_devices("cuda:2,0").workers, 1);
  EXPECT_EQ(parse_devices("cuda*2").workers, 2);
  EXPECT_THAT(parse_devices("cuda*2").gpus, testing::IsEmpty());
  EXPECT_EQ(parse_devices("cuda:1,0*3").workers, 3);
  EXPECT_THAT(parse_devices("cuda:1,0*3").gpus, testing::ElementsAre(1, 0));
}

TEST(ChooseDevices, TheProcessorIsOneDeviceOrSeveral) {
  EXPECT_EQ(choose_devices("cpu").cpu_workers, 1);
  EXPECT_EQ(choose_devices("cpu*4").cpu_workers, 4);
  EXPECT_EQ(choose_devices("cpu*4").count(), 4);
  EXPECT_FALSE(choose_devices("cpu*4").on_gpu());
}

TEST(DeviceChoice, CountsGpusWhereThereAreSome) {
  const DeviceChoice choice{.cpu_workers = 1, .gpus = {{0, "A", 1}, {2, "B", 1}}};
  EXPECT_EQ(choice.count(), 2);
  EXPECT_TRUE(choice.on_gpu());
}

TEST(PlaceOf, WorkersOfAGpuShareItsWeights) {
  const DeviceChoice choice{.gpus = {{0, "A", 1}, {2, "B", 1}}, .workers_per_gpu = 2};
  ASSERT_EQ(choice.count(), 4);
  EXPECT_EQ(choice.sharers(), 2);
  std::vector<std::string> names;
  std::vector<std::size_t> memories;
  for (std::int64_t number = 0; number < choice.count(); ++number) {
    names.push_back(place_of(choice, number).name);
    memories.push_back(place_of(choice, number).memory);
  }
  EXPECT_THAT(names, testing::ElementsAre("cuda:0", "cuda:2", "cuda:0.1", "cuda:2.1"));
  EXPECT_THAT(memories, testing::ElementsAre(0, 1, 0, 1));
}

TEST(PlaceOf, WorkersOfTheProcessorShareItsWeights) {
  const DeviceChoice choice{.cpu_workers = 3};
  EXPECT_EQ(place_of(choice, 2).name, "cpu:2");
  EXPECT_EQ(place_of(choice, 2).memory, 0U);
  EXPECT_EQ(choice.sharers(), 3);
}

// Eight GPUs, of which those with an error cannot be used.
CudaProbe machine_of(const std::vector<std::string>& errors) {
  CudaProbe probe;
  probe.gpu_visible = probe.driver_library = true;
  probe.plugin = PluginState::loaded;
  probe.architectures = "90";
  for (const std::string& error : errors) {
    GpuState gpu;
    gpu.name = "NVIDIA H100";
    gpu.major = 9;
    gpu.error = error;
    probe.gpus.push_back(gpu);
  }
  return probe;
}

TEST(ChooseAutomatically, LeavesOutTheGpuThatCannotBeUsedAndWarns) {
  std::vector<std::string> errors(8);
  errors[5] = "uncorrectable ECC error encountered";
  const DeviceChoice choice = choose_automatically(machine_of(errors));
  ASSERT_EQ(choice.count(), 7);
  EXPECT_EQ(choice.gpus[5].number, 6);
  EXPECT_THAT(choice.warnings, testing::ElementsAre(testing::AllOf(HasSubstr("cuda:5"), HasSubstr("ECC"))));
}

TEST(ChooseAutomatically, FallsBackOnTheProcessorWithAWarning) {
  const DeviceChoice choice = choose_automatically(machine_of({"busy", "busy"}));
  EXPECT_FALSE(choice.on_gpu());
  EXPECT_EQ(choice.count(), 1);
  EXPECT_THAT(choice.warnings, testing::ElementsAre(HasSubstr("although there is a GPU: cuda:0")));
  EXPECT_THAT(choose_automatically(machine_of({"", ""})).warnings, testing::IsEmpty());
}

class MissingDevice : public testing::TestWithParam<const char*> {};

TEST_P(MissingDevice, IsNamedWithAWayOut) {
  try {
    static_cast<void>(parse_devices(GetParam()));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_device);
    EXPECT_THAT(error.what(), HasSubstr("'" + std::string(GetParam()) + "'"));
    EXPECT_THAT(error.hint(), HasSubstr("cpu"));
  }
}

INSTANTIATE_TEST_SUITE_P(Names, MissingDevice,
                         testing::Values("cuda:", "cuda:0,", "cuda:,0", "cuda:0,0", "cuda:-1", "cuda:64", "cuda:0 ",
                                         "cuda0", "CUDA", "tpu", "CPU", "cpu:99", "", "cpu*", "cpu*0", "cpu*-1",
                                         "cpu*1000", "cpu*4x", "cpu *4", "cuda*", "cuda*0", "cuda*17", "cuda:0*",
                                         "cuda:*2", "cuda*2:0", "cuda*2*2", "auto*2"));

}  // namespace
}  // namespace pleat
