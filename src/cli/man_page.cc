#include "cli/man_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>

#include "cli/errors.h"

namespace pleat::cli {
namespace {

struct NamedText {
  const char* name;
  const char* text;
};

constexpr std::array variables{
    NamedText{"PLEAT_MODELS",
              "A folder that holds models, each in a folder of its name, or a Hugging Face cache. Default: /models."},
    NamedText{"HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE", "The Hugging Face cache, where models are found and fetched to."},
    NamedText{"HF_HOME", "The folder of that cache's folder, hub, and of the file token."},
    NamedText{"XDG_CACHE_HOME",
              "Where huggingface/hub is without these, and pleat/calibration.json. Default: ~/.cache."},
    NamedText{"HF_ENDPOINT", "Where model fetch downloads from. Default: https://huggingface.co."},
    NamedText{"HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH",
              "An access token, or a file that holds one; sent to that place only."},
    NamedText{"HF_HUB_OFFLINE", "1 forbids model fetch."},
    NamedText{"https_proxy, no_proxy, CURL_CA_BUNDLE", "As for curl(1), in model fetch."},
    NamedText{
        "OMP_NUM_THREADS",
        "How many threads compute. Default: the processors that this process may use, limits of a container or job "
        "included."},
    NamedText{"PLEAT_CPU",
              "baseline, avx2, avx512, avx512_bf16 or amx: no other instructions of the processor are used, also where "
              "it has more."},
    NamedText{"PLEAT_CUDA_WITHOUT", "all, or names of operations that take LibTorch's way on a GPU; see docs/gpu.md."},
    NamedText{"PLEAT_CUDA_PLUGIN",
              "The file libpleat_cuda.so, where it lies neither beside the program nor in ../lib."},
    NamedText{"CUDA_VISIBLE_DEVICES", "The GPUs that there are for this process."},
    NamedText{"SLURM_ARRAY_TASK_ID, _MIN, _MAX, _STEP, _COUNT", "Read with --shard slurm-array only."},
    NamedText{"TMPDIR", "Where bench-device has its temporary files. Default: /tmp."},
    NamedText{"HOME", "Needed by none of it; without it the defaults below ~ are not looked at."},
};

constexpr std::array files{
    NamedText{"OUTPUT", "The result file. Under this name it is always whole."},
    NamedText{"OUTPUT.work/", "What a run has computed so far. The same command resumes it."},
    NamedText{"OUTPUT.partial", "The result file while it is assembled."},
    NamedText{
        "STEM.structures/",
        "For OUTPUT STEM.h5: a PDB or mmCIF file for each record, and index.tsv, where the manifest asks for them."},
    NamedText{"STEM.shard-I-of-N.h5", "What a run with --shard I/N writes instead of OUTPUT STEM.h5."},
    NamedText{"~/.cache/pleat/calibration.json", "What bench-device has measured."},
};

// What roff would take for its own is escaped; every hyphen is one that can be copied into a shell.
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

// A line of a list and what it means.
std::string entry(const std::string& head, const std::string& text) { return fmt::format(".TP\n{}\n{}\n", head, text); }

std::string synopsis(const CommandText& command) {
  std::string text = bold(command.path);
  if (!command.subcommands.empty()) return text + " " + italic("COMMAND");
  text += " [" + italic("OPTIONS") + "]";
  for (const OptionText& positional : command.positionals) {
    text += " " + italic(positional.names.front());
    if (positional.repeatable) text += "...";
  }
  return text;
}

std::string option_head(const OptionText& option) {
  std::vector<std::string> names;
  names.reserve(option.names.size());
  for (const std::string& name : option.names) names.push_back(option.positional ? italic(name) : bold(name));
  std::string head = fmt::format("{}", fmt::join(names, ", "));
  if (!option.positional && !option.choices.empty()) {
    head += " " + roff(fmt::format("{}", fmt::join(option.choices, "|")));
  } else if (!option.positional && !option.value.empty()) {
    head += " " + italic(option.value);
  }
  return head;
}

std::string option_text(const OptionText& option) {
  std::string text = roff(option.description) + ".";
  if (option.required && !option.positional) text += " Must be given.";
  if (option.repeatable && !option.positional) text += " May be given again.";
  return text;
}

std::string commands_section(const CommandText& program) {
  std::string text = ".SH COMMANDS\n";
  for (const CommandText* const command : all_commands(program)) {
    if (command == &program) continue;
    text += fmt::format(".SS \"{}\"\n{}.\n", synopsis(*command), roff(command->description));
    for (const OptionText& positional : command->positionals)
      text += entry(option_head(positional), option_text(positional));
    for (const OptionText& option : command->options) text += entry(option_head(option), option_text(option));
  }
  return text;
}

template <std::size_t count>
std::string list_section(const char* title, const std::array<NamedText, count>& rows) {
  std::string text = fmt::format(".SH {}\n", title);
  for (const NamedText& row : rows) text += entry(bold(row.name), roff(row.text));
  return text;
}

std::string exit_section() {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitStatus& row : exit_statuses()) text += entry(bold(row.status), roff(row.meaning) + ".");
  return text;
}

constexpr const char* closing = R"(.SH EXAMPLES
.nf
pleat model fetch esm2_t6_8M_UR50D
pleat plan manifest.yaml
pleat run manifest.yaml \-\-max\-time 3h55m
pleat run manifest.yaml \-\-shard 3/8
pleat merge results.shard\-*.h5 \-o results.h5
pleat inspect results.h5
.fi
.PP
The manifest, of which
.B pleat schema manifest \-\-markdown
describes every key:
.PP
.nf
version: 1
model: esm2_t6_8M_UR50D
inputs: [proteins.fasta]
output: results.h5
tasks:
  embeddings: {layers: [\-1], per_residue: true, mean: true}
.fi
.SH SIGNALS
SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 end a run within ten seconds, with 128 + N; the same command resumes it from
there. SIGUSR1 also prints the progress. A second signal ends it at once.
.SH SEE ALSO
.BR h5dump (1),
.BR sbatch (1)
)";

}  // namespace

std::string man_page(const CommandText& program, const std::string& version) {
  std::string text = fmt::format(
      ".\\\" Made by: pleat schema man\n.TH PLEAT 1 \"\" \"pleat {}\" \"User Commands\"\n"
      ".SH NAME\npleat \\- ESM\\-2 embeddings and ESMFold structures of protein sequences, in bulk\n"
      ".SH SYNOPSIS\n{}\n.SH DESCRIPTION\n{}\n",
      roff(version), synopsis(program), roff(program.description));
  text +=
      ".PP\nAn option wins over the manifest. A path given as an option is relative to the working folder, a path in "
      "the\n"
      "manifest to the manifest. Standard output has what was asked for; logs and progress go to standard error.\n"
      ".SH OPTIONS\n";
  for (const OptionText& option : program.options) text += entry(option_head(option), option_text(option));
  return text + commands_section(program) + exit_section() + list_section("ENVIRONMENT", variables) +
         list_section("FILES", files) + closing;
}

}  // namespace pleat::cli
