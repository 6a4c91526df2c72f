// pleat inspect: what a result file holds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/inputs_json.h"
#include "core/printable.h"
#include "core/size_text.h"
#include "core/text.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "results/result_reader.h"

namespace pleat::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string file;
  bool json = false;
  std::string table;          // "", "all" or "problems"
  std::int64_t records = -1;  // how many to show; -1: the first refused ones
};

constexpr std::int64_t shown_problems = 5;

// The first `limit` records that are not ok.
std::vector<Record> first_problems(const ResultReader& results, std::int64_t limit) {
  constexpr std::int64_t block_records = 4096;
  std::vector<Record> problems;
  for (std::int64_t first = 0; first < results.record_count(); first += block_records) {
    for (Record& record : results.records(first, std::min(block_records, results.record_count() - first))) {
      if (std::ssize(problems) == limit) return problems;
      if (record.status != RecordStatus::ok) problems.push_back(std::move(record));
    }
  }
  return problems;
}

// How sure the model is of a record's structure.
struct Confidence {
  float mean_plddt = 0;
  float ptm = 0;
  std::optional<float> iptm;  // of a complex
};

// Nothing for a record without a structure.
std::optional<Confidence> confidence_of(const ResultReader& results, const Record& record) {
  if (record.sequence < 0 || record.status != RecordStatus::ok || !results.has_structures()) return std::nullopt;
  Confidence found{results.floats(schema::mean_plddt, record.sequence, 1).front(),
                   results.floats(schema::ptm, record.sequence, 1).front(), std::nullopt};
  // A sequence of X alone has no atoms to be sure of.
  if (!std::isfinite(found.mean_plddt) || !std::isfinite(found.ptm)) return std::nullopt;
  if (results.has_interfaces()) found.iptm = results.floats(schema::iptm, record.sequence, 1).front();
  if (found.iptm && !std::isfinite(*found.iptm)) found.iptm.reset();
  return found;
}

// Nothing for a record without one.
std::optional<float> pseudo_perplexity_of(const ResultReader& results, const Record& record) {
  if (record.sequence < 0 || record.status != RecordStatus::ok || !results.has_scores()) return std::nullopt;
  return results.floats(schema::pseudo_perplexity, record.sequence, 1).front();
}

std::string record_line(const ResultReader& results, const Record& record) {
  std::string line = fmt::format("  {:<20} {:<9}", printable(record.id, 40), name_of(record.status));
  if (record.sequence >= 0) line += fmt::format(" sequence {}", record.sequence);
  if (const auto confidence = confidence_of(results, record)) {
    line += fmt::format(" pLDDT {:.1f} pTM {:.2f}", confidence->mean_plddt, confidence->ptm);
    if (confidence->iptm) line += fmt::format(" ipTM {:.2f}", *confidence->iptm);
  }
  if (const auto score = pseudo_perplexity_of(results, record))
    line += fmt::format(" pseudo-perplexity {:.2f}", *score);
  if (!record.error_code.empty()) line += fmt::format(" {}: {}", record.error_code, printable(record.message, 120));
  return line + "\n";
}

std::string heading_text(const ResultReader& results, const StatusCounts& counts) {
  const FileAttributes& made = results.attributes();
  std::string text =
      fmt::format("{}  ({})\n", results.file().string(), size_text(std::filesystem::file_size(results.file())));
  if (!results.complete()) text += "WARNING    this file is not complete\n";
  text += fmt::format("model      {}\n", printable(made.model_name, 200));
  if (!results.untrained_note().empty())
    text += fmt::format("WARNING    {}\n", printable(results.untrained_note(), 300));
  text += fmt::format("made       {} by pleat {}, {} on {}\n", printable(made.created_utc),
                      printable(made.pleat_version), printable(made.precision), printable(made.devices));
  for (const InputReport& input : results.inputs()) {
    if (input.is_bad()) text += fmt::format("INPUT      with {}: {}\n", input.problem, printable(input.message, 300));
  }
  text += fmt::format("records    {}: {} ok, {} rejected, {} failed, {} skipped\n", results.record_count(), counts.ok,
                      counts.rejected, counts.failed, counts.skipped);
  if (const std::optional<ShardPart>& shard = results.shard()) {
    text += fmt::format("shard      {} of {}\n", shard->index, shard->count);
  }
  if (!results.missing_shards().empty()) {
    text += fmt::format("WARNING    shards are missing: {}\n", fmt::join(results.missing_shards(), ", "));
  }
  text += fmt::format("sequences  {} unique, {} residues\n", results.sequence_count(), results.residue_count());
  if (results.has_variants()) {
    const VariantTable table = results.variant_table();
    const std::int64_t unscored = std::ssize(table.rows) - table.refused() - std::ssize(results.variant_rows());
    text += fmt::format("variants   {}, {} refused{}\n", table.rows.size(), table.refused(),
                        unscored > 0 ? fmt::format(", {} not computed", unscored) : "");
  }
  return text;
}

