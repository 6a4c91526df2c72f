#include "runtime/run_results.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/identity.h"

namespace pleat {
namespace {

// A failure for lack of memory does not stand where there is so much more.
constexpr double noticeably_more = 1.1;

std::string program(const RunSettings& settings) {
  return settings.pleat_version + " (" + settings.source_revision + ")";
}

WriterOptions writer_options(const RunContext& context, const std::string& weights) {
  const auto& [manifest, settings, job, stop, created_utc, observer] = context;
  WriterOptions options;
  options.overwrite = settings.overwrite;
  options.work_folder = settings.work_folder;
  options.restart = settings.restart;
  options.identity = identity_of(manifest, job, program(settings), weights, created_utc);
  options.row_keys = job.row_keys;
  options.longest_tokens = job.longest_tokens;
  options.tries_again = [has_memory_for = static_cast<double>(job.longest_tokens)](const SequenceResult& failure,
                                                                                   std::int64_t had_memory_for) {
    if (failure.error_code == RecordCode::does_not_fit) return true;  // judged anew
    return failure.error_code == RecordCode::out_of_memory &&
           has_memory_for > noticeably_more * static_cast<double>(had_memory_for);
  };
  options.stop = stop.get();
  return options;
}

}  // namespace

RunResults::RunResults(const RunContext& context, const std::string& weights)
    : context_(context),
      files_(context.manifest, context.settings, context.job, context.created_utc, writer_options(context, weights)) {
  if (files_.writer().is_locked()) return;
  context_.observer.warning(
      "the work folder is on a file system without locks: another run in it is found out only by its owner file, "
      "which may take seconds");
}

void RunResults::take_up_earlier() {
  const EarlierResults& earlier = files_.writer().earlier();
  if (earlier.sequences == 0 && earlier.damaged == 0) return;
  context_.observer.info(
      fmt::format("resumes an earlier run: {} of {} sequences are done", earlier.sequences, sequences().size()));
  if (earlier.damaged > 0) {
    context_.observer.warning(fmt::format("the results of {} sequence{} are damaged and are computed again",
                                          earlier.damaged, earlier.damaged == 1 ? "" : "s"));
  }
  files_.take_up_earlier(*context_.stop);
}

void RunResults::take_from_cache(const ModelHash& model_hash) {
  const auto& [manifest, settings, job, stop, created_utc, observer] = context_;
  if (settings.cache_folder.empty()) return;
  NamedValues same = task_of(manifest, job, program(settings));
  same.emplace_back("model_sha256", model_hash.get(*stop));
  if (!model_hash.error().empty()) {
    observer.warning("the cache is not used, as there is no hash of the weights: " + model_hash.error());
    return;
  }
  cache_.emplace(settings.cache_folder, job.layout, same);
  ResultWriter& writer = files_.writer();
  writer.set_model(model_hash.get(*stop));
  for (std::int64_t row = 0; row < sequences().size(); ++row) {
    throw_if_stopped(stop.get());
    if (writer.is_done(row)) continue;
    if (std::optional<SequenceResult> result = cache_->find(sequences(), row)) files_.add(std::move(*result));
    writer.sync_if_due();
  }
  observer.info(fmt::format("{} of {} sequences were in the cache", cache_->counts().found, sequences().size()));
}

void RunResults::refuse_what_no_longer_fits() {
  const PreparedJob& job = context_.job;
  for (std::int64_t row = 0; row < sequences().size(); ++row) {
    const std::int64_t tokens = job.tokens[row];
    if (tokens <= job.longest_tokens || files_.writer().is_done(row)) continue;
    SequenceResult refused = failed_result(row, RecordCode::does_not_fit,
                                           too_long_message(sequences().length(row), tokens, job.longest_tokens));
    refused.attempts = 0;
    files_.add(std::move(refused));
  }
}

Interruptions RunResults::interruptions() {
  const EarlierResults& earlier = files_.writer().earlier();
  return {earlier.interrupted, earlier.last_did_nothing};
}

void RunResults::tell_of_outcomes() {
  for (const std::string& line : files_.outcomes().warnings()) context_.observer.warning(line);
  if (!cache_) return;
  const CacheCounts& counts = cache_->counts();
  if (counts.damaged > 0) {
    context_.observer.warning(fmt::format("{} result{} in the cache {} damaged, and computed again", counts.damaged,
                                          counts.damaged == 1 ? "" : "s", counts.damaged == 1 ? "was" : "were"));
  }
  if (counts.not_kept > 0) {
    context_.observer.warning(fmt::format("the cache lacks {} result{} of this run: {}", counts.not_kept,
                                          counts.not_kept == 1 ? "" : "s", counts.why_not_kept));
  }
}

void RunResults::tell_what_is_kept(const std::vector<std::int64_t>& under_way) noexcept {
  try {
    ResultWriter& writer = files_.writer();
    writer.set_under_way(under_way);
    writer.sync();
    std::int64_t done = 0;
    for (std::int64_t row = 0; row < sequences().size(); ++row) done += writer.is_done(row) ? 1 : 0;
    if (done == 0) return;
    const Manifest& manifest = context_.manifest;
    context_.observer.warning(fmt::format(
        "{} of {} sequences are done and kept in '{}'; the same command resumes it", done, sequences().size(),
        work_folder_of(manifest.resolve(manifest.output), context_.settings.work_folder).string()));
  } catch (const std::exception& error) {
    context_.observer.warning(error.what());
  }
}

}  // namespace pleat
