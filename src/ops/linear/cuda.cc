// Linear layers by cublasLt, with bias and rectifier in the product's epilogue. cublasLt also has a GELU epilogue, but
// that is the approximation by tanh, and the models were trained with the exact one: it is applied afterwards, in 16
// bits by a kernel of our own, in place.
//
// A row's bits must not depend on the number of rows. So the algorithm is chosen once for each shape of weight, for a
// usual number of rows, without splitting a sum among blocks, and serves any number.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cublasLt.h>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/linear/kernels.h"

namespace pleat::cuda {
namespace {

constexpr std::int64_t usual_rows = 4096;
constexpr std::size_t most_shapes = 4096;  // that are kept for a weight
constexpr std::int64_t workspace_bytes = std::int64_t{32} << 20;
constexpr std::uintptr_t alignment = 256;  // that algorithms are chosen for, and that LibTorch's allocator gives

// What the product itself does to its sums.
struct Epilogue {
  bool bias;
  bool relu;
  auto operator<=>(const Epilogue&) const = default;
};

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_ALLOC_FAILED) {
    throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, std::string(call) + " has no memory");
  }
  TORCH_CHECK(status == CUBLAS_STATUS_SUCCESS, call, " failed: ", cublasLtGetStatusString(status));
}

template <class T, cublasStatus_t (*Destroy)(T)>
struct Destroyer {
  void operator()(T handle) const { Destroy(handle); }
};
template <class T, cublasStatus_t (*Destroy)(T)>
using Owned = std::unique_ptr<std::remove_pointer_t<T>, Destroyer<T, Destroy>>;
using Operation = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

cudaDataType_t data_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return CUDA_R_32F;
    case at::kBFloat16: return CUDA_R_16BF;
    case at::kHalf: return CUDA_R_16F;
    default: TORCH_CHECK(false, "linear layers on CUDA are of float32, bfloat16 or float16, not ", type);
  }
}

// cublasLt counts by columns: a row-major [rows, columns] is its [columns, rows].
Layout layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, type, columns, rows, columns), "cublasLtMatrixLayoutCreate");
  return Layout(made);
}

// What products on a stream, which come one after the other, compute in. Kept as long as the process, as below.
void* workspace_of(const c10::cuda::CUDAStream& stream) {
  static std::mutex mutex;
  static auto& kept = *new std::map<std::pair<int, cudaStream_t>, at::Tensor>();
  const std::scoped_lock lock(mutex);
  at::Tensor& workspace = kept[{stream.device_index(), stream.stream()}];
  if (!workspace.defined()) {
    workspace = at::empty({workspace_bytes}, at::TensorOptions(stream.device()).dtype(at::kByte));
  }
  return workspace.mutable_data_ptr();
}

// The product y^T = W x^T in cublasLt's view, with everything but the number of rows. float32 is added in float32; its
// operands go through TF32 only with `tf32`.
class Product {
 public:
  Product(cublasLtHandle_t handle, at::ScalarType type, bool tf32, std::int64_t in, std::int64_t out, Epilogue epilogue)
      : handle_(handle),
        type_(data_type(type)),
        arithmetic_(tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F),
        in_(in),
        out_(out),
        epilogue_(epilogue),
        weight_(layout(type_, out, in)) {
    find_algorithm();
  }

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const {
    const std::int64_t rows = x.size(0);
    const std::shared_ptr<const Shape> shape = shape_for(rows);
    if (!shape->suits) {
      const std::int64_t missing = usual_rows - rows % usual_rows;
      return (*this)(at::constant_pad_nd(x, {0, 0, 0, missing}), weight, bias).slice(0, 0, rows);
    }
    return multiply(*shape, x, weight, bias);
  }

 private:
  // Of x and y with so many rows, and whether the algorithm takes them.
  struct Shape {
    Layout x;
    Layout y;
    bool suits = false;
  };

  // Made once for a number of rows. Batches have few different ones in a run, but a folding one has many.
  [[nodiscard]] std::shared_ptr<const Shape> shape_for(std::int64_t rows) const {
    const std::scoped_lock lock(mutex_);
    if (shapes_.size() >= most_shapes) shapes_.clear();
    std::shared_ptr<const Shape>& shape = shapes_[rows];
    if (!shape) {
      auto made = std::make_shared<Shape>(Shape{layout(type_, rows, in_), layout(type_, rows, out_)});
      made->suits = suits(*made);
      shape = std::move(made);
    }
    return shape;
  }

  // Made once for a bias, of which there is one for each layer of this shape. A later model's at the same address wants
  // the same description.
  [[nodiscard]] cublasLtMatmulDesc_t operation_for(const void* bias) const {
    const std::scoped_lock lock(mutex_);
    Operation& found = operations_[bias];
    if (!found) found = operation(bias);
    return found.get();
  }

