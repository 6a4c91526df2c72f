#include "plan/cost.h"

#include <algorithm>

namespace pleat {

namespace {

// The weights of one layer's linear parts: 4 D^2 + 2 D F.
double layer_weights(const ModelShape& shape) {
  const auto width = static_cast<double>(shape.width);
  return 4.0 * width * width + 2.0 * width * static_cast<double>(shape.intermediate_size);
}

}  // namespace

double forward_flops(const ModelShape& shape, std::int64_t tokens) {
  const auto t = static_cast<double>(tokens);
  const double linear = 2.0 * layer_weights(shape) * t;
  const double attention = 4.0 * t * t * static_cast<double>(shape.width);
  return static_cast<double>(shape.layers) * (linear + attention);
}

double weight_bytes(const ModelShape& shape, std::int64_t element_bytes) {
  return static_cast<double>(shape.layers) * layer_weights(shape) * static_cast<double>(element_bytes);
}

double activation_bytes(const ModelShape& shape, const KeptOutputs& kept, std::int64_t tokens, std::int64_t longest,
                        std::int64_t threads) {
  constexpr double element = 4;
  constexpr double alphabet = 40;  // columns of the logits, rounded up
  const auto width = static_cast<double>(shape.width);
  const auto t = static_cast<double>(tokens);
  const auto l = static_cast<double>(longest);
  // On their way to the writer: one batch collected, one in the queue, one being written.
  constexpr double in_transit = 3;
  // Residual stream, queries, keys and values together, context, and what is kept of a layer, as it is and in transit.
  const auto kept_layers = static_cast<double>(kept.hidden_layers);
  double bytes = element * t * width * (1 + 3 + 1) + element * t * width * (1 + in_transit) * kept_layers;
  if (kept.logits) bytes += element * t * ((1 + in_transit) * alphabet + 2 * width);
  if (kept.mixture) bytes += element * t * width;
  // Keys and values of a head and 32 rows of scores for each thread.
  bytes += element * static_cast<double>(std::max<std::int64_t>(threads, 0)) * l *
           (2 * width / static_cast<double>(shape.heads) + 48 + 32);
  // Queries and keys on their way through rotation, and the hidden layer before and after its activation.
  if (threads <= plan_on_gpu) bytes += element * t * (10 * width + 2 * static_cast<double>(shape.intermediate_size));
  if (kept.contacts) {
    // The sum of maps, its transpose, the correction and the result, and the marginals of every head.
    const double heads = static_cast<double>(shape.layers * shape.heads);
    bytes += element * ((4 + in_transit) * l * t + 2 * heads * t + l / 32 * static_cast<double>(shape.heads) * l);
  }
  if (kept.attention_layers > 0) {
    // The maps of all heads as they are computed and as they are collected and on their way, and of one layer at a time
    // what lies between.
    const auto layers = static_cast<double>(kept.attention_layers);
    bytes += element * static_cast<double>(shape.heads) * l * t * ((2 + in_transit) * layers + 2);
  }
  return bytes;
}

std::int64_t largest_within(double limit, const std::function<double(std::int64_t)>& cost) {
  std::int64_t fits = 0;
  std::int64_t too_long = std::int64_t{1} << 30;
  while (fits + 1 < too_long) {
    const std::int64_t middle = fits + (too_long - fits) / 2;
    (cost(middle) <= limit ? fits : too_long) = middle;
  }
  return fits;
}

std::int64_t longest_that_fits(const ModelShape& shape, const KeptOutputs& kept, double bytes, std::int64_t threads) {
  return largest_within(bytes,
                        [&](std::int64_t tokens) { return activation_bytes(shape, kept, tokens, tokens, threads); });
}

}  // namespace pleat
