#include "runtime/identity.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "machine/precision.h"
#include "manifest/keys.h"

namespace pleat {
namespace {

// The layers as they were resolved, what is kept of each, and their type; "off" without embeddings.
std::string embeddings_text(const ResultLayout& layout) {
  if (layout.layers.empty()) return "off";
  return fmt::format("layers {}, per_residue {}, mean {}, bos {}", fmt::join(layout.layers, ","), layout.per_residue,
                     layout.mean, layout.bos);
}

// The variants are in the hash of the inputs.
std::string scoring_text(const ScoringTask& task) {
  if (!task.enabled) return "off";
  std::string text = task.mode == ScoringMode::exact ? "exact" : "one_pass";
  if (!task.scans() && !task.has_table()) return text;
  for (const Choice<VariantMethod>& choice : choices_of(task.method)) {
    if (choice.value == task.method)
      text += fmt::format(", {} by {}", task.scans() ? "all_single" : "a table", choice.word);
  }
  return text;
}

std::string structure_text(const StructureTask& task) {
  if (!task.enabled) return "off";
  const std::string interfaces = task.interfaces ? fmt::format("below {}", task.pae_cutoff) : "off";
  const char* const distogram = !task.distogram ? "off" : task.distogram_bins ? "with bins" : "distances";
  return fmt::format(
      "num_recycles {}, recycle_tolerance {}, pae {}, interfaces {}, distogram {}, trunk_states {}, dtype {}, "
      "chain_gap {}",
      task.num_recycles, task.recycle_tolerance, task.pae, interfaces, distogram, task.trunk_states,
      name_of(task.dtype), task.chain_gap);
}

}  // namespace

NamedValues task_of(const Manifest& manifest, const PreparedJob& job, const std::string& pleat) {
  return {
      {"pleat", pleat},
      {"precision", precision_name(job.precision)},
      {"tasks.embeddings", embeddings_text(job.layout)},
      {"tasks.embeddings.dtype", std::string(name_of(job.layout.dtype))},
      {"tasks.logits", job.layout.logits ? "true" : "false"},
      {"tasks.contacts", job.layout.contacts ? "true" : "false"},
      {"tasks.attentions", job.layout.attention_layers.empty()
                               ? "off"
                               : fmt::format("layers {}", fmt::join(job.layout.attention_layers, ","))},
      {"tasks.scoring", scoring_text(manifest.tasks.scoring)},
      {"tasks.structure", structure_text(manifest.tasks.structure)},
      {"tasks.structure.chain_linker", std::to_string(manifest.tasks.structure.chain_linker)},
  };
}

RunIdentity identity_of(const Manifest& manifest, const PreparedJob& job, const std::string& pleat,
                        const std::string& weights, const std::string& created_utc) {
  RunIdentity identity;
  identity.same = task_of(manifest, job, pleat);
  const NamedValues more{
      {"weights (sampled)", weights},
      {"policy.duplicates", manifest.policy.duplicates == DuplicatePolicy::share ? "share" : "separate"},
      {"shard", job.dataset.shard ? fmt::format("{}/{}", job.dataset.shard->index, job.dataset.shard->count) : "none"},
      // What became of every record under policy.residues and policy.max_length is in it.
      {"inputs", job.dataset.sha256},
  };
  identity.same.insert(identity.same.end(), more.begin(), more.end());
  identity.settled = {{settled_created_utc, created_utc}};
  if (manifest.run.precision == Precision::automatic) {
    identity.settled.emplace_back(settled_precision, precision_name(job.precision));
  }
  return identity;
}

}  // namespace pleat
