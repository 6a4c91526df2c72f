// pleat export: from a result file to other formats.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/signals.h"
#include "cli/used_files.h"
#include "cli/whole_file.h"
#include "core/error.h"
#include "core/file.h"
#include "core/printable.h"
#include "export/destination.h"
#include "export/fasta.h"
#include "export/file_sink.h"
#include "export/scores_csv.h"
#include "export/structure_files.h"
#include "export/structure_index.h"
#include "export/vector_files.h"

namespace pleat::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* fasta_name = "sequences.fasta";
constexpr const char* vectors_name = "embeddings";
constexpr std::array<std::string_view, 4> fasta_endings{".fasta", ".fa", ".faa", ".fas"};
constexpr std::array<std::string_view, 2> pdb_endings{".pdb", ".ent"};
constexpr std::array<std::string_view, 2> cif_endings{".cif", ".mmcif"};
constexpr std::array<std::string_view, 3> hdf5_endings{".h5", ".hdf5", ".hdf"};
constexpr std::array<std::string_view, 1> npz_endings{".npz"};
constexpr std::array<std::string_view, 1> csv_endings{".csv"};
constexpr std::array<std::string_view, 1> json_endings{".json"};

struct ExportOptions {
  std::string file;
  std::string format;
  std::string output;
  std::string what = "mean";
  std::string key = "id";
  std::optional<std::int64_t> layer;
  std::vector<std::string> ids;
  std::string fail_on = "all";
  std::string problems;
  bool overwrite = false;
};

bool is_structure_format(const std::string& format) { return format == "pdb" || format == "cif" || format == "json"; }

// What came of an export.
struct Written {
  std::int64_t records = 0;
  std::vector<LeftOut> left_out;
};

fs::path made_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_system_error(error.value(), "create the folder", folder, ErrorCode::cannot_create);
  return folder;
}

Written export_sequences(const ResultReader& results, const ExportOptions& options) {
  Written written;
  const std::shared_ptr<const StopToken> stop = watch_signals();
  const auto write = [&](const TextSink& sink) {
    const auto sink_until_stopped = [&](std::string_view text) {
      throw_if_stopped(stop.get());
      sink(text);
    };
    written.records = export_fasta(results, options.ids, sink_until_stopped, [&](const Record& record) {
      written.left_out.push_back({record.id, record.message});
    });
  };
  switch (destination_of(options.output, fasta_endings)) {
    case Destination::stream: write([](std::string_view text) { std::cout << text; }); return written;
    case Destination::file: write_whole(options.output, options.overwrite, write); break;
    case Destination::archive: {
      const auto archive = open_archive(options.output, results.attributes().created_utc, options.overwrite);
      std::string all;
      write([&](std::string_view text) { all += text; });
      archive->add(fasta_name, all);
      archive->finish();
      break;
    }
    case Destination::folder:
      const fs::path file = made_folder(options.output) / fasta_name;
      write_whole(file, options.overwrite, write);
      std::cout << file.string() << '\n';
      return written;
  }
  std::cout << options.output << '\n';
  return written;
}

// The id of the one structure that a single file holds.
std::string only_id(const ResultReader& results, const ExportOptions& options) {
  if (options.ids.size() == 1) return options.ids.front();
  if (options.ids.empty() && results.record_count() == 1) return results.records(0, 1).front().id;
  throw Error(ErrorCode::usage,
              options.output == "-" ? "standard output takes one structure" : "one file takes one structure",
              "name it with --id, or give a folder or an archive with --output");
}

Written export_structure_files(const ResultReader& results, const ExportOptions& options) {
  const bool pdb = options.format == "pdb";
  const bool json = options.format == "json";
  const StructureFormat format = pdb ? StructureFormat::pdb : StructureFormat::cif;
  const Destination destination = json ? destination_of(options.output, json_endings)
                                       : destination_of(options.output, pdb ? pdb_endings : cif_endings);
  if (json && (destination == Destination::stream || destination == Destination::file)) {
    throw Error(ErrorCode::usage, "json is three files for each record", "give a folder or an archive with --output");
  }
  if (destination == Destination::stream || destination == Destination::file) {
    const std::string text = export_structure(results, format, only_id(results, options));
    if (destination == Destination::stream) {
      std::cout << text;
    } else {
      write_whole(options.output, options.overwrite, [&](const TextSink& sink) { sink(text); });
      std::cout << options.output << '\n';
    }
    return {1, {}};
  }
  const StructureExportSummary summary =
      export_structures(results, {format, options.ids, options.output, options.overwrite, json, watch_signals().get()});
  spdlog::info("{} structure{} written", summary.files, summary.files == 1 ? "" : "s");
  if (summary.cif_holds_more) spdlog::info("mmCIF holds more than PDB: --format cif");
  std::cout << summary.index.string() << '\n';
  return {summary.files, summary.left_out};
}

