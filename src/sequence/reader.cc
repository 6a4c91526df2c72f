#include "sequence/reader.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/sha256.h"
#include "sequence/formats.h"
#include "sequence/normalise.h"
#include "sequence/sequence_index.h"
#include "sequence/text.h"

namespace pleat {
namespace {

// Turns raw records into records and unique sequences.
class Collector {
 public:
  Collector(const ReadOptions& options, Dataset& dataset)
      : dataset_(dataset),
        normaliser_(options),
        index_(dataset.sequences),
        share_duplicates_(options.share_duplicates) {}

  void add(RawRecord& raw, std::int64_t number_in_file) {
    Record record;
    if (raw.malformed_as) {
      refuse(record, *raw.malformed_as, raw.malformed);
    } else if (const auto refusal = normaliser_.run(raw.sequence, raw.numbers)) {
      refuse(record, *refusal, normaliser_.message());
    } else {
      record.sequence = row_of(normaliser_.residues(), normaliser_.chain());
      if (const auto code = normaliser_.noted()) note(record, *code, normaliser_.message());
    }
    name(record, raw, number_in_file);
    dataset_.records.push_back(std::move(record));
  }

  void begin_input() {
    records_before_ = dataset_.records.size();
    sequences_before_ = dataset_.sequences.size();
  }
  // Forgets what came of the input that was begun last.
  void drop_input() {
    dataset_.records.resize(records_before_);
    index_.shrink(sequences_before_);
  }

  // After the last record.
  void finish() {
    Sha256 sha256;
    for (const Record& record : dataset_.records) hash(record, sha256);
    dataset_.sha256 = sha256.finish();
  }

 private:
  static void refuse(Record& record, RecordCode code, const std::string& message) {
    record.status = RecordStatus::rejected;
    record.error_code = word_of(code);
    record.message = message;
  }

  // A refused record says only why it was refused.
  static void note(Record& record, RecordCode code, const std::string& message) {
    if (record.status == RecordStatus::rejected) return;
    if (record.error_code.empty()) record.error_code = word_of(code);
    record.message += (record.message.empty() ? "" : "; ") + message;
  }

  static void name(Record& record, RawRecord& raw, std::int64_t number_in_file) {
    record.id = std::move(raw.id);
    record.description = std::move(raw.description);
    if (record.id.empty()) {
      record.id = "unnamed_" + std::to_string(number_in_file);
      note(record, RecordCode::id_changed, "the record has no id and is called " + quoted(std::string_view(record.id)));
    }
    clean(record, record.id, "the id", RecordCode::id_changed);
    clean(record, record.description, "the description", RecordCode::description_changed);
  }

  static void clean(Record& record, std::string& text, const std::string& what, RecordCode code) {
    if (!is_utf8(text)) {
      text = utf8_of_windows_1252(text);
      note(record, code, what + " is not UTF-8 and was read as Windows-1252");
    }
    if (make_clean_utf8(text)) note(record, code, what + " held control characters; they became U+FFFD");
  }

  // None of these texts holds a line break.
  void hash(const Record& record, Sha256& sha256) const {
    for (const std::string_view text : {std::string_view(record.id), std::string_view(record.description),
                                        std::string_view(record.error_code), std::string_view(record.message)}) {
      sha256.update(text);
      sha256.update("\n");
    }
    if (record.sequence >= 0) {
      sha256.update(dataset_.sequences.residues(record.sequence));
      const std::span<const std::uint16_t> chain = dataset_.sequences.chain(record.sequence);
      if (chain.back() != 0) sha256.update(std::as_bytes(chain));
    }
    sha256.update("\n");
  }

  std::int64_t row_of(std::string_view residues, std::span<const std::uint16_t> chain) {
    return share_duplicates_ ? index_.find_or_append(residues, chain) : dataset_.sequences.append(residues, chain);
  }

