// Reading weights in pieces, on the processor's way and on the one to other devices.
#include "esm2/read_tensor.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/stop.h"
#include "cuda_row.h"
#include "tensor/host.h"
#include "weights/model_files.h"

namespace pleat {
namespace {

constexpr std::int64_t several_pieces = 700'001;
constexpr std::int64_t several_stagings = 9'000'001;  // of float32

// A checkpoint of one tensor, "x", which does not begin at a multiple of its elements' size.
class OneTensor {
 public:
  explicit OneTensor(const at::Tensor& x) {
    const std::string dtype = x.scalar_type() == at::kFloat ? "F32" : x.scalar_type() == at::kHalf ? "F16" : "BF16";
    const std::string data = "?" + std::string(static_cast<const char*>(x.const_data_ptr()), x.nbytes());
    nlohmann::json header;
    header["odd"] = {{"dtype", "U8"}, {"shape", {1}}, {"data_offsets", {0, 1}}};
    header["x"] = {{"dtype", dtype}, {"shape", x.sizes().vec()}, {"data_offsets", {1, data.size()}}};
    write_file(folder_.path() / "model.safetensors", safetensors(header.dump(), data));
    checkpoint_.emplace(Checkpoint::open(folder_.path()));
  }
  [[nodiscard]] ReadTensor read(at::ScalarType type) const {
    return read_tensor(*checkpoint_, checkpoint_->tensors().at("x"), type, at::kCPU);
  }
  [[nodiscard]] const Checkpoint& checkpoint() const { return *checkpoint_; }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "model.safetensors"; }

 private:
  ScratchFolder folder_;
  std::optional<Checkpoint> checkpoint_;
};

class ReadTensorTest : public testing::TestWithParam<Place> {
 protected:
  AtPlace place_{GetParam()};
};

TEST_P(ReadTensorTest, EveryNumberIsConvertedAsATenDoes) {
  at::manual_seed(7);
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, several_pieces}) {
    for (const at::ScalarType stored : {at::kFloat, at::kHalf, at::kBFloat16}) {
      const at::Tensor x = at::randn({size}).to(stored);
      const OneTensor one(x);
      for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
        const ReadTensor read = one.read(type);
        EXPECT_TRUE(at::equal(read.values, x.to(type))) << size << " " << stored << " as " << type;
        EXPECT_TRUE(read.finite.item<bool>());
      }
    }
  }
}

TEST_P(ReadTensorTest, LargeTensorsKeepTheirShape) {
  const at::Tensor x = at::arange(several_stagings, at::kFloat).view({several_stagings, 1});
  EXPECT_TRUE(at::equal(OneTensor(x).read(at::kFloat).values, x));
}

TEST_P(ReadTensorTest, FindsTheOneNumberThatIsNone) {
  for (const std::int64_t place : {std::int64_t{0}, several_pieces / 2, several_pieces - 1}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      at::Tensor x = at::zeros({several_pieces});
      x[place] = bad;
      EXPECT_FALSE(OneTensor(x).read(at::kBFloat16).finite.item<bool>()) << place;
    }
  }
}

TEST_P(ReadTensorTest, AFileThatBecomesShorterIsAnError) {
  const OneTensor one(at::zeros({several_pieces}));
  std::filesystem::resize_file(one.file(), 2'000'000);
  EXPECT_THROW((void)one.read(at::kFloat), Error);
  EXPECT_THROW(one.checkpoint().throw_if_changed(), Error);
}

TEST_P(ReadTensorTest, StopsWhenAsked) {
  const OneTensor one(at::zeros({several_pieces}));
  StopToken terminated;
  terminated.request_signal(15);
  const StopScope scope(terminated);
  EXPECT_THROW((void)one.read(at::kFloat), Stopped);
}

INSTANTIATE_TEST_SUITE_P(, ReadTensorTest, testing::Values(Place::cpu, Place::general),
                         [](const auto& tested) { return name_of(tested.param); });

}  // namespace
}  // namespace pleat