VectorRequest vector_request(const ExportOptions& options) {
  VectorRequest request;
  for (const VectorKind kind : {VectorKind::mean, VectorKind::bos, VectorKind::per_residue}) {
    if (options.what == name_of(kind)) request.kind = kind;
  }
  request.key = options.key == "sha256" ? VectorKey::sha256 : VectorKey::id;
  request.layer = options.layer;
  request.ids = options.ids;
  request.stop = watch_signals().get();
  return request;
}

// The one file that the numbers go to; in a folder it is called by what it holds.
fs::path one_file(const ExportOptions& options, const std::string& name, std::span<const std::string_view> endings) {
  switch (destination_of(options.output, endings)) {
    case Destination::file: return options.output;
    case Destination::folder: {
      fs::path file = made_folder(options.output) / (name + std::string(endings.front()));
      UsedFiles used;
      used.read(options.file);
      used.write(file);
      return file;
    }
    case Destination::stream:
      throw Error(ErrorCode::usage, options.format + " cannot go to standard output", "name a file with --output");
    case Destination::archive: break;
  }
  throw Error(ErrorCode::usage, options.format + " is one file, which no archive is made of",
              "name a file that ends in " + std::string(endings.front()) + ", or a folder");
}

// Where the vectors went; empty for standard output.
fs::path write_vectors(const VectorSource& source, const ExportOptions& options) {
  fs::path file;
  if (options.format == "csv") {
    if (destination_of(options.output, csv_endings) == Destination::stream) {
      write_vectors_csv(source, [](std::string_view text) { std::cout << text; });
      return file;
    }
    file = one_file(options, vectors_name, csv_endings);
    write_whole(file, options.overwrite, [&](const TextSink& sink) { write_vectors_csv(source, sink); });
  } else if (options.format == "npy") {
    if (destination_of(options.output, {}) != Destination::folder) {
      throw Error(ErrorCode::usage, "npy is several files", "name a folder with --output");
    }
    file = write_vectors_npy(source, options.output, options.overwrite);
  } else if (options.format == "npz") {
    file = one_file(options, vectors_name, npz_endings);
    write_vectors_npz(source, file, options.overwrite);
  } else {
    file = one_file(options, vectors_name, hdf5_endings);
    (options.format == "skbio" ? write_vectors_skbio : write_vectors_h5)(source, file, options.overwrite);
  }
  return file;
}

Written export_vectors(const ResultReader& results, const ExportOptions& options) {
  const VectorSource source(results, vector_request(options));
  const fs::path file = write_vectors(source, options);
  if (!file.empty()) std::cout << file.string() << '\n';
  return {std::ssize(source.items()), source.left_out()};
}

using ScoreWriter = std::vector<LeftOut> (*)(const ResultReader& results, const std::set<std::string>& ids,
                                             const TextSink& sink);

// What writes the scores that --what names; null where it names embeddings.
ScoreWriter score_writer(const std::string& what) {
  if (what == "scores") return write_scores_csv;
  if (what == "residue_scores") return write_residue_scores_csv;
  return what == "variants" ? write_variants_csv : nullptr;
}

Written export_scores(const ResultReader& results, ScoreWriter writer, const ExportOptions& options) {
  if (options.format != "csv") {
    throw Error(ErrorCode::usage, options.what + " are not written as " + options.format, "add --format csv");
  }
  Written written;
  const std::set<std::string> ids(options.ids.begin(), options.ids.end());
  const std::shared_ptr<const StopToken> stop = watch_signals();
  const auto write = [&](const TextSink& sink) {
    // The first line is the header.
    written.records = -1;
    written.left_out = writer(results, ids, [&](std::string_view line) {
      throw_if_stopped(stop.get());
      ++written.records;
      sink(line);
    });
  };
  if (destination_of(options.output, csv_endings) == Destination::stream) {
    write([](std::string_view text) { std::cout << text; });
    return written;
  }
  const fs::path file = one_file(options, options.what, csv_endings);
  write_whole(file, options.overwrite, write);
  std::cout << file.string() << '\n';
  return written;
}

// What could not be exported of what was computed, in the columns of pleat inspect --table problems.
void write_problems(const Written& written, const ExportOptions& options) {
  write_whole(options.problems, options.overwrite, [&](const TextSink& sink) {
    sink("id\tstatus\tsequence\terror_code\tmessage\tmean_plddt\tptm\tiptm\n");
    constexpr std::size_t longest = 10'000;
    for (const LeftOut& record : written.left_out) {
      if (!record.was_computed) continue;
      sink(fmt::format("{}\tnot_exported\t-1\tno_structure_file\t{}\t\t\t\n", printable(record.id, longest),
                       printable(record.reason, longest)));
    }
  });
}

