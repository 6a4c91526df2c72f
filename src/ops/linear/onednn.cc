// oneDNN's linear layer, which ATen registers with its dispatcher but declares in no header.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <map>
#include <mutex>
#include <tuple>

#include "ops/cpu/path.h"
#include "ops/linear/processor.h"

namespace pleat {
namespace {

constexpr const char* pack_name = "mkldnn::_reorder_linear_weight";
constexpr const char* linear_name = "mkldnn::_linear_pointwise";
// oneDNN lays a weight out for about this many rows at a time; any other number works as well.
constexpr std::int64_t block_rows = 256;

using PackFunction = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using LinearFunction = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                  c10::string_view, c10::List<std::optional<at::Scalar>>,
                                  std::optional<c10::string_view>);

bool has_onednn() {
  static const bool present = at::hasMKLDNN() && c10::Dispatcher::singleton().findSchema({pack_name, ""}) &&
                              c10::Dispatcher::singleton().findSchema({linear_name, ""});
  return present;
}

at::Tensor pack(const at::Tensor& weight) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(pack_name, "").typed<PackFunction>();
  return op.call(weight, block_rows);
}

at::Tensor call(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(linear_name, "").typed<LinearFunction>();
  const std::optional<at::Tensor> b = bias.defined() ? std::optional(bias) : std::nullopt;
  const bool gelu = activation == Activation::gelu;
  const at::Tensor y =
      op.call(x, weight, b, gelu ? "gelu" : "none", c10::List<std::optional<at::Scalar>>(), gelu ? "none" : "");
  return gelu ? y : activated(y, activation);
}

struct PackedWeight {
  at::Tensor weight;
  at::Tensor bias;
  Activation activation;
};

class OneDnnLinear : public ProcessorLinear {
 public:
  explicit OneDnnLinear(PackedWeight packed) : packed_(std::move(packed)) {}
  [[nodiscard]] at::Tensor multiply(const at::Tensor& x) const override {
    return call(x, packed_.weight, packed_.bias, packed_.activation);
  }

 private:
  PackedWeight packed_;
};

// In calls of one number of rows, the last filled up with rows that nobody reads.
class OneDnnBlocks : public ProcessorLinear {
 public:
  explicit OneDnnBlocks(PackedWeight packed) : packed_(std::move(packed)) {}
  [[nodiscard]] at::Tensor multiply(const at::Tensor& x) const override {
    const std::int64_t rows = x.size(0);
    at::Tensor out;  // [T, N]
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
      const std::int64_t count = std::min(block_rows, rows - begin);
      at::Tensor block = x.slice(0, begin, begin + count);
      if (count < block_rows) block = at::constant_pad_nd(block, {0, 0, 0, block_rows - count});
      const at::Tensor y = call(block, packed_.weight, packed_.bias, packed_.activation);
      if (!out.defined()) out = at::empty({rows, y.size(1)}, y.options());
      out.slice(0, begin, begin + count).copy_(y.slice(0, 0, count));
    }
    return out;
  }

 private:
  PackedWeight packed_;
};

enum class Calls : std::uint8_t { any_rows, blocks, neither };

// Which calls of a layer like this one give rows bits of their own.
Calls find_right_calls(const PackedWeight& packed, std::int64_t in, at::ScalarType type) {
  if (rows_are_independent(OneDnnLinear(packed), in, type)) return Calls::any_rows;
  return rows_are_independent(OneDnnBlocks(packed), in, type) ? Calls::blocks : Calls::neither;
}

// oneDNN chooses its code by shape and type, so that one of a model's equal layers speaks for all: proving it costs as
// much as some hundred rows.
Calls right_calls(const PackedWeight& packed, const at::Tensor& weight) {
  using Key = std::tuple<at::ScalarType, std::int64_t, std::int64_t, bool, Activation, int>;
  static std::mutex mutex;
  static std::map<Key, Calls> known;
  const Key key{weight.scalar_type(),  weight.size(0),    weight.size(1),
                packed.bias.defined(), packed.activation, at::get_num_threads()};
  const std::scoped_lock lock(mutex);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  return known[key] = find_right_calls(packed, weight.size(1), weight.scalar_type());
}

}  // namespace

ProcessorLinearPtr make_onednn_linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                                      Rows rows) {
  if (cpu::path() < cpu::Path::avx512 || !has_onednn()) return nullptr;
  PackedWeight packed{pack(weight.contiguous()), bias.defined() ? bias.contiguous() : bias, activation};
  switch (rows == Rows::sequence ? Calls::any_rows : right_calls(packed, weight)) {
    case Calls::any_rows: note_linear_way("oneDNN"); return std::make_shared<OneDnnLinear>(std::move(packed));
    case Calls::blocks:
      note_linear_way("oneDNN in calls of 256 rows, since its rows depend on their number here");
      return std::make_shared<OneDnnBlocks>(std::move(packed));
    case Calls::neither: break;
  }
  return nullptr;
}

}  // namespace pleat
