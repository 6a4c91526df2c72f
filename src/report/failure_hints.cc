#include "report/failure_hints.h"

#include <array>

#include "core/record_code.h"

namespace pleat {
namespace {

struct Hint {
  RecordCode code;
  std::string_view text;
};

constexpr std::array hints{
    Hint{RecordCode::bad_residue, "Mend the letter in the input. Gaps and digits are no residues."},
    Hint{RecordCode::bad_row, "Give the row as many fields as the header has."},
    Hint{RecordCode::empty_chain, "Take out the colon that has nothing on one side."},
    Hint{RecordCode::empty_sequence, "Give the record a sequence, or leave it out."},
    Hint{RecordCode::too_long, "Raise policy.max_length, or cut the protein into domains."},
    Hint{RecordCode::too_many_chains, "Divide the complex; 65,535 chains are the most."},
    Hint{RecordCode::missing_value, "Fill in the id and the sequence of the row."},
    Hint{RecordCode::lost_header, "Put the '>' at the start of a line of its own."},
    Hint{RecordCode::cut_off, "Copy or download the input again; it ends in the middle."},
    Hint{RecordCode::nucleotides, "Translate DNA or RNA first, or set policy.nucleotides: ignore."},
    Hint{RecordCode::unknown_part, "Write the record's id in the table of pairs as it stands in the inputs."},
    Hint{RecordCode::ambiguous_part, "Give each record of the inputs an id of its own."},
    Hint{RecordCode::does_not_fit, "Run it on a machine with more memory; pleat plan says how much."},
    Hint{RecordCode::out_of_memory, "Run it again with more memory; the same command resumes it."},
    Hint{RecordCode::device_lost, "Look at the device with pleat doctor; two were lost at this sequence."},
    Hint{RecordCode::not_finite,
         "Try run.precision: fp32; if that does not help, check the weights with pleat model verify."},
    Hint{RecordCode::float16_overflow, "Store float32 instead: tasks.embeddings.dtype: float32."},
    Hint{RecordCode::not_computed, "Its shard was not run or not merged; run it, and merge again."},
};

}  // namespace

std::string_view failure_hint(std::string_view code) {
  for (const Hint& hint : hints) {
    if (code == hint.code) return hint.text;
  }
  return "docs/troubleshooting.md says more.";
}

}  // namespace pleat
