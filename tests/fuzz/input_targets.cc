// What a user writes: manifests and sequences.
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/scratch_folder.h"
#include "manifest/parse.h"
#include "refuse_or_read.h"
#include "sequence/complexes.h"
#include "sequence/reader.h"
#include "sequence/variants.h"
#include "targets.h"

namespace pleat::fuzz {

void manifest(Bytes input) {
  std::string_view rest = text_of(input);
  ManifestReader reader("manifest.yaml");
  refuse_or_read([&] {
    reader.read_file(std::string(take_text(rest)));
    while (!rest.empty()) reader.read_override(std::string(take_text(rest)));
    static_cast<void>(reader.finish());
  });
}

void inputs(Bytes input) {
  static const ScratchFolder folder;
  InputFile file(folder.path() / "input");
  write(file.file, text_of(input));
  for (const InputFormat format : {InputFormat::automatic, InputFormat::fasta, InputFormat::csv}) {
    file.format = format;
    refuse_or_read([&] {
      const Dataset read = read_inputs({file}, {});
      const InputSurvey surveyed = survey_inputs({file}, {});
      if (std::ssize(read.records) != surveyed.records || read.sequences.size() != std::ssize(surveyed.sequences)) {
        throw std::logic_error("a plan counts other records or sequences than a run");
      }
      // The same bytes as a table of variants.
      if (format == InputFormat::csv) {
        Dataset dataset = read;
        assign_variants(read_variants(file.file), dataset);
      }
    });
  }
}

void pairs(Bytes input) {
  static const ScratchFolder folder;
  static const std::filesystem::path records = folder.path() / "records.fasta";
  constexpr std::string_view fasta = ">p1\nMK\n>p2\nAC:DE\n>gap\nM-K\n>twice\nMV\n>twice\nMV\n";
  write(records, fasta);
  const PairRule rule{.file = folder.path() / "pairs"};
  write(rule.file, text_of(input));
  refuse_or_read([&] {
    const Complexes complexes({records}, rule, {});
    const Dataset read = complexes.dataset();
    const InputSurvey surveyed = complexes.survey();
    if (std::ssize(read.records) != surveyed.records || read.sequences.size() != std::ssize(surveyed.sequences)) {
      throw std::logic_error("a plan counts other complexes than a run");
    }
  });
}

}  // namespace pleat::fuzz