  Dataset& dataset_;
  Normaliser normaliser_;
  SequenceIndex index_;
  std::size_t records_before_ = 0;
  std::int64_t sequences_before_ = 0;
  bool share_duplicates_;
};

void warn_of_duplicate_ids(Dataset& dataset) {
  constexpr std::size_t examples = 3;
  std::unordered_set<std::string_view> seen;
  std::unordered_set<std::string_view> repeated;
  std::string names;
  seen.reserve(dataset.records.size());
  for (const Record& record : dataset.records) {
    if (seen.insert(record.id).second || !repeated.insert(record.id).second) continue;
    if (repeated.size() <= examples) names += (names.empty() ? "" : ", ") + quoted(std::string_view(record.id));
  }
  if (repeated.empty()) return;
  const bool one = repeated.size() == 1;
  dataset.warnings.push_back(std::to_string(repeated.size()) + (one ? " id occurs" : " ids occur") +
                             " more than once (" + names + (repeated.size() > examples ? ", ..." : "") +
                             "); the records stay apart, each in its own row");
}

std::string name_of(InputFormat format, std::string_view compression) {
  std::string name = format == InputFormat::fasta ? "fasta" : "table";
  if (!compression.empty()) name.append(", ").append(compression);
  return name;
}

// One input, from its start to its end or to where it breaks off.
template <class AnyCollector>
class InputReading {
 public:
  InputReading(const InputFile& input, const StopToken* stop, AnyCollector& collector)
      : input_(input), stop_(stop), collector_(collector) {
    report_.path = input.file.string();
  }

  InputReport run() {
    collector_.begin_input();
    std::optional<LineReader> lines;
    try {
      refuse_folder();
      lines.emplace(input_.file, stop_);
      read(*lines);
    } catch (const BrokenInput& error) {
      if (!error.sound_before()) {
        collector_.drop_input();
        report_.records = 0;
      }
      tell(error.sound_before() ? input_problem::cut_off : input_problem::damaged, error);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::missing_input && error.code() != ErrorCode::bad_input) throw;
      tell(error.code() == ErrorCode::missing_input ? input_problem::missing : input_problem::unknown, error);
    }
    if (lines) {
      const ByteSource::Facts facts = lines->facts();
      report_.bytes = facts.bytes;
      report_.sha256 = facts.sha256;
    }
    if (report_.problem.empty() && report_.records == 0) {
      report_.problem = input_problem::empty;
      report_.message = quoted(input_.file) + " holds no record";
    }
    return std::move(report_);
  }

 private:
  // A folder of inputs stands for its files: one that is still here has none.
  void refuse_folder() const {
    std::error_code ignored;
    if (!std::filesystem::is_directory(input_.file, ignored)) return;
    throw Error(
        ErrorCode::missing_input, "the folder " + quoted(input_.file) + " holds no file",
        "folders inside it are not looked into; a pattern such as " + quoted(input_.file / "*/*.fasta") + " does");
  }

  void read(LineReader& lines) {
    InputFormat format = input_.format;
    if (format == InputFormat::automatic) format = recognise(lines.start(), input_);
    report_.format = name_of(format, lines.compression());
    const RecordSink sink = [&](RawRecord& raw) { collector_.add(raw, ++report_.records); };
    if (format == InputFormat::fasta) {
      read_fasta(lines, sink);
    } else {
      read_table(lines, input_, sink);
    }
  }

  void tell(const char* problem, const Error& error) {
    report_.problem = problem;
    report_.message = error.what();
    if (!error.hint().empty()) report_.message += " (" + error.hint() + ")";
  }

