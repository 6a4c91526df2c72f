#include "report/overview.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include "core/record_code.h"
#include "core/size_text.h"
#include "format/schema.h"
#include "report/html.h"

namespace pleat {
namespace {

constexpr std::size_t longest_text = 10'000;

std::string card(std::string_view label, const std::string& value, std::string_view kind = {}) {
  return fmt::format("<div class=\"card{}{}\"><dt>{}</dt><dd>{}</dd></div>\n", kind.empty() ? "" : " ", kind, label,
                     value);
}

std::string fact(std::string_view label, const std::string& value) {
  if (value.empty()) return {};
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", label, escaped(value, longest_text));
}

// "12,345".
std::string thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string duration(double seconds) {
  constexpr double minute = 60;
  constexpr double hour = 3600;
  if (seconds < minute) return fmt::format("{:.1f} s", seconds);
  if (seconds < hour) return fmt::format("{:.1f} min", seconds / minute);
  return fmt::format("{:.1f} h", seconds / hour);
}

StatusCounts total_counts(const std::vector<ResultReader>& files) {
  StatusCounts total;
  for (const ResultReader& file : files) {
    const StatusCounts counts = file.count_by_status();
    total.ok += counts.ok;
    total.rejected += counts.rejected;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

// Of all files, each value once, in the order of the files.
template <class Get>
std::string joined(const std::vector<ResultReader>& files, const Get& get) {
  std::vector<std::string> values;
  for (const ResultReader& file : files) {
    std::string value = get(file.attributes());
    if (!value.empty() && std::ranges::find(values, value) == values.end()) values.push_back(std::move(value));
  }
  return fmt::format("{}", fmt::join(values, ", "));
}

struct Work {
  double seconds = 0;
  double residues = 0;
};

// What was computed, each sequence once, without what came from a cache.
Work work_of(const RecordTable& records) {
  Work work;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records.is_first[i] == 0 || !(records.seconds[i] > 0)) continue;
    work.seconds += records.seconds[i];
    work.residues += records.length[i];
  }
  return work;
}

std::string cards_html(const std::vector<ResultReader>& files, const RecordTable& records) {
  const StatusCounts counts = total_counts(files);
  const auto problem = [](std::int64_t count) { return count > 0 ? "bad" : ""; };
  std::string html = "<dl class=\"cards\">\n";
  html += card("records", thousands(std::ssize(records.id)));
  html += card("ok", thousands(counts.ok), "good");
  html += card("rejected", thousands(counts.rejected), problem(counts.rejected));
  html += card("failed", thousands(counts.failed), problem(counts.failed));
  html += card("skipped", thousands(counts.skipped), problem(counts.skipped));
  const Work work = work_of(records);
  if (work.seconds > 0) {
    html += card("computing time", duration(work.seconds));
    html += card("residues / s", thousands(std::llround(work.residues / work.seconds)));
  }
  return html + "</dl>\n";
}

std::string inputs_text(const ResultReader& file) {
  std::vector<std::string> lines;
  for (const InputReport& input : file.inputs()) {
    lines.push_back(fmt::format("{} ({}, {} records{}{})", input.path,
                                size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(input.bytes, 0))),
                                input.records, input.problem.empty() ? "" : "; ",
                                input.problem.empty() ? "" : input.problem + ": " + input.message));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string shard_text(const ResultReader& file) {
  const std::optional<ShardPart>& shard = file.shard();
  return shard ? fmt::format("{} of {}", shard->index, shard->count) : std::string();
}

std::string file_html(const ResultReader& file) {
  const FileAttributes& made = file.attributes();
  std::string html = fmt::format("<details><summary>Where {} comes from</summary>\n<dl class=\"facts\">\n",
                                 escaped(file.file().filename().string(), longest_text));
  html +=
      fact("file", fmt::format("{} ({})", file.file().string(), size_text(std::filesystem::file_size(file.file()))));
  html += fact("records", fmt::format("{}, {} unique sequences, {} residues", file.record_count(),
                                      file.sequence_count(), file.residue_count()));
  html += fact("shard", shard_text(file));
  html += fact("begun", made.created_utc);
  html += fact("pleat", made.pleat_version);
  html += fact("source revision", made.source_revision);
  html += fact("model", made.model_name);
  html += fact("SHA-256 of the model", made.model_sha256);
  html += fact("precision", made.precision);
  html += fact("devices", made.devices);
  html += fact("inputs", inputs_text(file));
  html += fact("SHA-256 of the inputs' records", made.inputs_sha256);
  html += fact("manifest", made.manifest_yaml);
  html += fact("options over the manifest", made.manifest_overrides);
  html += fact("SHA-256 of the manifest", made.manifest_sha256);
  return html + "</dl></details>\n";
}

std::string number_cell(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("<td class=\"number\">{:.{}f}</td>", value, decimals) : "<td></td>";
}

// Which columns the table has beside those of every file.
struct TableColumns {
  bool structures = false;
  bool interfaces = false;
  bool scores = false;
};

std::string row_html(const RecordTable& records, std::size_t i, const TableColumns& columns) {
  const auto status = static_cast<RecordStatus>(records.status[i]);
  std::string html = fmt::format("<tr><td class=\"id\"><bdi>{}</bdi></td><td class=\"status {}\">{}</td>",
                                 escaped(records.id[i], longest_text), name_of(status), name_of(status));
  html += records.sequence[i] < 0 ? std::string("<td></td><td></td>")
                                  : fmt::format("<td class=\"number\">{}</td><td class=\"number\">{}</td>",
                                                records.length[i], records.chains[i]);
  if (columns.structures) html += number_cell(records.mean_plddt[i], 1) + number_cell(records.ptm[i], 2);
  if (columns.interfaces) html += number_cell(records.iptm[i], 2) + number_cell(records.ipsae[i], 2);
  if (columns.scores) html += number_cell(records.pseudo_perplexity[i], 2);
  html += number_cell(records.seconds[i], 2);
  html += fmt::format("<td>{}</td>", records.rung[i] == 0 ? "" : schema::memory_rung_words[records.rung[i]]);
  return html + fmt::format("<td class=\"note\"><bdi>{}</bdi></td></tr>\n", escaped(records.message[i], longest_text));
}

struct ProblemGroup {
  std::int64_t count = 0;
  std::string example_id;
  std::string example;
};

// By status and code, the largest first.
std::vector<std::pair<std::pair<std::string, std::string>, ProblemGroup>> problem_groups(const RecordTable& records) {
  std::map<std::pair<std::string, std::string>, ProblemGroup> groups;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records.is_ok(i)) continue;
    ProblemGroup& group = groups[{std::string(name_of(static_cast<RecordStatus>(records.status[i]))), records.code[i]}];
    if (group.count++ == 0) {
      group.example_id = records.id[i];
      group.example = records.message[i];
    }
  }
  std::vector<std::pair<std::pair<std::string, std::string>, ProblemGroup>> sorted(groups.begin(), groups.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return std::pair(-a.second.count, a.first) < std::pair(-b.second.count, b.first);
  });
  return sorted;
}

