// What a fast device's results cost once they are made: per-residue embeddings of 1,280 float16 numbers are handed to
// the writer at a pace, once longest first, where the file is assembled at the end, and once by row, where that is
// done meanwhile. Prints what share of the whole time the results took to come.
//   end_to_end FOLDER MB-PER-SECOND [MB-IN-ALL [ROUNDS]]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/half.h"
#include "results/result_writer.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t width = 1280;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of real proteins' lengths.
Dataset make_dataset(double bytes) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> lengths(5.7, 0.6);
  Dataset dataset;
  while (bytes > 0) {
    const auto length = static_cast<std::size_t>(std::clamp(lengths(random), 30.0, 1000.0));
    Record record;
    record.id = std::to_string(dataset.records.size());
    record.sequence = dataset.sequences.append(std::string(length, 'A'), std::vector<std::uint16_t>(length, 0));
    dataset.records.push_back(record);
    bytes -= static_cast<double>(length * width * sizeof(std::uint16_t));
  }
  return dataset;
}

// Numbers as embeddings have, for sequences of up to 1,000 residues and different for each.
class Numbers {
 public:
  Numbers() : halves_(4'000 * width) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.3F);
    for (std::uint16_t& half : halves_) half = half_from_float(normal(random));
  }
  [[nodiscard]] std::vector<std::byte> of(std::int64_t row, std::int64_t length) const {
    const std::int64_t first = row * 997 % (4'000 - length) * width;
    const auto bytes = std::as_bytes(
        std::span(halves_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length * width)));
    return {bytes.begin(), bytes.end()};
  }

 private:
  std::vector<std::uint16_t> halves_;
};

struct Times {
  double coming = 0;
  double whole = 0;
};

Times write(const std::filesystem::path& folder, const Dataset& dataset, const Numbers& numbers, double pace,
            bool meanwhile) {
  ResultLayout layout;
  layout.layers = {33};
  layout.depth = 33;
  layout.width = width;
  layout.per_residue = true;
  WriterOptions options;
  options.overwrite = true;
  options.restart = true;
  ResultWriter writer(folder / "end_to_end.h5", layout, dataset, options);
  std::vector<std::int64_t> rows(dataset.records.size());
  std::iota(rows.begin(), rows.end(), 0);
  if (!meanwhile) {
    std::ranges::stable_sort(rows, std::greater(), [&](std::int64_t row) { return dataset.sequences.length(row); });
  }
  const auto start = Clock::now();
  if (meanwhile) writer.assemble_early(std::vector<bool>(rows.size(), true));
  double bytes = 0;
  for (const std::int64_t row : rows) {
    SequenceResult result;
    result.row = row;
    result.layers.resize(1);
    result.layers[0].per_residue = numbers.of(row, dataset.sequences.length(row));
    bytes += static_cast<double>(result.layers[0].per_residue.size());
    writer.add(result);
    writer.sync_if_due();
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(bytes / pace)));
  }
  const double coming = seconds_since(start);
  writer.finish({});
  return {coming, seconds_since(start)};
}

void measure(const std::filesystem::path& folder, double pace, double bytes, int rounds) {
  const Dataset dataset = make_dataset(bytes);
  const Numbers numbers;
  for (int round = 0; round < rounds; ++round) {
    for (const bool meanwhile : {false, true}) {
      const Times times = write(folder, dataset, numbers, pace, meanwhile);
      fmt::print("{}: results came in {:.1f} s, {:.0f} MB/s; whole {:.1f} s; share {:.1f} %\n",
                 meanwhile ? "by row, file meanwhile     " : "longest first, file at end ", times.coming,
                 bytes / times.coming / 1e6, times.whole, 100 * times.coming / times.whole);
    }
  }
}

}  // namespace
}  // namespace pleat

int main(int count, char** arguments) {
  const std::span<char*> given(arguments, static_cast<std::size_t>(count));
  if (given.size() < 3) {
    fmt::print(stderr, "end_to_end FOLDER MB-PER-SECOND [MB-IN-ALL [ROUNDS]]\n");
    return 64;
  }
  const auto number = [&](std::size_t place, double usual) {
    return given.size() > place ? std::atof(given[place]) : usual;
  };
  pleat::measure(given[1], number(2, 0) * 1e6, number(3, 2000) * 1e6, static_cast<int>(number(4, 3)));
}