  const InputFile& input_;
  const StopToken* stop_;
  AnyCollector& collector_;
  InputReport report_;
};

// Gives every record of every input to the collector, which is told where inputs begin.
template <class AnyCollector>
void read_files(const std::vector<InputFile>& files, const StopToken* stop, AnyCollector& collector,
                std::vector<InputReport>& reports, std::vector<std::string>& warnings) {
  const auto none_is_read = [&] {
    return std::ranges::all_of(reports,
                               [](const InputReport& report) { return report.is_bad() && report.records == 0; });
  };
  for (const InputFile& file : files) {
    InputReport report = InputReading<AnyCollector>(file, stop, collector).run();
    if (file.from_folder && report.problem == input_problem::unknown) {
      warnings.push_back("passed over: " + report.message);
      continue;
    }
    if (report.problem == input_problem::empty) warnings.push_back(report.message);
    reports.push_back(std::move(report));
  }
  if (!none_is_read()) return;
  if (reports.empty()) {
    throw Error(ErrorCode::missing_input, "there is no input that holds sequences",
                "name files, folders or patterns in `inputs`");
  }
  const std::string others =
      reports.size() > 1 ? "none of the " + std::to_string(reports.size()) + " inputs can be read; the first: " : "";
  throw Error(ErrorCode::missing_input, others + reports.front().message);
}

// Counts, and keeps a hash and two numbers of each accepted record.
class SurveyCollector {
 public:
  SurveyCollector(const ReadOptions& options, InputSurvey& survey)
      : survey_(survey), normaliser_(options), share_duplicates_(options.share_duplicates) {}

  void add(RawRecord& raw, std::int64_t /*number_in_file*/) {
    ++survey_.records;
    if (raw.malformed_as) {
      ++survey_.rejected[std::string(word_of(*raw.malformed_as))];
      return;
    }
    if (const auto refusal = normaliser_.run(raw.sequence, raw.numbers)) {
      ++survey_.rejected[std::string(word_of(*refusal))];
      return;
    }
    if (const auto code = normaliser_.noted()) ++survey_.noted[std::string(word_of(*code))];
    const std::vector<std::uint16_t>& chain = normaliser_.chain();
    found_.push_back({hash_of_current(), {static_cast<std::int32_t>(chain.size()), chain.back() + 1}});
  }

  void begin_input() {
    found_before_ = found_.size();
    records_before_ = survey_.records;
    rejected_before_ = survey_.rejected;
    noted_before_ = survey_.noted;
  }
  void drop_input() {
    found_.erase(found_.begin() + static_cast<std::ptrdiff_t>(found_before_), found_.end());
    survey_.records = records_before_;
    survey_.rejected = rejected_before_;
    survey_.noted = noted_before_;
  }

  void finish() {
    if (share_duplicates_) {
      std::ranges::sort(found_, {}, &Found::hash);
      const auto doubles = std::ranges::unique(found_, {}, &Found::hash);
      found_.erase(doubles.begin(), doubles.end());
    }
    survey_.sequences.reserve(found_.size());
    for (const Found& found : found_) survey_.sequences.push_back(found.size);
  }

 private:
  using Hash = std::array<std::uint64_t, 2>;
  struct Found {
    Hash hash;
    InputSurvey::Size size;
  };

  [[nodiscard]] Hash hash_of_current() const {
    Sha256 sha256;
    sha256.update(normaliser_.residues());
    const std::vector<std::uint16_t>& chain = normaliser_.chain();
    if (chain.back() != 0) sha256.update(std::as_bytes(std::span(chain)));
    const std::string digits = sha256.finish();
    Hash hash{};
    for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = std::stoull(digits.substr(16 * i, 16), nullptr, 16);
    return hash;
  }

  InputSurvey& survey_;
  Normaliser normaliser_;
  bool share_duplicates_;
  std::vector<Found> found_;
  std::size_t found_before_ = 0;
  std::int64_t records_before_ = 0;
  std::map<std::string, std::int64_t> rejected_before_;
  std::map<std::string, std::int64_t> noted_before_;
};

}  // namespace

Dataset read_inputs(const std::vector<InputFile>& files, const ReadOptions& options) {
  Dataset dataset;
  Collector collector(options, dataset);
  read_files(files, options.stop, collector, dataset.inputs, dataset.warnings);
  collector.finish();
  if (options.warn_of_repeated_ids) warn_of_duplicate_ids(dataset);
  return dataset;
}

InputSurvey survey_inputs(const std::vector<InputFile>& files, const ReadOptions& options) {
  InputSurvey survey;
  SurveyCollector collector(options, survey);
  read_files(files, options.stop, collector, survey.inputs, survey.warnings);
  collector.finish();
  return survey;
}

}  // namespace pleat
