#include "report/failure_hints.h"

#include <array>

#include "sequence/dataset.h"

namespace pleat {
namespace {

struct Hint {
  std::string_view code;
  std::string_view text;
};

constexpr std::array hints{
    Hint{record_code::bad_residue, "Mend the letter in the input. Gaps and digits are no residues."},
    Hint{record_code::bad_row, "Give the row as many fields as the header has."},
    Hint{record_code::empty_chain, "Take out the colon that has nothing on one side."},
    Hint{record_code::empty_sequence, "Give the record a sequence, or leave it out."},
    Hint{record_code::too_long, "Raise policy.max_length, or cut the protein into domains."},
    Hint{record_code::too_many_chains, "Divide the complex; 65,535 chains are the most."},
    Hint{record_code::missing_value, "Fill in the id and the sequence of the row."},
    Hint{record_code::lost_header, "Put the '>' at the start of a line of its own."},
    Hint{record_code::cut_off, "Copy or download the input again; it ends in the middle."},
    Hint{record_code::nucleotides, "Translate DNA or RNA first, or set policy.nucleotides: ignore."},
    Hint{record_code::does_not_fit, "Run it on a machine with more memory; pleat plan says how much."},
    Hint{"out_of_memory", "Run it again with more memory; the same command goes on from there."},
    Hint{"device_lost", "Look at the device with pleat doctor; two were lost at this sequence."},
    Hint{"not_finite", "Try run.precision: fp32; if that does not help, check the weights with pleat model verify."},
    Hint{"float16_overflow", "Store float32 instead: tasks.embeddings.dtype: float32."},
    Hint{"not_computed", "Its shard was not run or not merged; run it, and merge again."},
};

}  // namespace

std::string_view failure_hint(std::string_view code) {
  for (const Hint& hint : hints) {
    if (hint.code == code) return hint.text;
  }
  return "docs/troubleshooting.md says more.";
}

}  // namespace pleat
