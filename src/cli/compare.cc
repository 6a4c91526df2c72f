// pleat compare: how far the numbers of a result file are from those of another.
#include "compare/compare.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "compare/summary.h"
#include "core/error.h"
#include "core/printable.h"

namespace pleat::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int beyond_limits = 65;
constexpr std::array<std::string_view, 13> kinds{
    "cosine",   "relative_error", "contacts", "log_probability", "substitutions", "perplexity",
    "variants", "rmsd",           "lddt",     "plddt",           "ptm",           "iptm",
    "pae"};

struct CompareArguments {
  std::string a;
  std::string b;
  std::string by = "id";
  std::vector<std::string> limits;
  bool all = false;
  bool records = false;
  bool json = false;
};

Limit limit_from(const std::string& text) {
  const std::size_t equals = text.find('=');
  Limit limit{text.substr(0, equals), 0};
  const auto is_number = [&] {
    if (equals == std::string::npos) return false;
    const char* const end = text.data() + text.size();
    const auto [read_to, error] = std::from_chars(text.data() + equals + 1, end, limit.value);
    return error == std::errc() && read_to == end && std::isfinite(limit.value);
  };
  if (std::ranges::find(kinds, limit.kind) == kinds.end() || !is_number()) {
    throw Error(ErrorCode::usage, "--limit takes no '" + printable(text) + "'",
                fmt::format("write KIND=NUMBER; the kinds are {}", fmt::join(kinds, ", ")));
  }
  return limit;
}

// What has been compared.
struct Report {
  std::vector<Measure> measures;
  std::vector<RecordDifference> records;
  Matches matches;
  std::vector<MeasureSummary> summary;
  std::vector<std::string> never_compared;
  bool good = true;
};

Report compare_files(const ResultReader& a, const ResultReader& b, const CompareArguments& arguments) {
  std::vector<Limit> limits;
  limits.reserve(arguments.limits.size());
  for (const std::string& text : arguments.limits) limits.push_back(limit_from(text));
  const Comparison comparison(a, b, arguments.by == "sequence" ? MatchBy::sequence : MatchBy::id);
  DifferenceSummary summary(comparison.measures(), limits);
  Report report{comparison.measures(), {}, comparison.matches(), {}, {}, true};
  for (const RecordPair& pair : report.matches.pairs) {
    RecordDifference difference = comparison.compare(pair);
    summary.add(difference);
    if (arguments.json || arguments.records) report.records.push_back(std::move(difference));
  }
  report.summary = summary.measures();
  report.never_compared = summary.never_compared();
  report.good =
      summary.is_kept() && !report.matches.pairs.empty() && (!arguments.all || report.matches.unmatched.empty());
  return report;
}

Json json_of(const ResultReader& results) {
  const FileAttributes& attributes = results.attributes();
  return {{"file", results.file().string()},         {"model_name", attributes.model_name},
          {"model_sha256", attributes.model_sha256}, {"precision", attributes.precision},
          {"devices", attributes.devices},           {"pleat_version", attributes.pleat_version}};
}

// JSON has no infinity, and of NaN the library makes null.
Json json_number(double value) { return std::isinf(value) ? Json("infinite") : Json(value); }

Json json_of(const MeasureSummary& summary) {
  Json json{{"kind", summary.measure.kind},
            {"records", summary.count},
            {"mean", json_number(summary.mean)},
            {"worst", json_number(summary.worst)},
            {"worst_id", summary.worst_id}};
  if (summary.limit) json["limit"] = *summary.limit;
  if (summary.limit) json["beyond"] = summary.beyond;
  return json;
}

