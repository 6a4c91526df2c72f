#include "report/details.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "export/structure_files.h"
#include "format/schema.h"
#include "report/blob.h"
#include "report/packed_map.h"
#include "report/packed_pdb.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

constexpr std::int64_t usual_count = 200;
// The most rows that a map is drawn with: the largest that fits. A coarser map shows the mean of each square.
constexpr std::array<std::int64_t, 5> map_sides{1024, 512, 256, 128, 64};

// From both ends of a list in turn: worst, best, second worst, ...
void take_in_turn(std::vector<std::size_t> sorted, std::vector<std::size_t>& out) {
  std::size_t low = 0;
  std::size_t high = sorted.size();
  while (low < high) {
    out.push_back(sorted[low++]);
    if (low < high) out.push_back(sorted[--high]);
  }
}

std::vector<std::size_t> candidates_by_confidence(const RecordTable& records) {
  std::vector<std::size_t> complexes;
  std::vector<std::size_t> single;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records.is_first[i] == 0 || !std::isfinite(records.mean_plddt[i])) continue;
    (records.chains[i] > 1 ? complexes : single).push_back(i);
  }
  const auto by_confidence = [&](std::size_t a, std::size_t b) {
    return std::pair(records.mean_plddt[a], a) < std::pair(records.mean_plddt[b], b);
  };
  std::ranges::sort(complexes, by_confidence);
  std::ranges::sort(single, by_confidence);
  std::vector<std::size_t> all;
  take_in_turn(std::move(complexes), all);
  take_in_turn(std::move(single), all);
  return all;
}

std::vector<std::size_t> candidates(const std::vector<ResultReader>& files, const RecordTable& records,
                                    const std::vector<ContactMaps>& contacts) {
  std::vector<std::size_t> all = candidates_by_confidence(records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::size_t file = records.file[i];
    const bool has_map = !files[file].has_structures() && contacts[file].are_there();
    if (has_map && records.is_first[i] != 0 && records.is_ok(i)) all.push_back(i);
  }
  return all;
}

Record record_of(const RecordTable& records, std::size_t i) {
  Record record;
  record.id = records.id[i];
  record.description = records.description[i];
  record.sequence = records.sequence[i];
  return record;
}

// Everything about a record but its maps.
Blob without_maps(const ResultReader& results, const RecordTable& records, std::size_t i) {
  Blob blob;
  const StoredSequence sequence = results.sequence(records.sequence[i]);
  blob.meta["record"] = i;
  blob.meta["residues"] = sequence.residues;
  std::vector<std::int32_t> lengths;
  for (std::size_t at = 0; at < sequence.chain.size(); ++at) {
    if (at == 0 || sequence.chain[at] != sequence.chain[at - 1]) lengths.push_back(0);
    ++lengths.back();
  }
  blob.meta["chain_lengths"] = lengths;
  for (std::size_t chain = 0; chain < lengths.size(); ++chain) {
    blob.meta["chain_names"].push_back(chain_name(static_cast<std::int64_t>(chain)));
  }
  if (!results.has_structures()) return blob;
  const Structure structure = structure_of(record_of(records, i), sequence, results.structure(records.sequence[i]));
  constexpr std::size_t alpha_slot = 1;
  std::vector<float> confidence(structure.residues.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t at = 0; at < confidence.size(); ++at) {
    const std::size_t slot = at * residues::slots + alpha_slot;
    if (structure.atom_mask[slot] != 0) confidence[at] = structure.plddt[slot];
  }
  blob.add("plddt", std::span<const float>(confidence));
  const std::string reason = reason_against(structure, StructureFormat::pdb);
  if (reason.empty()) {
    pack_pdb(pdb_text(structure, origin_of(results)), blob);
  } else {
    blob.meta["no_pdb"] = reason;
  }
  return blob;
}

// Makes the elements, with maps of at most `side` rows.
class Maker {
 public:
  Maker(const std::vector<ResultReader>& files, const RecordTable& records, const std::vector<ContactMaps>& contacts)
      : files_(files), records_(records), contacts_(contacts) {}

