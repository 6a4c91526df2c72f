#include "cpu_device.h"

#include "pleat/runtime/collect.h"

namespace pleat {

CpuDevice::CpuDevice(const Esm2& model, const Tokenizer& tokenizer, const SequenceTable& sequences,
                     const ResultLayout& layout)
    : model_(model),
      tokenizer_(tokenizer),
      sequences_(sequences),
      layout_(layout),
      letter_ids_(tokenizer.ids_of(layout.alphabet)) {}

std::vector<SequenceResult> CpuDevice::compute(const std::vector<std::int64_t>& rows) {
  const PackedBatch batch = tokenizer_.pack(sequences_, rows);
  const Esm2Output output = model_.forward(batch, {layout_.layers, layout_.logits, layout_.contacts});
  return collect_results(batch, output, layout_, letter_ids_);
}

}  // namespace pleat
