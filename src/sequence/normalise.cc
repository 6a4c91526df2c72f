#include "sequence/normalise.h"

#include <algorithm>
#include <utility>

#include "sequence/line_reader.h"

namespace pleat {
namespace {

constexpr std::size_t max_chains = 65535;  // what SequenceTable's chain numbers hold

constexpr const char* no_residues = "the record holds no residues";

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

// 'J' for what a terminal can show, else its number.
std::string shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7F) return std::string("'") + c + "'";
  constexpr std::string_view digits = "0123456789ABCDEF";
  return std::string("byte 0x") + digits[byte >> 4U] + digits[byte & 0xFU];
}

}  // namespace

Normaliser::Normaliser(const ReadOptions& options)
    : strict_(options.strict),
      can_convert_(!options.strict && options.alphabet.find('X') != std::string::npos),
      max_length_(options.max_length) {
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    const auto c = static_cast<char>(i);
    const bool letter = is_upper(c) || is_lower(c);
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

bool Normaliser::run(std::string_view text) {
  residues_.clear();
  chain_.clear();
  converted_.fill(0);
  code_ = {};
  message_.clear();
  if (text.empty()) return reject(record_code::empty_sequence, no_residues);
  if (text.size() > max_text_bytes) {
    return reject(record_code::too_long,
                  "the sequence has more than " + std::to_string(max_text_bytes) + " letters, the most that is read");
  }
  residues_.reserve(text.size());
  chain_.reserve(text.size());
  const auto breaks = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  if (breaks + 1 > max_chains) {
    return reject(record_code::too_many_chains,
                  std::to_string(breaks + 1) + " chains where at most " + std::to_string(max_chains) + " are possible");
  }
  for (std::size_t start = 0, number = 0; start <= text.size(); ++number) {
    const std::size_t end = std::min(text.find(':', start), text.size());
    std::string_view chain = text.substr(start, end - start);
    if (!strict_ && chain.ends_with('*')) chain.remove_suffix(1);
    if (chain.empty() && breaks == 0) return reject(record_code::empty_sequence, no_residues);
    if (chain.empty()) {
      return reject(record_code::empty_chain, "chain " + std::to_string(number + 1) + " holds no residues");
    }
    if (!add_chain(chain, start)) return false;
    chain_.resize(residues_.size(), static_cast<std::uint16_t>(number));
    start = end + 1;
  }
  const auto length = static_cast<std::int64_t>(residues_.size());
  if (max_length_ > 0 && length > max_length_) {
    return reject(record_code::too_long, "the sequence has " + std::to_string(length) + " residues where at most " +
                                             std::to_string(max_length_) + " are allowed (policy.max_length)");
  }
  note_conversions();
  return true;
}

// `start` is where the chain's text starts in the sequence as written.
bool Normaliser::add_chain(std::string_view text, std::size_t start) {
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
    } else {
      return reject_residue(c, start + i + 1);
    }
  }
  return true;
}

bool Normaliser::reject(std::string_view code, std::string message) {
  code_ = code;
  message_ = std::move(message);
  return false;
}

bool Normaliser::reject_residue(char c, std::size_t position) {
  std::string why = shown(c) + " at position " + std::to_string(position);
  const Kind kind = kinds_[static_cast<unsigned char>(c)];
  if (kind == Kind::other) {
    why += strict_ && c == '*' ? " is not a residue (policy.residues: strict)" : " is not a residue";
  } else if (is_lower(c) && strict_) {
    why += " is lower case (policy.residues: strict)";
  } else {
    why += strict_ ? " is not in the model's alphabet (policy.residues: strict)" : " is not in the model's alphabet";
  }
  return reject(record_code::bad_residue, std::move(why));
}

void Normaliser::note_conversions() {
  std::string counts;
  for (std::size_t i = 0; i < converted_.size(); ++i) {
    if (converted_[i] == 0) continue;
    if (!counts.empty()) counts += ", ";
    counts += std::to_string(converted_[i]) + " " + static_cast<char>('A' + i);
  }
  if (counts.empty()) return;
  code_ = record_code::residues_converted;
  message_ = "letters outside the model's alphabet became X: " + counts;
}

}  // namespace pleat
