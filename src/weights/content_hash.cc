#include "weights/content_hash.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"

namespace pleat {
namespace {

// SHA-1 because git names its blobs by it.
std::string git_blob_hash(const std::filesystem::path& file, const StopToken* stop) {
  std::ifstream in(file, std::ios::binary);
  std::error_code unreadable;
  const std::uintmax_t size = std::filesystem::file_size(file, unreadable);
  if (!in || unreadable) throw Error(ErrorCode::missing_input, "cannot open '" + file.string() + "'");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) != 1) {
    throw Error(ErrorCode::internal, "OpenSSL has no SHA-1");
  }
  const std::string head = "blob " + std::to_string(size);
  EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);
  std::vector<char> buffer(std::size_t{1} << 16);
  while (in) {
    throw_if_stopped(stop);
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error(ErrorCode::missing_input, "cannot read '" + file.string() + "' to its end");
  std::array<unsigned char, 20> digest{};
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return hex_digits(digest);
}

}  // namespace

std::string content_hash(const std::filesystem::path& file, std::string_view like, const StopToken* stop) {
  return like.size() == 40 ? git_blob_hash(file, stop) : sha256_of_file(file, stop);
}

}  // namespace pleat
