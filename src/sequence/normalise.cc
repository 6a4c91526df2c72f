#include "sequence/normalise.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "core/printable.h"
#include "sequence/line_reader.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::size_t max_chains = 65535;  // what SequenceTable's chain numbers hold

constexpr const char* no_residues = "the record holds no residues";

std::string hexadecimal(unsigned number, std::size_t digits) {
  std::string text;
  for (std::size_t i = 0; i < digits || number > 0; ++i, number >>= 4U) text += "0123456789ABCDEF"[number & 0xFU];
  return {text.rbegin(), text.rend()};
}

// The character that the text starts with: 'J' for what a terminal can show, with its number beyond ASCII, since many
// look alike; else the byte's.
std::string shown(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte >= 0x20 && byte < 0x7F) return std::string("'") + text.front() + "'";
  const std::size_t length = utf8_length(text);
  if (length < 2 || starts_with_wide_control(text)) return "byte 0x" + hexadecimal(byte, 2);
  unsigned code = byte & (0x7FU >> length);
  for (const char c : text.substr(1, length - 1)) code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
  return quoted(text.substr(0, length)) + " (U+" + hexadecimal(code, 4) + ")";
}

}  // namespace

Normaliser::Normaliser(const ReadOptions& options)
    : strict_(options.strict),
      nucleotides_(options.nucleotides),
      can_convert_(!options.strict && options.alphabet.find('X') != std::string::npos),
      max_length_(options.max_length) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const auto c = static_cast<char>(i);
    const bool letter = is_letter(c);
    const bool known = letter && options.alphabet.find(to_upper(c)) != std::string::npos;
    if (!letter) {
      kinds_[i] = Kind::other;
    } else if (!known) {
      kinds_[i] = Kind::unknown_letter;
    } else {
      kinds_[i] = is_lower(c) ? Kind::known_in_lower_case : Kind::known;
    }
  }
}

std::optional<RecordCode> Normaliser::run(std::string_view text, std::int64_t numbers) {
  residues_.clear();
  chain_.clear();
  converted_.fill(0);
  blanks_ = 0;
  noted_.reset();
  message_.clear();
  if (text.empty()) return reject(RecordCode::empty_sequence, no_residues);
  if (text.size() > max_text_bytes) {
    return reject(RecordCode::too_long,
                  "the sequence has more than " + std::to_string(max_text_bytes) + " letters, the most that is read");
  }
  if (strict_ && numbers > 0) {
    return reject(RecordCode::bad_residue, "its lines begin with numbers (policy.residues: strict)");
  }
  residues_.reserve(text.size());
  chain_.reserve(text.size());
  const auto breaks = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  if (breaks + 1 > max_chains) {
    return reject(RecordCode::too_many_chains,
                  std::to_string(breaks + 1) + " chains where at most " + std::to_string(max_chains) + " are possible");
  }
  for (std::size_t start = 0, number = 0; start <= text.size(); ++number) {
    const std::size_t end = std::min(text.find(':', start), text.size());
    const std::string_view whole = text.substr(start, end - start);
    std::string_view chain = strict_ ? whole : without_blanks(whole);
    if (!strict_ && chain.ends_with('*')) chain.remove_suffix(1);
    if (chain.empty() && breaks == 0) return reject(RecordCode::empty_sequence, no_residues);
    if (chain.empty()) {
      return reject(RecordCode::empty_chain, "chain " + std::to_string(number + 1) + " holds no residues");
    }
    const auto offset = static_cast<std::size_t>(chain.data() - whole.data());
    if (const auto refusal = add_chain(chain, start + offset)) return refusal;
    chain_.resize(residues_.size(), static_cast<std::uint16_t>(number));
    start = end + 1;
  }
  const auto length = static_cast<std::int64_t>(residues_.size());
  if (max_length_ > 0 && length > max_length_) {
    return reject(RecordCode::too_long, "the sequence has " + std::to_string(length) + " residues where at most " +
                                            std::to_string(max_length_) + " are allowed (policy.max_length)");
  }
  if (const auto refusal = judge_nucleotides()) return refusal;
  note_conversions();
  note_cleaning(numbers);
  return std::nullopt;
}

// Without those at both ends, which are counted.
std::string_view Normaliser::without_blanks(std::string_view chain) {
  while (const std::size_t length = white_space_length(chain)) {
    chain.remove_prefix(length);
    ++blanks_;
  }
  // From the end the longest comes first: the last byte of a wide one is none alone.
  for (bool found = true; found && !chain.empty();) {
    found = false;
    for (std::size_t length = std::min<std::size_t>(3, chain.size()); length > 0 && !found; --length) {
      found = white_space_length(chain.substr(chain.size() - length)) == length;
      if (found) chain.remove_suffix(length);
    }
    blanks_ += found ? 1 : 0;
  }
  return chain;
}

