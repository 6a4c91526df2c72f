#include "sequence/pair_list.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/nearest.h"
#include "sequence/pair_table.h"
#include "sequence/text.h"

namespace pleat {

// Finds the record of a name.
class RecordNames {
 public:
  explicit RecordNames(const std::vector<Record>& records) : records_(records) {
    places_.reserve(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto [found, is_new] = places_.try_emplace(records[i].id, static_cast<std::int32_t>(i));
      if (!is_new) ++repeated_[found->first];
    }
  }

  [[nodiscard]] std::optional<std::int32_t> find(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }
  // How many records have the name of one that is there.
  [[nodiscard]] std::int64_t count(std::string_view name) const {
    const auto found = repeated_.find(name);
    return found == repeated_.end() ? 1 : found->second + 1;
  }
  // Throws Error(missing_input) where two records have one name: then pairs that are made of all have one, too.
  void check_repeated() const {
    if (repeated_.empty()) return;
    const auto& [name, more] = *std::ranges::min_element(repeated_, {}, [](const auto& entry) { return entry.first; });
    const std::size_t others = repeated_.size() - 1;
    throw Error(ErrorCode::missing_input,
                std::to_string(more + 1) + " records are called " + quoted(name) +
                    (others == 0 ? "" : ", and " + std::to_string(others) + " more ids occur more than once") +
                    ", so that complexes of one name would come about",
                "give each record of the inputs an id of its own, or name the pairs in a table, pairs.file");
  }

  // "no record is called 'P1'", with the id that may be meant. Looking for that takes long among many records.
  [[nodiscard]] std::string unknown(std::string_view name) const {
    constexpr int most_searches = 20;
    std::string text = "no record is called " + quoted(name);
    if (searches_++ >= most_searches) return text;
    std::string near;
    // The accession inside of UniProt's sp|P12345|NAME_HUMAN.
    for (const Record& record : records_) {
      const std::string bars = "|" + record.id + "|";
      if (bars.find("|" + std::string(name) + "|") != std::string::npos) near = record.id;
      if (!near.empty()) break;
    }
    if (near.empty()) {
      std::vector<std::string> ids;
      ids.reserve(records_.size());
      for (const Record& record : records_) ids.push_back(record.id);
      near = nearest(name, ids);
    }
    return near.empty() ? text : text + "; did you mean " + quoted(std::string_view(near)) + "?";
  }

 private:
  const std::vector<Record>& records_;
  std::unordered_map<std::string_view, std::int32_t> places_;    // the first of each name
  std::unordered_map<std::string_view, std::int64_t> repeated_;  // how many more have it
  mutable int searches_ = 0;
};

namespace {

constexpr std::int64_t most_pairs = std::numeric_limits<std::int32_t>::max();

void check_count(double pairs) {
  if (pairs <= static_cast<double>(most_pairs)) return;
  throw Error(ErrorCode::bad_manifest, "'pairs' makes more than " + std::to_string(most_pairs) + " complexes",
              "name the pairs in a table, pairs.file, or fewer baits");
}

}  // namespace

PairList::PairList(const PairRule& rule, const std::vector<Record>& records, const StopToken* stop)
    : records_(records), separator_(rule.separator) {
  if (!rule.file.empty()) {
    read_table(rule, stop);
  } else if (rule.baits) {
    pair_baits(*rule.baits, rule.self);
  } else {
    pair_all(rule.self);
  }
  check_ids(stop);
  if (pairs_.empty() && !table_) {
    warnings_.push_back("of " + std::to_string(records.size()) + (records.size() == 1 ? " record" : " records") +
                        " no pair can be made; pairs.self: true pairs a record with itself");
  }
}

void PairList::read_table(const PairRule& rule, const StopToken* stop) {
  const RecordNames names(records_);
  InputReport table = read_pair_table(rule.file, rule.columns, [&](PairRow& row) { add_row(row, names); }, stop);
  if (table.problem == input_problem::empty) warnings_.push_back(table.message);
  table_ = std::move(table);
  warn_of_both_orders();
}

void PairList::add_row(PairRow& row, const RecordNames& names) {
  check_count(static_cast<double>(size() + 1));
  Places places{none, none};
  Own own{.id = std::move(row.id), .names = {}, .refusal = {}};
  if (row.malformed_as) {
    own.refusal = {*row.malformed_as, std::move(row.malformed)};
    own.is_readable = false;
  }
  for (std::size_t i = 0; i < places.size() && own.is_readable; ++i) {
    const std::string& name = row.names[i];
    const auto found = names.find(name);
    const bool is_ambiguous = found && names.count(name) > 1;
    if (found) places[i] = *found;
    if (found && !is_ambiguous) continue;
    const std::string why =
        is_ambiguous ? std::to_string(names.count(name)) + " records are called " + quoted(std::string_view(name))
                     : names.unknown(name);
    if (own.refusal) {
      own.refusal->message += "; " + why;
    } else {
      own.refusal = {is_ambiguous ? RecordCode::ambiguous_part : RecordCode::unknown_part, why};
    }
  }
  if (own.refusal || !own.id.empty()) {
    own.names = std::move(row.names);
    owns_.emplace(size(), std::move(own));
  }
  pairs_.push_back(places);
  lines_.push_back(row.line);
}

void PairList::pair_all(bool self) {
  RecordNames(records_).check_repeated();
  const auto count = static_cast<std::int32_t>(records_.size());
  check_count(0.5 * count * (count + 1.0));
  pairs_.reserve(static_cast<std::size_t>(count) * static_cast<std::size_t>(count + 1) / 2);
  for (std::int32_t a = 0; a < count; ++a) {
    for (std::int32_t b = self ? a : a + 1; b < count; ++b) pairs_.push_back({a, b});
  }
}

void PairList::pair_baits(const std::vector<std::string>& baits, bool self) {
  const RecordNames names(records_);
  names.check_repeated();
  std::vector<bool> is_done(records_.size(), false);
  for (const std::string& name : baits) {
    const auto found = names.find(name);
    if (!found) {
      throw Error(ErrorCode::bad_manifest, "'pairs.baits': " + names.unknown(name),
                  "baits are ids of records of the inputs: of FASTA, the header up to its first blank");
    }
    const std::int32_t bait = *found;
    if (is_done[bait]) continue;
    check_count(static_cast<double>(pairs_.size() + records_.size()));
    for (std::int32_t other = 0; other < std::ssize(records_); ++other) {
      if (other == bait ? self : !is_done[other]) pairs_.push_back({bait, other});
    }
    is_done[bait] = true;
  }
}

void PairList::warn_of_both_orders() {
  std::vector<std::pair<Places, std::int64_t>> ordered;
  for (std::int64_t i = 0; i < size(); ++i) {
    const Places& pair = places(i);
    if (refusal(i) == nullptr && pair[0] != pair[1]) ordered.emplace_back(pair, i);
  }
  std::ranges::sort(ordered);
  std::int64_t count = 0;
  std::string example;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    const auto& [pair, place] = ordered[i];
    if (pair[0] > pair[1] || (i > 0 && ordered[i - 1].first == pair)) continue;
    const Places reverse{pair[1], pair[0]};
    const auto found = std::ranges::lower_bound(ordered, reverse, {}, [](const auto& entry) { return entry.first; });
    if (found == ordered.end() || found->first != reverse) continue;
    if (count++ == 0) {
      example = quoted(std::string_view(id(place))) + " and " + quoted(std::string_view(id(found->second)));
    }
  }
  if (count == 0) return;
  warnings_.push_back(std::to_string(count) + (count == 1 ? " pair is" : " pairs are") +
                      " given in both orders, such as " + example + "; each order is a complex of its own");
}