std::string datasets_text(const std::vector<DataSetInfo>& datasets) {
  std::size_t width = 0;
  for (const DataSetInfo& info : datasets) width = std::max(width, info.path.size());
  std::string text;
  for (const DataSetInfo& info : datasets) {
    text += fmt::format("  {:<{}}  {:<8} {:>16}  {:>10}", printable(info.path, 200), width, info.type,
                        shape_text(info.shape), size_text(static_cast<std::uint64_t>(info.stored_bytes)));
    // Of strings HDF5 counts only the references, so a ratio would mislead.
    if (info.type != "utf8" && info.stored_bytes > 0) {
      text += fmt::format("  {:.2f}x", static_cast<double>(info.raw_bytes) / static_cast<double>(info.stored_bytes));
    }
    text += "\n";
  }
  return text;
}

std::string people_text(const ResultReader& results, std::int64_t records) {
  const StatusCounts counts = results.count_by_status();
  std::string text = heading_text(results, counts) + "\n" + datasets_text(results.datasets());
  if (records > 0) {
    text += "\nrecords:\n";
    for (const Record& record : results.records(0, std::min(records, results.record_count()))) {
      text += record_line(results, record);
    }
    return text;
  }
  const std::int64_t problems = counts.rejected + counts.failed + counts.skipped;
  if (records == 0 || problems == 0) return text;
  text += "\nnot computed:\n";
  for (const Record& record : first_problems(results, shown_problems)) text += record_line(results, record);
  if (problems > shown_problems) text += fmt::format("  and {} more\n", problems - shown_problems);
  return text;
}

// Matrices are lists of rows, a row for each aligned chain; null on the diagonal.
Json interfaces_json(const ResultReader& results, std::int64_t row) {
  const StoredInterfaces found = results.interfaces(row);
  const auto matrix = [&](const std::vector<float>& values) {
    Json rows = Json::array();
    for (std::size_t a = 0; a < found.chains(); ++a) {
      rows.push_back(
          std::vector<float>(values.begin() + a * found.chains(), values.begin() + (a + 1) * found.chains()));
    }
    return rows;
  };
  return {{"iptm", found.iptm.front()},
          {"ptm_residues", found.ptm_residues.front()},
          {"chain_ptm", found.chain_ptm},
          {"chain_mean_plddt", found.chain_mean_plddt},
          {"pair_iptm", matrix(found.pair_iptm)},
          {"ipsae", matrix(found.ipsae)},
          {"ipsae_d0chn", matrix(found.ipsae_d0chn)},
          {"min_pae", matrix(found.min_pae)},
          {"contacts", matrix(found.contacts)}};
}

Json json_of(const ResultReader& results, const Record& record) {
  Json json{{"id", record.id},
            {"description", record.description},
            {"sequence", record.sequence},
            {"status", name_of(record.status)},
            {"error_code", record.error_code},
            {"message", record.message}};
  if (const auto confidence = confidence_of(results, record)) {
    json["mean_plddt"] = confidence->mean_plddt;
    json["ptm"] = confidence->ptm;
    if (confidence->iptm) json["interfaces"] = interfaces_json(results, record.sequence);
  }
  if (const auto score = pseudo_perplexity_of(results, record)) json["pseudo_perplexity"] = *score;
  return json;
}

Json json_of(const FileAttributes& attributes) {
  Json json;
  for (const schema::AttributeEntry& entry : schema::attribute_table()) {
    const auto* const text = std::get_if<schema::RunText>(&entry.content);
    if (text != nullptr) json[entry.name] = attributes.*(*text);
  }
  return json;
}

Json json_of(const DataSetInfo& info) {
  Json json{{"path", info.path},
            {"type", info.type},
            {"shape", info.shape},
            {"raw_bytes", info.raw_bytes},
            {"stored_bytes", info.stored_bytes}};
  if (const schema::DatasetEntry* const entry = schema::find_dataset(info.path)) {
    json["unit"] = entry->unit;
    json["meaning"] = entry->help;
  }
  return json;
}

