#include "machine/precision.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>

#include "core/error.h"

namespace pleat {
namespace {

using ::testing::HasSubstr;

const DeviceChoice processor{.cpu_workers = 2};

DeviceChoice gpus(const std::vector<int>& capabilities) {
  DeviceChoice choice;
  for (const int capability : capabilities) {
    choice.gpus.push_back({static_cast<int>(choice.gpus.size()), "NVIDIA X", 1e9, capability});
  }
  return choice;
}

TEST(ResolvePrecision, AutoIsWhatTheDevicesAreMadeFor) {
  EXPECT_EQ(resolve_precision(Precision::automatic, processor), Precision::float32);
  for (const int capability : {80, 86, 89, 90, 100, 120}) {
    EXPECT_EQ(resolve_precision(Precision::automatic, gpus({capability})), Precision::bfloat16) << capability;
  }
  EXPECT_EQ(resolve_precision(Precision::automatic, gpus({75})), Precision::float32);
}

// All compute in what the oldest can.
TEST(ResolvePrecision, MixedGpusComputeInOnePrecision) {
  EXPECT_EQ(resolve_precision(Precision::automatic, gpus({90, 80})), Precision::bfloat16);
  EXPECT_EQ(resolve_precision(Precision::automatic, gpus({90, 75})), Precision::float32);
  EXPECT_EQ(resolve_precision(Precision::automatic, gpus({75, 90})), Precision::float32);
}

TEST(ResolvePrecision, WhatIsAskedForIsWhatIsUsed) {
  for (const Precision wanted : {Precision::float32, Precision::bfloat16}) {
    EXPECT_EQ(resolve_precision(wanted, processor), wanted);
  }
  for (const Precision wanted : {Precision::float32, Precision::tf32, Precision::bfloat16, Precision::float16}) {
    EXPECT_EQ(resolve_precision(wanted, gpus({90, 80})), wanted);
  }
  EXPECT_EQ(resolve_precision(Precision::float16, gpus({75})), Precision::float16);
}

void expect_refused(Precision wanted, const DeviceChoice& devices, const std::vector<std::string>& words) {
  try {
    static_cast<void>(resolve_precision(wanted, devices));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::no_device);
    for (const std::string& word : words) EXPECT_THAT(error.what(), HasSubstr(word));
    EXPECT_THAT(error.hint(), HasSubstr("fp32"));
  }
}

TEST(ResolvePrecision, RefusesWhatADeviceCannot) {
  expect_refused(Precision::float16, processor, {"fp16", "CPU"});
  expect_refused(Precision::tf32, processor, {"tf32", "CPU"});
  expect_refused(Precision::tf32, gpus({90, 75}), {"tf32", "cuda:1", "7.5"});
  expect_refused(Precision::bfloat16, gpus({70}), {"bf16", "cuda:0", "7.0"});
}

TEST(Precision, SaysWhichAndWhetherItWasChosen) {
  EXPECT_EQ(precision_text(Precision::automatic, Precision::bfloat16), "bfloat16 (run.precision: auto)");
  EXPECT_EQ(precision_text(Precision::tf32, Precision::tf32), "tf32");
  EXPECT_EQ(element_type(Precision::tf32), at::kFloat);
}

TEST(Precision, TF32IsOnlyWhereItIsAskedForAndNeverForCoordinates) {
  allow_tf32(Precision::float32);
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
  allow_tf32(Precision::tf32);
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  EXPECT_FALSE(at::NoTF32Guard::should_disable_tf32());
  {
    const at::NoTF32Guard exact;
    EXPECT_TRUE(at::NoTF32Guard::should_disable_tf32());
  }
  allow_tf32(Precision::float32);
}

}  // namespace
}  // namespace pleat