  [[nodiscard]] std::string element(std::size_t i, std::size_t number, std::int64_t side) const {
    const std::size_t file = records_.file[i];
    Blob blob = without_maps(files_[file], records_, i);
    const std::int32_t row = records_.sequence[i];
    const std::int64_t length = records_.length[i];
    if (side > 0 && files_[file].has_structures() && files_[file].has_pae()) {
      add_map("pae", pae_step, files_[file].pae(row), length, side, blob);
    }
    if (side > 0 && contacts_[file].are_there()) {
      add_map("contacts", contact_step, contacts_[file].of(row), length, side, blob);
    }
    return blob.element(fmt::format("data-detail-{}", number));
  }

  // What the maps of these records take, about.
  [[nodiscard]] double map_bytes(const std::vector<std::size_t>& chosen, std::int64_t side) const {
    constexpr double compressed = 0.75 * 4 / 3;  // gzip, then base64
    double bytes = 0;
    for (const std::size_t i : chosen) {
      const std::size_t file = records_.file[i];
      const double rows = static_cast<double>(rows_of_map(records_.length[i], side));
      const int maps =
          (files_[file].has_structures() && files_[file].has_pae() ? 1 : 0) + (contacts_[file].are_there() ? 1 : 0);
      bytes += compressed * maps * rows * rows;
    }
    return bytes;
  }

 private:
  const std::vector<ResultReader>& files_;
  const RecordTable& records_;
  const std::vector<ContactMaps>& contacts_;
};

// The records whose elements fit into `room` without their maps, and what those take.
std::int64_t keep_what_fits(const Maker& maker, std::vector<std::size_t>& chosen, std::int64_t room) {
  std::int64_t bytes = 0;
  for (std::size_t number = 0; number < chosen.size(); ++number) {
    const std::int64_t size = std::ssize(maker.element(chosen[number], number, 0));
    if (bytes + size > room) {
      chosen.resize(number);
      break;
    }
    bytes += size;
  }
  return bytes;
}

// 0 where no map fits.
std::int64_t side_that_fits(const Maker& maker, const std::vector<std::size_t>& chosen, std::int64_t room) {
  for (const std::int64_t side : map_sides) {
    if (maker.map_bytes(chosen, side) <= static_cast<double>(room)) return side;
  }
  return 0;
}

}  // namespace

Details make_details(const std::vector<ResultReader>& files, const RecordTable& records,
                     std::optional<std::int64_t> wanted, std::int64_t room) {
  std::vector<ContactMaps> contacts(files.begin(), files.end());
  std::vector<std::size_t> chosen = candidates(files, records, contacts);
  const std::size_t all = chosen.size();
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(wanted.value_or(usual_count))));
  const Maker maker(files, records, contacts);
  std::int64_t side = map_sides.front();
  if (!wanted) {
    const std::int64_t bytes = keep_what_fits(maker, chosen, room);
    side = side_that_fits(maker, chosen, room - bytes);
  }
  Details details;
  details.records = chosen;
  std::vector<std::vector<std::int32_t>> place_of_row;
  place_of_row.reserve(files.size());
  for (const ResultReader& file : files) place_of_row.emplace_back(file.sequence_count(), -1);
  for (std::size_t number = 0; number < chosen.size(); ++number) {
    const std::size_t i = chosen[number];
    details.elements.push_back(maker.element(i, number, side));
    place_of_row[records.file[i]][static_cast<std::size_t>(records.sequence[i])] = static_cast<std::int32_t>(number);
    if (files[records.file[i]].has_structures()) ++details.structures;
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    const bool has_row = records.sequence[i] >= 0;
    details.place.push_back(has_row ? place_of_row[records.file[i]][static_cast<std::size_t>(records.sequence[i])]
                                    : -1);
  }
  if (chosen.size() < all) {
    details.notes.push_back(
        fmt::format("{} of {} records can be seen closely; --structures N takes more", chosen.size(), all));
  }
  return details;
}

}  // namespace pleat