std::string json_text(const ResultReader& a, const ResultReader& b, const Report& report) {
  Json json{{"good", report.good}, {"a", json_of(a)}, {"b", json_of(b)}, {"matched", report.matches.pairs.size()}};
  json["unmatched"] = Json::array();
  for (const Unmatched& record : report.matches.unmatched) {
    json["unmatched"].push_back({{"id", record.id}, {"reason", record.reason}});
  }
  json["never_compared"] = report.never_compared;
  json["summary"] = Json::object();
  for (const MeasureSummary& summary : report.summary) json["summary"][summary.measure.name] = json_of(summary);
  json["records"] = Json::array();
  for (const RecordDifference& record : report.records) {
    Json values{{"id", record.id}, {"residues", record.residues}};
    for (std::size_t i = 0; i < record.values.size(); ++i) {
      values[report.measures[i].name] = json_number(record.values[i]);
    }
    json["records"].push_back(std::move(values));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string people_text(const Report& report) {
  std::string text =
      fmt::format("{} records compared, {} not\n", report.matches.pairs.size(), report.matches.unmatched.size());
  constexpr std::size_t most_lines = 10;
  for (std::size_t i = 0; i < std::min(most_lines, report.matches.unmatched.size()); ++i) {
    const Unmatched& record = report.matches.unmatched[i];
    text += fmt::format("  {}: {}\n", printable(record.id), record.reason);
  }
  if (report.matches.unmatched.size() > most_lines) text += "  and more; --json lists them\n";
  if (!report.summary.empty()) {
    text += fmt::format("{:<34} {:>8} {:>12} {:>12}  {}\n", "", "records", "mean", "worst", "of");
  }
  for (const MeasureSummary& summary : report.summary) {
    text += fmt::format("{:<34} {:>8} {:>12.6g} {:>12.6g}  {}\n", summary.measure.name, summary.count, summary.mean,
                        summary.worst, printable(summary.worst_id));
  }
  for (const MeasureSummary& summary : report.summary) {
    if (summary.is_kept()) continue;
    text +=
        fmt::format("{}: {} records beyond the limit of {:g}\n", summary.measure.name, summary.beyond, *summary.limit);
  }
  for (const std::string& kind : report.never_compared) {
    text += fmt::format("{}: no record of both files has it, so its limit says nothing\n", kind);
  }
  for (const RecordDifference& record : report.records) {
    text += printable(record.id);
    for (std::size_t i = 0; i < record.values.size(); ++i) {
      text += fmt::format("\t{} {:.6g}", report.measures[i].name, record.values[i]);
    }
    text += '\n';
  }
  return text;
}

int compare(const CompareArguments& arguments) {
  const ResultReader a(arguments.a);
  const ResultReader b(arguments.b);
  const Report report = compare_files(a, b, arguments);
  std::cout << (arguments.json ? json_text(a, b, report) : people_text(report));
  return report.good ? 0 : beyond_limits;
}

}  // namespace

void add_compare_command(CLI::App& app, int& exit_status) {
  const auto arguments = std::make_shared<CompareArguments>();
  CLI::App* const command =
      app.add_subcommand("compare", "Say how far the numbers of a result file are from those of another");
  command->add_option("A", arguments->a, "A result file, which the other is measured against")
      ->type_name("FILE")
      ->required();
  command->add_option("B", arguments->b, "The other result file")->type_name("FILE")->required();
  command
      ->add_option("--by", arguments->by,
                   "Match records by their id (the default; their sequences must be equal), or by their sequence")
      ->check(CLI::IsMember({"id", "sequence"}));
  command
      ->add_option(
          "--limit", arguments->limits,
          fmt::format("Exit with 65 where a record is beyond this; the kinds are {},\n{}.\n",
                      fmt::join(std::span(kinds).first(4), ", "), fmt::join(std::span(kinds).subspan(4), ", ")) +
              "cosine and lddt may not fall below it, all others not exceed it. May be given more than once")
      ->type_name("KIND=NUMBER")
      ->expected(1)
      ->take_all();
  command->add_flag("--all", arguments->all, "Exit with 65 also where a record of either file is not compared");
  command->add_flag("--records", arguments->records, "List every record, not only the summary");
  command->add_flag("--json", arguments->json, "Print JSON, with every record");
  command->callback([arguments, &exit_status] { exit_status = compare(*arguments); });
}

}  // namespace pleat::cli
