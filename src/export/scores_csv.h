// Scores for spreadsheets.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "export/fasta.h"
#include "export/structure_files.h"
#include "results/result_reader.h"

namespace pleat {

// All of them write a header and then a line per row, of the records with these ids, or of all where none is given.
// Fields are quoted as RFC 4180 says, and numbers as short as leads back to the same float32. Each throws Error(usage)
// where the file has no such scores, and Error(bad_input) where an id is not there or the file is damaged. They return
// the records that have none, and why.

// id, residues, pseudo_perplexity.
std::vector<LeftOut> write_scores_csv(const ResultReader& results, const std::set<std::string>& ids,
                                      const TextSink& sink);
// id, chain, position in it, residue, log_probability.
std::vector<LeftOut> write_residue_scores_csv(const ResultReader& results, const std::set<std::string>& ids,
                                              const TextSink& sink);
// Of a table of variants its rows in their order: id, variant, score, error_code, message. Of all single substitutions:
// id, variant, score.
std::vector<LeftOut> write_variants_csv(const ResultReader& results, const std::set<std::string>& ids,
                                        const TextSink& sink);

}  // namespace pleat