Json json_of(const ResultReader& results, std::int64_t shown) {
  const StatusCounts counts = results.count_by_status();
  Json json;
  json["file"] = results.file().string();
  json["file_bytes"] = std::filesystem::file_size(results.file());
  json["format"] = schema::format_name;
  json["schema_version"] = results.schema_version();
  json["complete"] = results.complete();
  json["attributes"] = json_of(results.attributes());
  json["untrained_weights"] = results.untrained_note().empty() ? Json(nullptr) : Json(results.untrained_note());
  json["records"] = {{"total", results.record_count()},
                     {"ok", counts.ok},
                     {"rejected", counts.rejected},
                     {"failed", counts.failed},
                     {"skipped", counts.skipped}};
  json["inputs"] = inputs_json<Json>(results.inputs());
  json["sequences"] = results.sequence_count();
  json["residues"] = results.residue_count();
  if (const std::optional<ShardPart>& shard = results.shard()) {
    json["shard"] = {{"index", shard->index}, {"count", shard->count}};
  }
  if (!results.missing_shards().empty()) json["missing_shards"] = results.missing_shards();
  json["datasets"] = Json::array();
  for (const DataSetInfo& info : results.datasets()) json["datasets"].push_back(json_of(info));
  if (shown >= 0) {
    json["first_records"] = Json::array();
    for (const Record& record : results.records(0, std::min(shown, results.record_count()))) {
      json["first_records"].push_back(json_of(results, record));
    }
  } else {
    json["first_problems"] = Json::array();
    for (const Record& record : first_problems(results, shown_problems)) {
      json["first_problems"].push_back(json_of(results, record));
    }
  }
  return json;
}

// Tab-separated, a line a record, with '?' for control characters of names and messages.
void print_table(const ResultReader& results, bool problems_only) {
  constexpr std::int64_t block_records = 4096;
  constexpr std::size_t longest = 10'000;
  std::cout << "id\tstatus\tsequence\terror_code\tmessage\tmean_plddt\tptm\tiptm\n";
  for (const InputReport& input : problems_only ? results.inputs() : std::vector<InputReport>()) {
    if (!input.is_bad()) continue;
    std::cout << fmt::format("{}\tinput\t-1\t{}\t{}\t\t\t\n", printable(input.path, longest), input.problem,
                             printable(input.message, longest));
  }
  for (std::int64_t first = 0; first < results.record_count(); first += block_records) {
    const std::int64_t count = std::min(block_records, results.record_count() - first);
    for (const Record& record : results.records(first, count)) {
      if (problems_only && record.status == RecordStatus::ok) continue;
      const auto confidence = confidence_of(results, record);
      std::cout << fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", printable(record.id, longest),
                               name_of(record.status), record.sequence, printable(record.error_code),
                               printable(record.message, longest),
                               confidence ? fmt::format("{:.2f}", confidence->mean_plddt) : "",
                               confidence ? fmt::format("{:.3f}", confidence->ptm) : "",
                               confidence && confidence->iptm ? fmt::format("{:.3f}", *confidence->iptm) : "");
    }
  }
}

void print_inputs(const ResultReader& results) {
  constexpr std::size_t longest = 10'000;
  std::cout << "path\tbytes\tsha256\trecords\tformat\tproblem\tmessage\n";
  for (const InputReport& input : results.inputs()) {
    std::cout << fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", printable(input.path, longest), input.bytes, input.sha256,
                             input.records, input.format, input.problem, printable(input.message, longest));
  }
}

void inspect(const InspectOptions& options) {
  const ResultReader results(options.file);
  if (options.table == "inputs") {
    print_inputs(results);
  } else if (!options.table.empty()) {
    print_table(results, options.table == "problems");
  } else if (options.json) {
    // Names come from input files: what is not UTF-8 becomes U+FFFD instead of an error.
    std::cout << json_of(results, options.records).dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    std::cout << people_text(results, options.records);
  }
}

}  // namespace

void add_inspect_command(CLI::App& app, int& /*exit_status*/) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* const command = app.add_subcommand("inspect", "Show what a result file holds");
  command->add_option("FILE", options->file, "A file that pleat run wrote")->type_name("FILE")->required();
  CLI::Option* const json = command->add_flag("--json", options->json, "Print JSON");
  CLI::Option* const table =
      command
          ->add_option("--table", options->table,
                       "Print all records, or the problems among inputs and records, or the inputs, tab-separated")
          ->check(CLI::IsMember({"all", "problems", "inputs"}))
          ->excludes(json);
  command->add_option("--records", options->records, "Show the first N records, instead of the first problems")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000'000}))
      ->excludes(table);
  command->callback([options] { inspect(*options); });
}

}  // namespace pleat::cli
