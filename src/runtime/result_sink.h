// What takes the pipeline's results: the files, the counts, and those who watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/stop.h"
#include "engine/pipeline.h"
#include "results/result_cache.h"
#include "runtime/model_hash.h"
#include "runtime/progress_count.h"
#include "runtime/result_files.h"
#include "runtime/under_way.h"
#include "sequence/dataset.h"

namespace pleat {

class ResultSink : public PipelineConsumer {
 public:
  // `cache` may be null. All must outlive this object.
  ResultSink(ResultFiles& files, ResultCache* cache, const SequenceTable& sequences, ProgressCount& progress,
             const ModelHash& model_hash, UnderWay& under_way, RunObserver& observer)
      : files_(files),
        cache_(cache),
        sequences_(sequences),
        progress_(progress),
        model_hash_(model_hash),
        under_way_(under_way),
        observer_(observer) {}

  void take(SequenceResult result) override;
  void on_idle() override;
  void warn(const std::string& line) override;
  void lose_device(const std::string& device, const std::string& why, const std::vector<std::int64_t>& rows) override;

 private:
  void note_under_way();

  ResultFiles& files_;
  ResultCache* cache_;
  const SequenceTable& sequences_;
  ProgressCount& progress_;
  const ModelHash& model_hash_;
  UnderWay& under_way_;
  RunObserver& observer_;
  std::chrono::steady_clock::time_point noted_ = std::chrono::steady_clock::now();
  const StopToken never_;
  bool model_known_ = false;
};

}  // namespace pleat
