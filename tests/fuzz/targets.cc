#include "targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/scratch_folder.h"
#include "journal/journal.h"
#include "journal/resume.h"
#include "journal/segment_store.h"
#include "refuse_or_read.h"
#include "sequence/dataset.h"
#include "weights/config.h"
#include "weights/safetensors.h"
#include "weights/torch_zip.h"

namespace pleat::fuzz {
namespace {

// Two sequences with one part of eight bytes each.
struct Job {
  Job() {
    for (const std::size_t length : {3, 5}) {
      sequences.append(std::string(length, 'A'), std::vector<std::uint16_t>(length, 0));
    }
    ResultLayout layout;
    layout.layers = {0};
    layout.mean = true;
    layout.width = 4;
    parts = parts_of(layout);
    options.identity = {{{"inputs", "abc"}}, {}};
  }
  SequenceTable sequences;
  std::vector<Part> parts;
  WriterOptions options;
};

std::string with_checksums(std::string_view lines) {
  std::string journal;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    journal += fmt::format("{:08x} {}\n", crc32_of(std::as_bytes(std::span(line))), line);
  }
  return journal;
}

}  // namespace

void work_folder(Bytes input) {
  static const ScratchFolder folder;
  static const Job job;
  std::string_view rest = text_of(input);
  write(folder.path() / Journal::file_name, with_checksums(take_text(rest)));
  write(folder.path() / SegmentStore::file_name(0), rest);
  refuse_or_read([&] {
    static_cast<void>(find_earlier_run(folder.path()));
    static_cast<void>(find_earlier_rows(folder.path()));
    const std::optional<JournalState> state = find_resumable(folder.path(), job.options);
    if (!state) return;
    SegmentStore segments(folder.path());
    RecordIndex index(job.sequences.size());
    SequenceOutcomes outcomes(job.sequences.size());
    const Resumed resumed =
        resume(folder.path(), *state, job.options, {job.parts, job.sequences, index.keys(), segments, index, outcomes});
    if (std::ssize(resumed.rows) > job.sequences.size()) throw std::logic_error("more rows than there are");
  });
}

void safetensors(Bytes input) {
  refuse_or_read([&] { static_cast<void>(parse_safetensors(input, "f.safetensors")); });
}

void torch_zip(Bytes input) {
  refuse_or_read([&] { static_cast<void>(parse_torch_zip(input, "f.bin")); });
}

void config(Bytes input) {
  refuse_or_read([&] { static_cast<void>(parse_model_config(text_of(input), "config.json")); });
}

}  // namespace pleat::fuzz
