// Reading is stopped, also while a pipe says nothing.
#include "core/stop.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "core/file_descriptor.h"
#include "temporary_files.h"

namespace pleat {
namespace {

using namespace std::chrono_literals;
using Files = testing::TemporaryFiles;

StopReason reason_of_reading(const std::filesystem::path& file, const StopToken& stop) {
  ReadOptions options;
  options.stop = &stop;
  try {
    static_cast<void>(read_inputs({file}, options));
  } catch (const Stopped& stopped) {
    return stopped.reason();
  }
  return StopReason::none;
}

TEST_F(Files, ReadingIsStopped) {
  for (const auto& file : {write("a.fasta", ">a\nMK\n"), write("a.gz", testing::gzip(">a\nMK\n"))}) {
    StopToken token;
    EXPECT_EQ(reason_of_reading(file, token), StopReason::none);
    token.request_signal(SIGTERM);
    EXPECT_EQ(reason_of_reading(file, token), StopReason::signal);
  }
}

// Nobody ever writes into it, and it stays open.
TEST_F(Files, ReadingFromASilentPipeIsStopped) {
  const std::filesystem::path pipe = folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const FileDescriptor writer(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(writer.is_open());
  StopToken late;
  late.set_deadline(StopToken::Clock::now());
  EXPECT_EQ(reason_of_reading(pipe, late), StopReason::deadline);
  StopToken token;
  std::jthread signal([&] {
    std::this_thread::sleep_for(20ms);
    token.request_signal(SIGINT);
  });
  EXPECT_EQ(reason_of_reading(pipe, token), StopReason::signal);
}

}  // namespace
}  // namespace pleat