// Says what was left out, by record, and which shards a merged file lacks. Bad where it was asked for by name, and as
// --fail-on decides.
int report(const Written& written, const std::vector<std::int64_t>& missing_shards, const ExportOptions& options) {
  constexpr std::size_t most_lines = 10;
  if (!missing_shards.empty()) {
    spdlog::warn("the file lacks the records of shards {}, and so does what was written",
                 fmt::join(missing_shards, ", "));
  }
  const std::size_t count = written.left_out.size();
  if (count == 0) return missing_shards.empty() || options.fail_on != "any" ? 0 : exit_status_of(ErrorCode::bad_input);
  spdlog::warn("{} record{} left out", count, count == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(count, most_lines); ++i) {
    const LeftOut& record = written.left_out[i];
    spdlog::warn("left out: '{}': {}", printable(record.id), printable(record.reason, 200));
  }
  if (count > most_lines) {
    spdlog::warn(
        "and {} more; {}", count - most_lines,
        is_structure_format(options.format) ? "index.tsv lists them" : "pleat inspect --table problems lists them");
  }
  const bool asked_in_vain = !options.ids.empty() && options.fail_on != "none";
  const bool fails = options.fail_on == "any" || (options.fail_on == "all" && written.records == 0);
  return asked_in_vain || fails ? exit_status_of(ErrorCode::bad_input) : 0;
}

void check_used_files(const ExportOptions& options) {
  UsedFiles used;
  used.read(options.file);
  if (options.output != "-") used.write(options.output);
  // What a folder has beside the records.
  const std::filesystem::path folder = options.output;
  if (is_structure_format(options.format)) used.write(folder / StructureIndex::file_name);
  if (options.format == "npy") used.write(folder / numpy_ids_file);
  if (options.problems.empty()) return;
  used.write(options.problems);
  require_free(options.problems, options.overwrite);
}

int export_results(const ExportOptions& options) {
  check_used_files(options);
  const ResultReader results(options.file);
  const ScoreWriter scores = score_writer(options.what);
  const Written written = scores != nullptr                     ? export_scores(results, scores, options)
                          : options.format == "fasta"           ? export_sequences(results, options)
                          : is_structure_format(options.format) ? export_structure_files(results, options)
                                                                : export_vectors(results, options);
  if (!options.problems.empty()) write_problems(written, options);
  return report(written, results.missing_shards(), options);
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_status) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* const command = app.add_subcommand("export", "Write a result file's content in another format");
  command->add_option("FILE", options->file, "A file that pleat run wrote")->type_name("FILE")->required();
  command
      ->add_option(
          "--format", options->format,
          "fasta; for structures pdb, cif (mmCIF) or json (confidences as AlphaFold 3 writes them, with mmCIF);\n"
          "for embeddings h5 (a dataset for each record), skbio, npz, npy or csv; for scores csv, see --what")
      ->required()
      ->check(CLI::IsMember({"fasta", "pdb", "cif", "json", "h5", "skbio", "npz", "npy", "csv"}));
  command
      ->add_option("--output", options->output,
                   "The folder to write to, made if needed; an archive, .tar or .tar.gz; one file of the format's\n"
                   "own ending; or - for standard output")
      ->type_name("PATH")
      ->required();
  command->add_option("--id", options->ids, "Only the record of this name; others may follow, each with --id")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--what", options->what,
                   "Which embeddings: mean (the default), bos or per_residue; or as csv, scores, residue_scores or\n"
                   "variants")
      ->check(CLI::IsMember({"mean", "bos", "per_residue", "scores", "residue_scores", "variants"}));
  command->add_option("--layer", options->layer, "The layer of the embeddings; the deepest of the file by default")
      ->type_name("N");
  command
      ->add_option("--key", options->key,
                   "Name embeddings by the record's id (the default), or by the SHA-256 of the sequence, each once")
      ->check(CLI::IsMember({"id", "sha256"}));
  command
      ->add_option("--fail-on", options->fail_on,
                   "Exit with 65 when any record is left out, only when all are (the default), or never")
      ->check(CLI::IsMember({"any", "all", "none"}));
  command
      ->add_option("--problems", options->problems,
                   "Also write to this file which computed records the format cannot hold, tab-separated")
      ->type_name("FILE");
  command->add_flag("--overwrite", options->overwrite, "Replace what is there already");
  command->callback([options, &exit_status] { exit_status = export_results(*options); });
}

}  // namespace pleat::cli