const PairList::Own* PairList::own(std::int64_t pair) const {
  const auto found = owns_.find(pair);
  return found == owns_.end() ? nullptr : &found->second;
}

const PairList::Refusal* PairList::refusal(std::int64_t pair) const {
  const Own* const found = own(pair);
  return found != nullptr && found->refusal ? &*found->refusal : nullptr;
}

std::array<std::string, 2> PairList::names(std::int64_t pair) const {
  if (const Own* const found = own(pair)) return found->names;
  const Places& both = places(pair);
  return {records_[both[0]].id, records_[both[1]].id};
}

std::string PairList::id(std::int64_t pair) const {
  const Own* const found = own(pair);
  if (found != nullptr && !found->id.empty()) return found->id;
  if (found != nullptr && !found->is_readable) return "unnamed_" + std::to_string(pair + 1);
  const std::array<std::string, 2> both = names(pair);
  return both[0] + separator_ + both[1];
}

// For people: which pair it is.
std::string PairList::place_text(std::int64_t pair) const {
  const std::array<std::string, 2> both = names(pair);
  const std::string line = lines_.empty() ? "" : "line " + std::to_string(lines_[pair]) + ", ";
  return line + quoted(std::string_view(both[0])) + " and " + quoted(std::string_view(both[1]));
}

// Of hashes, since the ids of many pairs take room. Rows that cannot be read have no names to tell apart.
void PairList::check_ids(const StopToken* stop) const {
  std::vector<std::pair<std::size_t, std::int32_t>> hashes;
  hashes.reserve(pairs_.size());
  const std::hash<std::string> hash;
  for (std::int64_t i = 0; i < size(); ++i) {
    throw_if_stopped(stop);
    const Own* const found = own(i);
    if (found == nullptr || found->is_readable) hashes.emplace_back(hash(id(i)), static_cast<std::int32_t>(i));
  }
  std::ranges::sort(hashes);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t k = i + 1; k < hashes.size() && hashes[k].first == hashes[i].first; ++k) {
      const std::string name = id(hashes[i].second);
      if (name != id(hashes[k].second)) continue;
      throw Error(ErrorCode::missing_input,
                  (table_ ? quoted(std::filesystem::path(table_->path)) + ": " : "") + "two complexes are called " +
                      quoted(std::string_view(name)) + ": " + place_text(hashes[i].second) + "; " +
                      place_text(hashes[k].second),
                  table_ ? "remove one of the two, give the table a column id that names them, or choose another "
                           "pairs.separator, such as __"
                         : "choose another pairs.separator, such as __");
    }
  }
}

}  // namespace pleat
