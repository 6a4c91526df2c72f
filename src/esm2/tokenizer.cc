#include "esm2/tokenizer.h"

#include <string_view>

#include "core/error.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

constexpr std::string_view mask_token = "<mask>";

std::int64_t id_of(const Esm2Config& config, std::string_view token) {
  for (std::size_t id = 0; id < config.vocab.size(); ++id) {
    if (config.vocab[id] == token) return static_cast<std::int64_t>(id);
  }
  return -1;
}

[[noreturn]] void throw_no_token(std::string_view token) {
  throw Error(ErrorCode::bad_input, "the model's vocabulary has no token '" + std::string(token) + "'",
              "check vocab.txt in the model's folder");
}

std::int64_t required_id(const Esm2Config& config, std::string_view token) {
  const std::int64_t id = id_of(config, token);
  if (id < 0) throw_no_token(token);
  return id;
}

}  // namespace

Tokenizer::Tokenizer(const Esm2Config& config, std::string_view letters, std::int64_t linker_length)
    : linker_length_(linker_length),
      begin_(required_id(config, "<cls>")),
      end_(required_id(config, "<eos>")),
      pad_(required_id(config, "<pad>")),
      mask_(id_of(config, mask_token)) {
  ids_.fill(-1);
  for (const char letter : residues::amino_acids) required_id(config, std::string_view(&letter, 1));
  for (const char letter : letters) {
    const std::int64_t id = id_of(config, std::string_view(&letter, 1));
    if (id < 0) continue;
    ids_[static_cast<unsigned char>(letter)] = id;
    alphabet_ += letter;
  }
}

std::vector<std::int64_t> Tokenizer::ids_of(const std::vector<std::string>& wanted) const {
  std::vector<std::int64_t> ids;
  ids.reserve(wanted.size());
  for (const std::string& letter : wanted) ids.push_back(ids_[static_cast<unsigned char>(letter.at(0))]);
  return ids;
}

std::int64_t Tokenizer::token_count(std::int64_t residues, std::int64_t chains) const {
  return residues + 2 + (chains > 1 ? (chains - 1) * linker_length_ : 0);
}

PackedBatch Tokenizer::pack(const SequenceTable& sequences, const std::vector<std::int64_t>& rows) const {
  PackedBatch batch;
  batch.rows = rows;
  batch.cu_seqlens.push_back(0);
  for (const std::int64_t row : rows) {
    const std::string_view residues = sequences.residues(row);
    const auto chain = sequences.chain(row);
    std::vector<std::int64_t> residue_tokens;
    const auto first = static_cast<std::int64_t>(batch.tokens.size());
    batch.tokens.push_back(begin_);
    for (std::size_t i = 0; i < residues.size(); ++i) {
      if (i > 0 && chain[i] != chain[i - 1]) batch.tokens.insert(batch.tokens.end(), linker_length_, ids_['G']);
      const std::int64_t id = ids_[static_cast<unsigned char>(residues[i])];
      if (id < 0) {
        throw Error(ErrorCode::internal, std::string("the letter '") + residues[i] + "' reached the model");
      }
      residue_tokens.push_back(static_cast<std::int64_t>(batch.tokens.size()) - first);
      batch.tokens.push_back(id);
    }
    batch.tokens.push_back(end_);
    batch.cu_seqlens.push_back(static_cast<std::int64_t>(batch.tokens.size()));
    batch.residue_tokens.push_back(std::move(residue_tokens));
  }
  fill_up(batch);
  return batch;
}

std::int64_t Tokenizer::mask() const {
  if (mask_ < 0) throw_no_token(mask_token);
  return mask_;
}

void Tokenizer::fill_up(PackedBatch& batch) const {
  const std::int64_t rest = batch.token_count() % PackedBatch::minimum_rows;
  if (rest > 0) batch.tokens.insert(batch.tokens.end(), PackedBatch::minimum_rows - rest, pad_);
}

}  // namespace pleat
