#include "manifest/manifest.h"

#include "core/file.h"
#include "core/sha256.h"
#include "manifest/parse.h"

namespace pleat {
namespace {

// Far more than a list of every file in a large folder; sequences given in place of a manifest are often more.
constexpr std::uintmax_t largest_manifest = 16U << 20;

void check_size(const std::filesystem::path& file) {
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(file, unknown);
  if (unknown || size <= largest_manifest) return;
  throw Error(ErrorCode::bad_manifest, file.string() + ":1:1: the file is too large for a manifest (over 16 MiB)",
              "check that this is the manifest and not one of its inputs");
}

// That of the file alone where there are no overrides; else a NUL and a line for each come after it. A result file
// keeps both texts, from which `pleat verify` makes it again.
std::string digest(const std::string& text, const std::vector<std::string>& overrides) {
  Sha256 hash;
  hash.update(text);
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    hash.update(i == 0 ? std::string_view("\0", 1) : "\n");
    hash.update(overrides[i]);
  }
  return hash.finish();
}

}  // namespace

std::filesystem::path Manifest::resolve(const std::string& path) const { return folder / path; }

Manifest load_manifest(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  check_size(file);
  const std::string text = read_text_file(file);
  ManifestReader reader(file.string());
  reader.read_file(text);
  for (const std::string& assignment : overrides) reader.read_override(assignment);
  Manifest manifest = reader.finish();
  manifest.folder = file.parent_path();
  manifest.text = text;
  manifest.sha256 = digest(text, overrides);
  manifest.overrides = overrides;
  return manifest;
}

}  // namespace pleat