// `this` as code.
std::string with_code(std::string_view text) {
  std::string html;
  bool is_code = false;
  for (const char c : escaped(text)) {
    if (c != '`') {
      html += c;
      continue;
    }
    html += is_code ? "</code>" : "<code>";
    is_code = !is_code;
  }
  return html;
}

std::string problems_html(const RecordTable& records) {
  const auto groups = problem_groups(records);
  if (groups.empty()) return "<p>Every record is ok.</p>\n";
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What did not work\"><table class=\"plain\">"
      "<caption>What did not work</caption><thead><tr><th scope=\"col\">records</th>"
      "<th scope=\"col\">status</th><th scope=\"col\">reason</th><th scope=\"col\">what to do</th>"
      "<th scope=\"col\">for example</th></tr></thead><tbody>\n";
  for (const auto& [kind, group] : groups) {
    html += fmt::format(
        "<tr><td class=\"number\">{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td><bdi>{}</bdi>: "
        "<bdi>{}</bdi></td></tr>\n",
        thousands(group.count), escaped(kind.first), escaped(kind.second, 200), with_code(remedy_of(kind.second)),
        escaped(group.example_id, 200), escaped(group.example, 500));
  }
  return html + "</tbody></table></div>\n";
}

// A small table of how many records have each value.
std::string counts_html(std::string_view caption, std::string_view label,
                        const std::map<std::string, std::int64_t>& of) {
  std::string html = fmt::format(
      "<table class=\"plain\"><caption>{}</caption><thead><tr><th scope=\"col\">{}</th><th "
      "scope=\"col\">sequences</th></tr></thead><tbody>\n",
      caption, label);
  for (const auto& [value, count] : of) {
    html += fmt::format("<tr><td>{}</td><td class=\"number\">{}</td></tr>\n", escaped(value, 200), thousands(count));
  }
  return html + "</tbody></table>\n";
}

std::string effort_html(const RecordTable& records) {
  std::map<std::string, std::int64_t> attempts;
  std::map<std::string, std::int64_t> rungs;
  std::map<std::string, std::int64_t> devices;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records.is_first[i] == 0) continue;
    ++attempts[std::to_string(records.attempts[i])];
    ++rungs[schema::memory_rung_words[records.rung[i]]];
    if (!records.device[i].empty()) ++devices[records.device[i]];
  }
  std::string html = "<div class=\"side-by-side\">\n";
  html += counts_html("Attempts", "attempts", attempts);
  html += counts_html("When memory ran out", "memory rung", rungs);
  if (!devices.empty()) html += counts_html("Where it was computed", "device", devices);
  return html + "</div>\n";
}

}  // namespace

