#include "esmfold/geometry.h"

#include <ATen/ATen.h>

#include "esmfold/residue_constants.h"

namespace pleat {
namespace {

// The residue constants as tensors, one row per residue type.
struct Tables {
  at::Tensor frames;     // [21, 8, 4, 4], a group that the residue lacks at the origin of the one that would carry it
  at::Tensor group;      // [21, 14] int64
  at::Tensor mask;       // [21, 14]
  at::Tensor positions;  // [21, 14, 3]
};

template <class T, class Array>
at::Tensor tensor_of(const Array& table, at::ScalarType type, at::IntArrayRef shape) {
  static_assert(sizeof(Array) % sizeof(T) == 0);
  return at::from_blob(const_cast<Array*>(&table), shape, at::CppTypeToScalarType<T>::value)
      .to(at::kCPU, type, false, true);
}

const Tables& tables_on_processor() {
  static const Tables tensors = [] {
    const ResidueConstants& constants = residue_constants();
    at::Tensor frames = tensor_of<float>(constants.default_frames, at::kFloat, {21, 8, 4, 4});
    frames.select(-2, 3).select(-1, 3).fill_(1);
    return Tables{.frames = frames,
                  .group = tensor_of<std::int64_t>(constants.rigid_group, at::kLong, {21, 14}),
                  .mask = tensor_of<std::uint8_t>(constants.atom14_mask, at::kFloat, {21, 14}),
                  .positions = tensor_of<double>(constants.positions, at::kFloat, {21, 14, 3})};
  }();
  return tensors;
}

// Copied at each use where it is elsewhere: 21 rows, a few times a fold.
at::Tensor rows_of(at::Tensor Tables::*table, const at::Tensor& aatype) {
  return (tables_on_processor().*table).to(aatype.device()).index_select(0, aatype);
}

}  // namespace

at::Tensor torsion_angles_to_frames(const Rigid& backbone, const at::Tensor& angles, const at::Tensor& aatype) {
  const std::int64_t positions = aatype.size(0);
  const at::Tensor sine = angles.select(-1, 0);    // [P, 7]
  const at::Tensor cosine = angles.select(-1, 1);  // [P, 7]
  const auto group = [](const at::Tensor& frames, std::int64_t from, std::int64_t to) {
    return frames.slice(1, from, to);
  };

  at::Tensor turns = at::eye(4)
                         .to(angles.device())
                         .repeat({positions, 8, 1, 1});  // [P, 8, 4, 4], about the x axis; the backbone's is none
  at::Tensor turned = group(turns, 1, 8);                // [P, 7, 4, 4]
  turned.select(-2, 1).select(-1, 1).copy_(cosine);
  turned.select(-2, 1).select(-1, 2).copy_(-sine);
  turned.select(-2, 2).select(-1, 1).copy_(sine);
  turned.select(-2, 2).select(-1, 2).copy_(cosine);

  at::Tensor frames = at::matmul(rows_of(&Tables::frames, aatype), turns);  // [P, 8, 4, 4]
  for (std::int64_t chi = 5; chi < 8; ++chi) {  // chi 2 to 4, each carried by the one before
    group(frames, chi, chi + 1).copy_(at::matmul(group(frames, chi - 1, chi), group(frames, chi, chi + 1)));
  }

  at::Tensor carrier = at::zeros({positions, 1, 4, 4}, angles.options());  // [P, 1, 4, 4], the backbone's frame
  carrier.slice(2, 0, 3).slice(3, 0, 3).copy_(backbone.rotations.unsqueeze(1));
  carrier.slice(2, 0, 3).select(3, 3).copy_(backbone.translations.unsqueeze(1));
  carrier.select(2, 3).select(2, 3).fill_(1);
  return at::matmul(carrier, frames);
}

at::Tensor frames_to_atom14(const at::Tensor& frames, const at::Tensor& aatype) {
  const at::Tensor group = rows_of(&Tables::group, aatype).view({-1, 14, 1, 1});             // [P, 14, 1, 1]
  const at::Tensor carrier = frames.gather(1, group.expand({-1, 14, 4, 4})).slice(2, 0, 3);  // [P, 14, 3, 4]
  const at::Tensor in_group = rows_of(&Tables::positions, aatype).unsqueeze(-1);             // [P, 14, 3, 1]
  at::Tensor positions = at::matmul(carrier.slice(3, 0, 3), in_group).squeeze(-1);           // [P, 14, 3]
  return positions.add_(carrier.select(3, 3)).mul_(rows_of(&Tables::mask, aatype).unsqueeze(-1));
}

at::Tensor backbone_atoms(const Rigid& backbone, const at::Tensor& aatype) {
  const at::Tensor in_group = rows_of(&Tables::positions, aatype).slice(1, 0, 3);        // [P, 3 atoms, 3]
  const at::Tensor mask = rows_of(&Tables::mask, aatype).slice(1, 0, 3);                 // [P, 3 atoms]
  return backbone.apply(in_group.transpose(1, 2)).transpose(1, 2) * mask.unsqueeze(-1);  // [P, 3 atoms, 3]
}

at::Tensor beta_positions(const at::Tensor& backbone) {
  const at::Tensor alpha = backbone.select(1, 1);      // [P, 3]
  const at::Tensor b = alpha - backbone.select(1, 0);  // [P, 3], from N to CA
  const at::Tensor c = backbone.select(1, 2) - alpha;  // [P, 3], from CA to C
  return -0.58273431 * at::linalg_cross(b, c) + 0.56802827 * b - 0.54067466 * c + alpha;
}

at::Tensor squared_distances(const at::Tensor& points) {
  at::Tensor sum;  // [P, P]
  for (const at::Tensor& coordinate : points.unbind(1)) {
    const at::Tensor square = (coordinate.unsqueeze(0) - coordinate.unsqueeze(1)).square_();  // [P, P]
    sum = sum.defined() ? sum.add_(square) : square;
  }
  return sum;
}

at::Tensor recycle_bins(const at::Tensor& squared) {
  const at::Tensor bounds = at::linspace(3.375, 21.375, recycle_bin_count - 1).square().to(squared.device());  // [14]
  return at::bucketize(squared, bounds);  // [P, P] int64
}

}  // namespace pleat
