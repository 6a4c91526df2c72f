#include "runtime/scores.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "engine/device.h"
#include "esm2/masked_passes.h"
#include "format/schema.h"
#include "sequence/residues.h"
#include "sequence/variants.h"
#include "tensor/host.h"

namespace pleat {
namespace {

constexpr std::int64_t wild_type = -1;  // in place of a mutant's number
constexpr std::int64_t all_kinds = std::ssize(residues::amino_acids);

// Log-probabilities of the alphabet's letters at each residue of a sequence; NaN where none was computed.
class LetterTable {
 public:
  LetterTable(std::int64_t residues, std::size_t letters)
      : letters_(letters),
        values_(static_cast<std::size_t>(residues) * letters, std::numeric_limits<double>::quiet_NaN()) {}

  [[nodiscard]] std::span<double> row(std::int64_t residue) {
    return std::span(values_).subspan(static_cast<std::size_t>(residue) * letters_, letters_);
  }
  [[nodiscard]] double at(std::int64_t residue, std::size_t letter) const {
    return values_[static_cast<std::size_t>(residue) * letters_ + letter];
  }

 private:
  std::size_t letters_;
  std::vector<double> values_;
};

// What is known of one sequence.
struct Sequence {
  std::size_t number = 0;                  // in the batch
  std::string_view residues;               // as letters
  std::span<const std::int64_t> tokens;    // begin and end included
  std::span<const std::int64_t> places;    // of each residue its token
  std::span<const SequenceVariant> asked;  // variants of a table
  std::vector<ParsedVariant> variants;     // the same, parsed
  std::vector<std::size_t> mutant_of;      // of each of them its mutant; equal ones share it
  std::vector<std::size_t> mutants;        // of each different variant the first one
  LetterTable masked;
  LetterTable unmasked;
  std::vector<double> mutant_sums;  // of the log-probabilities of a mutant's residues, each masked
  bool is_finite = true;
};

class Scorer {
 public:
  Scorer(const PreparedJob& job, const Esm2& model, const PackedBatch& batch, std::int64_t most_tokens)
      : job_(job),
        batch_(batch),
        ids_(job.tokenizer.ids_of(job.layout.alphabet)),
        passes_(model, job.tokenizer, most_tokens,
                [this](const MaskedCopy& copy, std::span<const float> logits) { take(copy, logits); }) {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      column_of_[static_cast<unsigned char>(job.layout.alphabet[i].front())] = i;
    }
  }

  void operator()(const at::Tensor& logits, std::vector<SequenceResult>& results) {
    for (std::size_t s = 0; s < results.size(); ++s) {
      sequences_.push_back(sequence_of(s));
      sequences_.back().is_finite = !results[s].failed;
    }
    if (job_.scoring.unmasked) take_unmasked(logits);
    for (Sequence& sequence : sequences_) {
      if (sequence.is_finite) add_copies(sequence);
    }
    passes_.finish();
    for (std::size_t s = 0; s < results.size(); ++s) {
      if (!results[s].failed) write(sequences_[s], results[s]);
    }
  }

 private:
  [[nodiscard]] Sequence sequence_of(std::size_t s) const {
    const SequenceTable& table = job_.dataset.sequences;
    const std::int64_t row = batch_.rows[s];
    const auto begin = static_cast<std::size_t>(batch_.cu_seqlens[s]);
    const auto end = static_cast<std::size_t>(batch_.cu_seqlens[s + 1]);
    const std::int64_t length = table.length(row);
    Sequence sequence{.number = s,
                      .residues = table.residues(row),
                      .tokens = std::span(batch_.tokens).subspan(begin, end - begin),
                      .places = batch_.residue_tokens[s],
                      .asked = table.variants(row),
                      .variants = {},
                      .mutant_of = {},
                      .mutants = {},
                      .masked = LetterTable(length, ids_.size()),
                      .unmasked = LetterTable(job_.scoring.unmasked ? length : 0, ids_.size()),
                      .mutant_sums = {}};
    std::map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < sequence.asked.size(); ++i) {
      const std::string_view text = sequence.asked[i].text;
      sequence.variants.push_back(parse_variant(text, sequence.residues));
      const auto [found, is_new] = known.emplace(text, sequence.mutants.size());
      if (is_new) sequence.mutants.push_back(i);
      sequence.mutant_of.push_back(found->second);
    }
    const std::size_t mutants =
        job_.scoring.scans ? static_cast<std::size_t>(length * all_kinds) : sequence.mutants.size();
    if (job_.scoring.mutants) sequence.mutant_sums.assign(mutants, 0);
    return sequence;
  }

