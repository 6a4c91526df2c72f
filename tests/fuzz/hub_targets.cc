// What a hub, a mirror or a proxy answers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "core/scratch_folder.h"
#include "hub/download.h"
#include "hub/hub_client.h"
#include "hub/retry.h"
#include "refuse_or_read.h"
#include "targets.h"
#include "weights/weight_files.h"

namespace pleat::fuzz {
namespace {

// Answers each connection with the next answer, whatever is asked, and hangs up. It is this process's proxy too, so
// that no redirection leads anywhere else.
class Server {
 public:
  Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      throw std::runtime_error("no local server");
    }
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    for (const char* const name : {"http_proxy", "https_proxy", "all_proxy"}) ::setenv(name, url_.c_str(), 1);
    for (const char* const name : {"no_proxy", "NO_PROXY"}) ::unsetenv(name);
    std::thread([this] {
      while (true) serve();
    }).detach();  // until the process ends
  }

  [[nodiscard]] const std::string& url() const { return url_; }

  // One after the other, with zero bytes between them.
  void set_answers(std::string_view answers) {
    const std::scoped_lock lock(mutex_);
    answers_ = answers;
  }

 private:
  void serve() {
    const FileDescriptor connection(::accept(listener_.get(), nullptr, nullptr));
    std::string request;
    std::array<char, 4096> block{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(connection.get(), block.data(), block.size(), 0);
      if (count <= 0) return;
      request.append(block.data(), static_cast<std::size_t>(count));
    }
    const std::string answer = next_answer();
    static_cast<void>(::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
    ::shutdown(connection.get(), SHUT_WR);
    while (::recv(connection.get(), block.data(), block.size(), 0) > 0) {
    }
  }

  std::string next_answer() {
    const std::scoped_lock lock(mutex_);
    std::string_view rest = answers_;
    std::string answer(take_text(rest));
    answers_ = rest;
    return answer;
  }

  FileDescriptor listener_;
  std::string url_;
  std::mutex mutex_;
  std::string answers_;
};

}  // namespace

void hub(Bytes input) {
  static Server& server = *new Server;  // its thread has no end
  static const ScratchFolder folder;
  const std::filesystem::path partial = folder.path() / "f.partial";
  const std::filesystem::path final = folder.path() / "f";
  std::filesystem::remove(partial);
  std::filesystem::remove(final);
  server.set_answers(text_of(input));
  Retry retry([](const std::string& why) { throw Error(ErrorCode::retry, why); }, "");
  refuse_or_read([&] {
    HubClient client(server.url(), "secret", "a/b");
    const auto remote = with_retries(retry, [&] { return client.describe("main", "f"); });
    if (!remote) return;
    download(client, *remote, partial, final, retry, {});
    if (!std::filesystem::exists(final)) throw std::logic_error("a file that was downloaded is not there");
  });
}

void weight_index(Bytes input) {
  for (const WeightFormat format : {WeightFormat::safetensors, WeightFormat::pytorch}) {
    refuse_or_read([&] {
      for (const auto& [tensor, name] : parse_weight_index(text_of(input), format, "index.json")) {
        if (name.empty() || name.find('/') != std::string::npos) throw std::logic_error("a file outside the folder");
      }
    });
  }
}

}  // namespace pleat::fuzz