std::string warnings_html(const std::vector<ResultReader>& files) {
  std::vector<std::string> warnings;
  for (const ResultReader& file : files) {
    const std::string name = file.file().filename().string();
    if (!file.untrained_note().empty()) warnings.push_back(name + ": " + file.untrained_note());
    if (!file.complete()) warnings.push_back(name + ": this file is not complete; its run has not ended.");
    if (!file.missing_shards().empty()) {
      warnings.push_back(fmt::format("{}: shards are missing: {}.", name, fmt::join(file.missing_shards(), ", ")));
    }
    if (file.shard()) warnings.push_back(fmt::format("{} is shard {} alone.", name, shard_text(file)));
    for (const InputReport& input : file.inputs()) {
      if (input.is_bad()) warnings.push_back(fmt::format("{}: an input is {}: {}", name, input.problem, input.message));
    }
  }
  std::string html;
  for (const std::string& warning : warnings) {
    html += fmt::format("<p class=\"warning\" role=\"alert\"><strong>Warning.</strong> {}</p>\n",
                        escaped(warning, longest_text));
  }
  return html;
}

std::string overview_html(const std::vector<ResultReader>& files, const RecordTable& records) {
  std::string html = cards_html(files, records) + "<dl class=\"facts\">\n";
  html += fact("model", joined(files, [](const FileAttributes& made) { return made.model_name; }));
  html += fact("precision", joined(files, [](const FileAttributes& made) { return made.precision; }));
  html += fact("devices", joined(files, [](const FileAttributes& made) { return made.devices; }));
  html += fact("begun", joined(files, [](const FileAttributes& made) { return made.created_utc; }));
  html += fact("pleat", joined(files, [](const FileAttributes& made) { return made.pleat_version; }));
  html += "</dl>\n";
  for (const ResultReader& file : files) html += file_html(file);
  return html;
}

std::string run_html(const std::vector<ResultReader>& /*files*/, const RecordTable& records) {
  return problems_html(records) + (records.size() == 0 ? std::string() : effort_html(records));
}

std::string shown_html(const Details& details, const RecordTable& records) {
  if (details.records.empty())
    return "<p class=\"hint\">No record has a structure or a contact map in this page.</p>\n";
  std::string html = fmt::format("<details><summary>{} records can be seen closely</summary>\n<p class=\"hint\">",
                                 thousands(std::ssize(details.records)));
  html += "Complexes come first, and of each kind the worst and the best by pLDDT. ";
  for (const std::string& note : details.notes) html += escaped(note) + ". ";
  html += "</p>\n<ul class=\"names\">\n";
  for (const std::size_t i : details.records) {
    html += fmt::format("<li><a href=\"#record={}\"><bdi>{}</bdi></a></li>\n", i, escaped(records.id[i], 200));
  }
  return html + "</ul></details>\n";
}

std::string table_html(const std::vector<ResultReader>& files, const RecordTable& records) {
  constexpr std::size_t shown = 500;
  if (records.size() == 0) return "<p id=\"no-records\">There are no records: the inputs held none.</p>\n";
  const TableColumns columns{have_structures(files), have_interfaces(records), have_scores(files)};
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Records\"><table id=\"records\">\n"
      "<caption class=\"hidden\">Records</caption><thead><tr>";
  const auto column = [&](std::string_view key, std::string_view label) {
    html += fmt::format("<th scope=\"col\" data-column=\"{}\">{}</th>", key, label);
  };
  column("id", "id");
  column("status", "status");
  column("length", "length");
  column("chains", "chains");
  if (columns.structures) {
    column("plddt", "mean pLDDT");
    column("ptm", "pTM");
  }
  if (columns.interfaces) {
    column("iptm", "ipTM");
    column("ipsae", "best ipSAE");
  }
  if (columns.scores) column("perplexity", "pseudo-perplexity");
  column("seconds", "seconds");
  column("rung", "memory rung");
  column("message", "note");
  html += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(shown, records.size()); ++i) html += row_html(records, i, columns);
  html += "</tbody></table></div>\n";
  if (records.size() > shown) {
    html += fmt::format(
        "<noscript><p>These are the first {} of {} records; with scripts allowed, all can be seen.</p></noscript>\n",
        shown, thousands(std::ssize(records.id)));
  }
  return html;
}

}  // namespace pleat
