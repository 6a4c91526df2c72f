// Whether CUDA can be used, judged on machines that are made up.
#include "machine/cuda.h"

#include <gmock/gmock.h>

namespace pleat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

GpuState gpu_of(std::string name, int major, int minor) {
  GpuState gpu;
  gpu.name = std::move(name);
  gpu.major = major;
  gpu.minor = minor;
  gpu.total_bytes = gpu.free_bytes = 80e9;
  return gpu;
}

// Where everything is right.
CudaProbe sound_machine() {
  CudaProbe probe;
  probe.gpu_visible = true;
  probe.plugin = PluginState::loaded;
  probe.plugin_path = "/opt/pleat/lib/libpleat_cuda.so";
  probe.architectures = "80 86 89 90 100 120";
  probe.runtime_version = 13000;
  probe.driver_library = true;
  probe.driver_name = "580.95.05";
  probe.driver_version = 13000;
  probe.gpus = {gpu_of("NVIDIA H100", 9, 0), gpu_of("NVIDIA A100", 8, 0), gpu_of("NVIDIA L4", 8, 9)};
  return probe;
}

// Refused with these words, and with a way out.
void expect_refused(const CudaProbe& probe, const std::vector<int>& wanted, const std::vector<std::string>& words) {
  const CudaDecision decision = decide_cuda(probe, wanted);
  EXPECT_THAT(decision.gpus, IsEmpty());
  for (const std::string& word : words) EXPECT_THAT(decision.problem, HasSubstr(word));
  EXPECT_THAT(decision.advice, HasSubstr("run.devices to cpu"));
  EXPECT_THAT(decision.problem + decision.advice, testing::Not(HasSubstr("\n")));
}

TEST(DecideCuda, TakesAllGpusOrThoseThatAreWanted) {
  EXPECT_THAT(decide_cuda(sound_machine(), {}).gpus, ElementsAre(0, 1, 2));
  EXPECT_THAT(decide_cuda(sound_machine(), {2, 0}).gpus, ElementsAre(2, 0));
  EXPECT_THAT(decide_cuda(sound_machine(), {}).problem, IsEmpty());
}

TEST(DecideCuda, ServesNewerDriversAndThoseThatDoNotSay) {
  for (const int version : {13000, 13020, 14000, 0}) {
    CudaProbe probe = sound_machine();
    probe.driver_version = version;
    EXPECT_THAT(decide_cuda(probe, {1}).gpus, ElementsAre(1)) << version;
  }
}

TEST(DecideCuda, SaysWhatIsWrongWithThePlugin) {
  CudaProbe probe = sound_machine();
  probe.plugin = PluginState::absent;
  expect_refused(probe, {}, {"no part for CUDA", "/opt/pleat/lib/libpleat_cuda.so"});
  probe.plugin = PluginState::unloadable;
  probe.plugin_problem = "libcublasLt.so.13: cannot open shared object file: No such file or directory";
  expect_refused(probe, {}, {"cannot be loaded", "libcublasLt.so.13"});
  probe.plugin = PluginState::other_version;
  probe.plugin_problem = "pleat 9.9.9, LibTorch 2.11.0, interface 0123456789ab";
  expect_refused(probe, {}, {"another pleat", "pleat 9.9.9", "/opt/pleat/lib/libpleat_cuda.so"});
}

TEST(DecideCuda, SaysWhatIsWrongWithTheDriver) {
  CudaProbe none = sound_machine();
  none.driver_library = false;
  expect_refused(none, {}, {"no NVIDIA driver", "libcuda.so.1"});
  CudaProbe old = sound_machine();
  old.driver_name = "550.54.15";
  old.driver_version = 12040;
  old.runtime_error = "CUDA driver version is insufficient for CUDA runtime version";
  expect_refused(old, {}, {"550.54.15 is too old", "serves CUDA 12.4", "needs CUDA 13.0", "580"});
  CudaProbe broken = sound_machine();
  broken.driver_error = "unknown error";
  expect_refused(broken, {}, {"580.95.05 does not start", "unknown error"});
  CudaProbe runtime = sound_machine();
  runtime.runtime_error = "initialization error";
  expect_refused(runtime, {}, {"runtime does not start", "initialization error"});
}

TEST(DecideCuda, SaysWhatIsWrongWithTheGpus) {
  CudaProbe none = sound_machine();
  none.gpus.clear();
  expect_refused(none, {}, {"no GPU"});
  expect_refused(sound_machine(), {0, 3}, {"no cuda:3", "3 GPUs"});
  CudaProbe old = sound_machine();
  old.gpus[1] = gpu_of("Tesla V100", 7, 0);
  expect_refused(old, {}, {"cuda:1 (Tesla V100)", "compute capability 7.0", "80 86 89 90 100 120"});
  EXPECT_THAT(decide_cuda(old, {0, 2}).gpus, ElementsAre(0, 2)) << "those that are not wanted do not matter";
  CudaProbe busy = sound_machine();
  busy.gpus[0].error = "all CUDA-capable devices are busy or unavailable";
  expect_refused(busy, {0}, {"cuda:0 (NVIDIA H100)", "busy or unavailable"});
}

TEST(DecideCudaAutomatically, TakesThoseThatAreUsableAndNamesTheOthers) {
  EXPECT_THAT(decide_cuda_automatically(sound_machine()).gpus, ElementsAre(0, 1, 2));
  EXPECT_THAT(decide_cuda_automatically(sound_machine()).left_out, IsEmpty());
  CudaProbe probe = sound_machine();
  probe.gpus[0].error = "uncorrectable ECC error encountered";
  const CudaDecision decision = decide_cuda_automatically(probe);
  EXPECT_THAT(decision.gpus, ElementsAre(1, 2));
  EXPECT_THAT(decision.problem, IsEmpty());
  EXPECT_THAT(decision.left_out, ElementsAre(HasSubstr("cuda:0 (NVIDIA H100) cannot be used: uncorrectable ECC")));
  expect_refused(probe, {}, {"cuda:0", "uncorrectable ECC"});
}

TEST(DecideCudaAutomatically, WithoutAnyItSaysWhy) {
  CudaProbe probe = sound_machine();
  for (GpuState& gpu : probe.gpus) gpu.error = "busy";
  EXPECT_THAT(decide_cuda_automatically(probe).gpus, IsEmpty());
  EXPECT_THAT(decide_cuda_automatically(probe).problem, HasSubstr("cuda:0 (NVIDIA H100) cannot be used: busy"));
  probe = sound_machine();
  probe.driver_library = false;
  EXPECT_THAT(decide_cuda_automatically(probe).gpus, IsEmpty());
  EXPECT_THAT(decide_cuda_automatically(probe).problem, HasSubstr("no NVIDIA driver"));
}

TEST(RunsOn, TheSameMajorNumberAndNoSmallerMinor) {
  const std::string built = "80 86 89 90 100 120";
  for (const auto& [major, minor] :
       {std::pair{8, 0}, {8, 6}, {8, 7}, {8, 9}, {9, 0}, {10, 0}, {10, 3}, {12, 0}, {12, 1}}) {
    EXPECT_TRUE(runs_on(built, major, minor)) << major << '.' << minor;
  }
  for (const auto& [major, minor] : {std::pair{7, 5}, {5, 2}, {11, 0}, {13, 0}}) {
    EXPECT_FALSE(runs_on(built, major, minor)) << major << '.' << minor;
  }
  EXPECT_FALSE(runs_on("86", 8, 0));
  EXPECT_FALSE(runs_on("", 9, 0));
}

}  // namespace
}  // namespace pleat