  [[nodiscard]] std::size_t column_of(char letter) const { return column_of_[static_cast<unsigned char>(letter)]; }
  [[nodiscard]] std::int64_t id_of(char letter) const { return ids_[column_of(letter)]; }

  // The log-softmax over the whole vocabulary, of the alphabet's letters. In float64: the numbers are few.
  [[nodiscard]] bool fill(std::span<double> row, std::span<const float> logits) const {
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - largest);
    const double total = largest + std::log(sum);
    if (!std::isfinite(total)) return false;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = logits[static_cast<std::size_t>(ids_[i])] - total;
      if (!std::isfinite(row[i])) return false;
    }
    return true;
  }

  void take_unmasked(const at::Tensor& logits) {
    std::vector<std::int64_t> rows;
    for (const Sequence& sequence : sequences_) {
      for (const std::int64_t token : sequence.places) rows.push_back(batch_.cu_seqlens[sequence.number] + token);
    }
    HostCopies copies({logits.index_select(0, sent_to(logits.device(), rows))});  // [R, vocabulary]
    const at::Tensor found = copies.wait().front().contiguous();
    const auto width = static_cast<std::size_t>(found.size(1));
    const float* next = found.const_data_ptr<float>();
    for (Sequence& sequence : sequences_) {
      for (std::int64_t residue = 0; residue < std::ssize(sequence.residues); ++residue, next += width) {
        sequence.is_finite &= fill(sequence.unmasked.row(residue), {next, width});
      }
    }
  }

  void add_copies(const Sequence& sequence) {
    const std::int64_t length = std::ssize(sequence.residues);
    std::vector<bool> wanted(static_cast<std::size_t>(length), job_.scoring.each_residue);
    if (job_.scoring.positions) {
      for (const ParsedVariant& variant : sequence.variants) {
        for (const Substitution& one : variant.substitutions) wanted[static_cast<std::size_t>(one.residue)] = true;
      }
    }
    for (std::int64_t residue = 0; residue < length; ++residue) {
      if (wanted[static_cast<std::size_t>(residue)]) add_copy(sequence, sequence.tokens, wild_type, residue);
    }
    if (!job_.scoring.mutants) return;
    if (job_.scoring.scans) {
      for (std::int64_t mutant = 0; mutant < length * all_kinds; ++mutant) {
        const Substitution one{mutant / all_kinds, residues::amino_acids[static_cast<std::size_t>(mutant % all_kinds)]};
        if (sequence.residues[static_cast<std::size_t>(one.residue)] == one.letter) continue;
        add_mutant(sequence, std::span(&one, 1), mutant);
      }
    } else {
      for (std::size_t mutant = 0; mutant < sequence.mutants.size(); ++mutant) {
        add_mutant(sequence, sequence.variants[sequence.mutants[mutant]].substitutions,
                   static_cast<std::int64_t>(mutant));
      }
    }
  }

  void add_mutant(const Sequence& sequence, std::span<const Substitution> substitutions, std::int64_t mutant) {
    std::vector<std::int64_t> tokens(sequence.tokens.begin(), sequence.tokens.end());
    for (const Substitution& one : substitutions) {
      const std::int64_t place = sequence.places[static_cast<std::size_t>(one.residue)];
      tokens[static_cast<std::size_t>(place)] = id_of(one.letter);
    }
    for (std::int64_t residue = 0; residue < std::ssize(sequence.residues); ++residue) {
      add_copy(sequence, tokens, mutant, residue);
    }
  }

  void add_copy(const Sequence& sequence, std::span<const std::int64_t> tokens, std::int64_t mutant,
                std::int64_t residue) {
    const std::int64_t place = sequence.places[static_cast<std::size_t>(residue)];
    const std::int64_t there = tokens[static_cast<std::size_t>(place)];
    passes_.add({static_cast<std::int64_t>(sequence.number), mutant, residue, there}, tokens, place);
  }

  void take(const MaskedCopy& copy, std::span<const float> logits) {
    Sequence& sequence = sequences_[static_cast<std::size_t>(copy.sequence)];
    if (copy.mutant == wild_type) {
      sequence.is_finite &= fill(sequence.masked.row(copy.residue), logits);
      return;
    }
    scratch_.resize(ids_.size());
    sequence.is_finite &= fill(scratch_, logits);
    const auto letter = static_cast<std::size_t>(std::ranges::find(ids_, copy.token) - ids_.begin());
    sequence.mutant_sums[static_cast<std::size_t>(copy.mutant)] += scratch_[letter];
  }

  // Log-probabilities of the residues that are there.
  [[nodiscard]] std::vector<float> own(const Sequence& sequence, const LetterTable& table, double& sum) const {
    std::vector<float> found;
    sum = 0;
    for (std::int64_t residue = 0; residue < std::ssize(sequence.residues); ++residue) {
      const double value = table.at(residue, column_of(sequence.residues[static_cast<std::size_t>(residue)]));
      sum += value;
      found.push_back(static_cast<float>(value));
    }
    return found;
  }

  [[nodiscard]] double marginal(const Sequence& sequence, const Substitution& one) const {
    const LetterTable& table = job_.scoring.by_wild_type ? sequence.unmasked : sequence.masked;
    const char there = sequence.residues[static_cast<std::size_t>(one.residue)];
    return table.at(one.residue, column_of(one.letter)) - table.at(one.residue, column_of(there));
  }

  [[nodiscard]] std::vector<float> table_scores(const Sequence& sequence, double wild_type_sum) const {
    std::vector<float> scores;
    for (std::size_t i = 0; i < sequence.variants.size(); ++i) {
      double score = 0;
      if (job_.scoring.mutants) {
        score = sequence.mutant_sums[sequence.mutant_of[i]] - wild_type_sum;
      } else {
        for (const Substitution& one : sequence.variants[i].substitutions) score += marginal(sequence, one);
      }
      scores.push_back(static_cast<float>(score));
    }
    return scores;
  }

  [[nodiscard]] std::vector<float> scan_scores(const Sequence& sequence, double wild_type_sum) const {
    std::vector<float> scores;
    for (std::int64_t mutant = 0; mutant < std::ssize(sequence.residues) * all_kinds; ++mutant) {
      const Substitution one{mutant / all_kinds, residues::amino_acids[static_cast<std::size_t>(mutant % all_kinds)]};
      const bool is_there = sequence.residues[static_cast<std::size_t>(one.residue)] == one.letter;
      const double score = is_there ? 0
                           : job_.scoring.mutants
                               ? sequence.mutant_sums[static_cast<std::size_t>(mutant)] - wild_type_sum
                               : marginal(sequence, one);
      scores.push_back(static_cast<float>(score));
    }
    return scores;
  }

  void write(const Sequence& sequence, SequenceResult& result) const {
    double sum = 0;
    const bool one_pass = job_.scoring.in_one_pass;
    const std::vector<float> log_probability = own(sequence, one_pass ? sequence.unmasked : sequence.masked, sum);
    const auto perplexity = static_cast<float>(std::exp(-sum / static_cast<double>(sequence.residues.size())));
    if (!sequence.is_finite || !std::isfinite(perplexity)) {
      result = failed_result(result.row, RecordCode::not_finite, "the scores hold NaN or infinity");
      return;
    }
    const auto keep = [&](const char* path, std::span<const float> values) {
      const std::span<const std::byte> bytes = std::as_bytes(values);
      result.extra[path].assign(bytes.begin(), bytes.end());
    };
    keep(schema::pseudo_perplexity, std::span(&perplexity, 1));
    keep(schema::log_probability, log_probability);
    double wild_type_sum = 0;
    if (job_.scoring.mutants) static_cast<void>(own(sequence, sequence.masked, wild_type_sum));
    if (job_.layout.substitutions) keep(schema::substitution_scores, scan_scores(sequence, wild_type_sum));
    if (job_.layout.variants) keep(schema::variant_score, table_scores(sequence, wild_type_sum));
  }

  const PreparedJob& job_;
  const PackedBatch& batch_;
  std::vector<std::int64_t> ids_;  // of the alphabet's letters
  std::array<std::size_t, 256> column_of_{};
  MaskedPasses passes_;
  std::vector<Sequence> sequences_;
  std::vector<double> scratch_;
};

}  // namespace

void add_scores(const PreparedJob& job, const Esm2& model, const PackedBatch& batch, const at::Tensor& logits,
                std::int64_t most_tokens, std::vector<SequenceResult>& results) {
  Scorer(job, model, batch, most_tokens)(logits, results);
}

}  // namespace pleat
