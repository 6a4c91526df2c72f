// Subspace iteration with a Rayleigh-Ritz step (Golub and Van Loan, Matrix Computations, 8.2.4): products of the data
// with a few vectors, never the covariance, whose decomposition would take minutes at a width of 2,560.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "report/projection.h"

namespace pleat {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The same start each time; any that is not orthogonal to the answer will do.
Eigen::MatrixXf start(Eigen::Index width, Eigen::Index count) {
  Eigen::MatrixXf vectors(width, count);
  std::uint32_t state = 1;
  for (Eigen::Index i = 0; i < vectors.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    vectors.data()[i] = static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U) - 0.5F;
  }
  return vectors;
}

Eigen::MatrixXf orthonormal(const Eigen::MatrixXf& vectors) {
  const Eigen::HouseholderQR<Eigen::MatrixXf> factors(vectors);
  return factors.householderQ() * Eigen::MatrixXf::Identity(vectors.rows(), vectors.cols());
}

}  // namespace

Axes principal_axes(const std::vector<float>& values, std::int64_t width) {
  const Eigen::Index rows = width == 0 ? 0 : std::ssize(values) / width;
  const Eigen::Map<const Rows> data(values.data(), rows, width);
  const Eigen::Index count = std::min<Eigen::Index>({6, rows, width});
  constexpr int most_rounds = 60;
  constexpr double enough = 1e-7;
  Axes axes;
  axes.total = data.cast<double>().squaredNorm();
  if (count < 2 || !(axes.total > 0)) return axes;
  Eigen::MatrixXf basis = orthonormal(start(width, count));
  Eigen::VectorXd values_before = Eigen::VectorXd::Zero(count);
  for (int round = 0; round < most_rounds; ++round) {
    const Eigen::MatrixXf image = data * basis;  // [n, count]
    const Eigen::MatrixXd small = image.cast<double>().transpose() * image.cast<double>();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(small);  // rising
    const Eigen::MatrixXf turn = solver.eigenvectors().rowwise().reverse().cast<float>();
    const Eigen::VectorXd found = solver.eigenvalues().reverse();
    basis = (basis * turn).eval();
    const bool is_done =
        std::abs(found[1] - values_before[1]) + std::abs(found[0] - values_before[0]) < enough * found[0];
    values_before = found;
    if (is_done || round + 1 == most_rounds) break;
    basis = orthonormal(data.transpose() * (image * turn));
  }
  axes.first = values_before[0];
  axes.second = values_before[1];
  axes.directions.resize(static_cast<std::size_t>(2 * width));
  for (Eigen::Index axis = 0; axis < 2; ++axis) {
    Eigen::Index largest = 0;
    basis.col(axis).cwiseAbs().maxCoeff(&largest);
    const float sign = basis(largest, axis) < 0 ? -1.0F : 1.0F;
    for (Eigen::Index i = 0; i < width; ++i) {
      axes.directions[static_cast<std::size_t>(axis * width + i)] = sign * basis(i, axis);
    }
  }
  return axes;
}

}  // namespace pleat
