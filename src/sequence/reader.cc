#include "sequence/reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/sha256.h"
#include "core/text.h"
#include "sequence/formats.h"
#include "sequence/normalise.h"
#include "sequence/sequence_index.h"
#include "sequence/text.h"

namespace pleat {
namespace {

enum class Format : std::uint8_t { fasta, csv, tsv };

Format format_of(const std::filesystem::path& file) {
  const std::filesystem::path plain = is_gzip_name(file) ? file.stem() : file.filename();
  const std::string extension = lower_case(plain.extension().string());
  if (extension == ".fasta" || extension == ".fa" || extension == ".faa") return Format::fasta;
  if (extension == ".csv") return Format::csv;
  if (extension == ".tsv") return Format::tsv;
  throw Error(ErrorCode::bad_input, "the name of " + quoted(file) + " does not say its format",
              "known are .fasta, .fa, .faa, .csv and .tsv, each also with .gz behind it");
}

void check_present(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw_system_error(errno, "open", file, ErrorCode::missing_input);
}

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
    if (!raw.malformed.empty()) {
      refuse(record, record_code::bad_row, raw.malformed);
    } else if (!normaliser_.run(raw.sequence)) {
      refuse(record, normaliser_.code(), normaliser_.message());
    } else {
      record.sequence = row_of(normaliser_.residues(), normaliser_.chain());
      if (!normaliser_.code().empty()) note(record, normaliser_.code(), normaliser_.message());
    }
    name(record, raw, number_in_file);
    hash(record);
    dataset_.records.push_back(std::move(record));
  }

  // After the last record.
  void finish() { dataset_.sha256 = sha256_.finish(); }

 private:
  static void refuse(Record& record, std::string_view code, const std::string& message) {
    record.status = RecordStatus::rejected;
    record.error_code = code;
    record.message = message;
  }

  // A refused record says only why it was refused.
  static void note(Record& record, std::string_view code, const std::string& message) {
    if (record.status == RecordStatus::rejected) return;
    if (record.error_code.empty()) record.error_code = code;
    record.message += (record.message.empty() ? "" : "; ") + message;
  }

  static void name(Record& record, RawRecord& raw, std::int64_t number_in_file) {
    record.id = std::move(raw.id);
    record.description = std::move(raw.description);
    if (record.id.empty()) {
      record.id = "unnamed_" + std::to_string(number_in_file);
      note(record, record_code::id_changed,
           "the record has no id and is called " + quoted(std::string_view(record.id)));
    }
    constexpr const char* why = " held control characters or bytes that are not UTF-8; they became U+FFFD";
    if (make_clean_utf8(record.id)) note(record, record_code::id_changed, std::string("the id") + why);
    if (make_clean_utf8(record.description)) {
      note(record, record_code::description_changed, std::string("the description") + why);
    }
  }

  // None of these texts holds a line break.
  void hash(const Record& record) {
    for (const std::string_view text : {std::string_view(record.id), std::string_view(record.description),
                                        std::string_view(record.error_code), std::string_view(record.message)}) {
      sha256_.update(text);
      sha256_.update("\n");
    }
    if (record.sequence >= 0) {
      sha256_.update(normaliser_.residues());
      const std::vector<std::uint16_t>& chain = normaliser_.chain();
      if (chain.back() != 0) sha256_.update(std::as_bytes(std::span(chain)));
    }
    sha256_.update("\n");
  }

  std::int64_t row_of(std::string_view residues, std::span<const std::uint16_t> chain) {
    return share_duplicates_ ? index_.find_or_append(residues, chain) : dataset_.sequences.append(residues, chain);
  }

  Dataset& dataset_;
  Normaliser normaliser_;
  SequenceIndex index_;
  Sha256 sha256_;
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

// All names first: a typing error in the last one should not cost the time to read the others.
std::vector<Format> formats_of(const std::vector<std::filesystem::path>& files) {
  std::vector<Format> formats;
  for (const auto& file : files) {
    formats.push_back(format_of(file));
    check_present(file);
  }
  return formats;
}

// Gives every record of every file to the collector, which is told where files begin.
template <class AnyCollector>
void read_files(const std::vector<std::filesystem::path>& files, AnyCollector& collector) {
  const std::vector<Format> formats = formats_of(files);
  std::int64_t in_file = 0;
  const RecordSink sink = [&](RawRecord& raw) {
    ++in_file;
    collector.add(raw, in_file);
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    in_file = 0;
    LineReader lines(files[i]);
    switch (formats[i]) {
      case Format::fasta: read_fasta(lines, sink); break;
      case Format::csv: read_csv(lines, ',', sink); break;
      case Format::tsv: read_csv(lines, '\t', sink); break;
    }
    if (in_file == 0) {
      throw Error(ErrorCode::bad_input, quoted(files[i]) + " holds no record", "is it the right file?");
    }
  }
}

// Counts, and keeps a hash and two numbers of each accepted record.
class SurveyCollector {
 public:
  SurveyCollector(const ReadOptions& options, InputSurvey& survey)
      : survey_(survey), normaliser_(options), share_duplicates_(options.share_duplicates) {}

  void add(RawRecord& raw, std::int64_t /*number_in_file*/) {
    ++survey_.records;
    if (!raw.malformed.empty()) {
      ++survey_.rejected[std::string(record_code::bad_row)];
      return;
    }
    if (!normaliser_.run(raw.sequence)) {
      ++survey_.rejected[std::string(normaliser_.code())];
      return;
    }
    if (!normaliser_.code().empty()) ++survey_.noted[std::string(normaliser_.code())];
    const std::vector<std::uint16_t>& chain = normaliser_.chain();
    found_.push_back({hash_of_current(), {static_cast<std::int32_t>(chain.size()), chain.back() + 1}});
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
};

}  // namespace

Dataset read_inputs(const std::vector<std::filesystem::path>& files, const ReadOptions& options) {
  Dataset dataset;
  Collector collector(options, dataset);
  read_files(files, collector);
  collector.finish();
  warn_of_duplicate_ids(dataset);
  return dataset;
}

InputSurvey survey_inputs(const std::vector<std::filesystem::path>& files, const ReadOptions& options) {
  InputSurvey survey;
  SurveyCollector collector(options, survey);
  read_files(files, collector);
  collector.finish();
  return survey;
}

}  // namespace pleat