// `start` is where the chain's text starts in the sequence as written.
std::optional<RecordCode> Normaliser::add_chain(std::string_view text, std::size_t start) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const Kind kind = kinds_[static_cast<unsigned char>(c)];
    if (kind == Kind::known) {
      residues_ += c;
    } else if (kind == Kind::known_in_lower_case && !strict_) {
      residues_ += to_upper(c);
    } else if (kind == Kind::unknown_letter && can_convert_) {
      ++converted_[static_cast<std::size_t>(to_upper(c) - 'A')];
      residues_ += 'X';
    } else if (const std::size_t blank = strict_ ? 0 : white_space_length(text.substr(i)); blank > 0) {
      ++blanks_;
      i += blank - 1;
    } else {
      return reject_residue(text.substr(i), start + i + 1);
    }
  }
  return std::nullopt;
}

RecordCode Normaliser::reject(RecordCode code, std::string message) {
  message_ = std::move(message);
  return code;
}

RecordCode Normaliser::reject_residue(std::string_view text, std::size_t position) {
  const char c = text.front();
  std::string why = shown(text) + " at position " + std::to_string(position);
  if (c == '>') {
    return reject(RecordCode::lost_header,
                  why + ": a header does not begin its line, so that two records run into each other");
  }
  const Kind kind = kinds_[static_cast<unsigned char>(c)];
  if (kind == Kind::other) {
    why += strict_ && c == '*' ? " is not a residue (policy.residues: strict)" : " is not a residue";
  } else if (is_lower(c) && strict_) {
    why += " is lower case (policy.residues: strict)";
  } else {
    why += strict_ ? " is not in the model's alphabet (policy.residues: strict)" : " is not in the model's alphabet";
  }
  return reject(RecordCode::bad_residue, std::move(why));
}

void Normaliser::note_conversions() {
  std::string counts;
  for (std::size_t i = 0; i < converted_.size(); ++i) {
    if (converted_[i] == 0) continue;
    if (!counts.empty()) counts += ", ";
    counts += std::to_string(converted_[i]) + " " + static_cast<char>('A' + i);
  }
  if (counts.empty()) return;
  note(RecordCode::residues_converted, "letters outside the model's alphabet became X: " + counts);
}

void Normaliser::note(RecordCode code, const std::string& message) {
  if (!noted_) noted_ = code;
  message_ += (message_.empty() ? "" : "; ") + message;
}

void Normaliser::note_cleaning(std::int64_t numbers) {
  std::string what;
  if (blanks_ > 0) what = std::to_string(blanks_) + (blanks_ == 1 ? " blank" : " blanks");
  if (numbers > 0) {
    what += (what.empty() ? "" : " and ") + std::to_string(numbers) + (numbers == 1 ? " line number" : " line numbers");
  }
  if (!what.empty()) note(RecordCode::sequence_cleaned, what + " left out");
}

// Whether the residues may be a protein's. Few proteins are made of A, C, G, T, U and N alone, and those that are have
// hardly three of the four bases in them.
std::optional<RecordCode> Normaliser::judge_nucleotides() {
  constexpr std::size_t shortest = 10;
  constexpr std::size_t others_one_in = 20;
  if (nucleotides_ == NucleotidePolicy::ignore || residues_.size() < shortest) return std::nullopt;
  std::array<bool, 4> bases{};
  std::size_t others = 0;
  for (const char c : residues_) {
    switch (c) {
      case 'A': bases[0] = true; break;
      case 'C': bases[1] = true; break;
      case 'G': bases[2] = true; break;
      case 'T':
      case 'U': bases[3] = true; break;
      case 'N': break;
      case 'X':  // a U, where the model does not know it
        if (converted_['U' - 'A'] > 0) {
          bases[3] = true;
          break;
        }
        [[fallthrough]];
      default:
        if (++others * others_one_in > residues_.size()) return std::nullopt;
    }
  }
  if (std::ranges::count(bases, true) < 3) return std::nullopt;
  const std::string what =
      "it looks like DNA or RNA: " + std::to_string(100 * (residues_.size() - others) / residues_.size()) +
      " % of its letters are A, C, G, T, U or N";
  if (nucleotides_ == NucleotidePolicy::reject) {
    return reject(RecordCode::nucleotides, what + " (policy.nucleotides: reject)");
  }
  note(RecordCode::nucleotides, what);
  return std::nullopt;
}

}  // namespace pleat