  [[nodiscard]] Operation operation(const void* bias) const {
    cublasLtMatmulDesc_t made = nullptr;
    check(cublasLtMatmulDescCreate(&made, arithmetic_, CUDA_R_32F), "cublasLtMatmulDescCreate");
    Operation operation(made);
    const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
      check(cublasLtMatmulDescSetAttribute(made, attribute, &value, sizeof(value)), "cublasLtMatmulDescSetAttribute");
    };
    set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
    if (epilogue_.relu && !epilogue_.bias) set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU);
    if (epilogue_.bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    }
    return operation;
  }

  void find_algorithm() {
    cublasLtMatmulPreference_t made = nullptr;
    check(cublasLtMatmulPreferenceCreate(&made), "cublasLtMatmulPreferenceCreate");
    const Preference preference(made);
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      check(cublasLtMatmulPreferenceSetAttribute(made, attribute, &value, sizeof(value)),
            "cublasLtMatmulPreferenceSetAttribute");
    };
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_bytes));
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE));
    const Operation described = operation(nullptr);
    const Layout x = layout(type_, usual_rows, in_);
    const Layout y = layout(type_, usual_rows, out_);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_, described.get(), weight_.get(), x.get(), y.get(), y.get(), made, 1,
                                         &found, &count),
          "cublasLtMatmulAlgoGetHeuristic");
    TORCH_CHECK(count > 0, "cublasLt has no algorithm for a linear layer of ", in_, " to ", out_);
    algorithm_ = found.algo;
  }

  [[nodiscard]] bool suits(const Shape& shape) const {
    const Operation described = operation(nullptr);
    cublasLtMatmulHeuristicResult_t result{};
    return cublasLtMatmulAlgoCheck(handle_, described.get(), weight_.get(), shape.x.get(), shape.y.get(), shape.y.get(),
                                   &algorithm_, &result) == CUBLAS_STATUS_SUCCESS &&
           result.state == CUBLAS_STATUS_SUCCESS && result.workspaceSize <= static_cast<std::size_t>(workspace_bytes);
  }

  [[nodiscard]] at::Tensor multiply(const Shape& shape, const at::Tensor& x, const at::Tensor& weight,
                                    const at::Tensor& bias) const {
    at::Tensor y = at::empty({x.size(0), out_}, x.options());
    const c10::cuda::CUDAStream stream = c10::cuda::getCurrentCUDAStream(x.device().index());
    const float one = 1;
    const float zero = 0;
    check(cublasLtMatmul(handle_, operation_for(epilogue_.bias ? bias.const_data_ptr() : nullptr), &one,
                         weight.const_data_ptr(), weight_.get(), x.const_data_ptr(), shape.x.get(), &zero, y.data_ptr(),
                         shape.y.get(), y.mutable_data_ptr(), shape.y.get(), &algorithm_, workspace_of(stream),
                         static_cast<std::size_t>(workspace_bytes), stream.stream()),
          "cublasLtMatmul");
    return y;
  }

  cublasLtHandle_t handle_;
  cudaDataType_t type_;
  cublasComputeType_t arithmetic_;
  std::int64_t in_;
  std::int64_t out_;
  Epilogue epilogue_;
  Layout weight_;
  cublasLtMatmulAlgo_t algorithm_{};
  mutable std::mutex mutex_;  // several workers may share a GPU
  mutable std::map<std::int64_t, std::shared_ptr<const Shape>> shapes_;
  mutable std::map<const void*, Operation> operations_;
};

// All products of the process. They live as long as it does: the driver may be gone before static objects are.
const Product& product_for(const at::Tensor& x, const at::Tensor& weight, const Epilogue& epilogue) {
  using Key = std::tuple<int, at::ScalarType, bool, std::int64_t, std::int64_t, Epilogue>;
  static std::mutex mutex;
  static auto& handles = *new std::map<int, cublasLtHandle_t>();
  static auto& products = *new std::map<Key, Product>();  // stay where they are
  const std::scoped_lock lock(mutex);
  const int gpu = x.device().index();
  auto handle = handles.find(gpu);
  if (handle == handles.end()) {
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "cublasLtCreate");
    handle = handles.emplace(gpu, made).first;
  }
  const bool tf32 =
      x.scalar_type() == at::kFloat && at::globalContext().allowTF32CuBLAS() && !at::NoTF32Guard::should_disable_tf32();
  const Key key{gpu, x.scalar_type(), tf32, weight.size(1), weight.size(0), epilogue};
  const auto found = products.find(key);
  if (found != products.end()) return found->second;
  return products
      .emplace(std::piecewise_construct, std::forward_as_tuple(key),
               std::forward_as_tuple(handle->second, x.scalar_type(), tf32, weight.size(1), weight.size(0), epilogue))
      .first->second;
}

at::Tensor aligned(const at::Tensor& x) {
  const at::Tensor rows = x.contiguous();
  return reinterpret_cast<std::uintptr_t>(rows.const_data_ptr()) % alignment == 0 ? rows : rows.clone();
}

at::Tensor gelu_of(const at::Tensor& y) {
  if (!is_half(y.scalar_type()) || y.numel() % 8 != 0 || !uses_kernels("gelu", true, true)) return at::gelu(y);
  check_launch(
      gelu::apply(static_cast<std::uint16_t*>(y.mutable_data_ptr()), half_of(y.scalar_type()), y.numel(), stream_of(y)),
      "gelu");
  return y;
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                  Rows /*rows*/) {
  TORCH_CHECK(x.scalar_type() == weight.scalar_type(), "a linear layer of ", weight.scalar_type(), " was given ",
              x.scalar_type());
  const c10::DeviceGuard guard(x.device());
  if (x.size(0) == 0) return at::empty({0, weight.size(0)}, x.options());
  const Epilogue epilogue{.bias = bias.defined(), .relu = activation == Activation::relu};
  const at::Tensor y =
      product_for(x, weight, epilogue)(aligned(x), aligned(weight), epilogue.bias ? aligned(bias) : bias);
  return activation == Activation::gelu ? gelu_of(y) : y;
}

}  // namespace pleat::cuda
