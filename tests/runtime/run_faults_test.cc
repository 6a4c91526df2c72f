// Whole runs on devices that fail: lost, out of memory, hanging. What they leave, and what comes of it.
#include <algorithm>
#include <atomic>
#include <csignal>

#include "core/error.h"
#include "core/stop.h"
#include "faulty_run.h"
#include "format/schema.h"
#include "machine/precision.h"
#include "runtime/identity.h"
#include "runtime/prepare.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Rows = Wrapped::Rows;

TEST_F(FaultyRunTest, ALostDeviceCostsNothing) {
  const std::vector<float> expected = undisturbed_means();
  std::atomic<int> calls = 0;
  const RunSummary summary = run(embedding("cpu*2"), [&](const Rows&, const Effort&) {
    if (++calls == 5) throw DeviceLost("fell off the bus");
  });
  EXPECT_EQ(summary.ok, sequences);
  EXPECT_EQ(means(), expected);
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("fell off the bus")));
  expect_good_file();
}

TEST_F(FaultyRunTest, WithNoDeviceLeftALaterRunGoesOn) {
  const std::vector<float> expected = undisturbed_means();
  std::atomic<int> calls = 0;
  // What costs a second device is given up, so these losses spare the sequences that are tried alone after the first.
  const auto fault = [&](const Rows& rows, const Effort&) {
    if (++calls % 3 == 0 && rows.size() > 1) throw DeviceLost("fell off the bus");
  };
  int runs = 0;
  for (bool done = false; !done; ++runs) {
    ASSERT_LT(runs, 20);
    try {
      EXPECT_EQ(run(embedding("cpu"), fault).ok, sequences);
      done = true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::retry);
      EXPECT_THAT(error.hint(), HasSubstr("same command"));
      EXPECT_FALSE(fs::exists(output()));
    }
  }
  EXPECT_GT(runs, 2);
  EXPECT_EQ(means(), expected);
  expect_good_file();
}

// One input that takes every device with it: two devices are lost, in two runs, and everything else is computed.
TEST_F(FaultyRunTest, APoisonousSequenceIsGivenUpAfterTwoDevices) {
  const auto fault = [](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, 12) > 0) throw DeviceLost("fell off the bus");
  };
  EXPECT_THROW(run(embedding("cpu"), fault), Error);
  EXPECT_THROW(run(embedding("cpu"), fault), Error);
  const RunSummary summary = run(embedding("cpu"), fault);
  EXPECT_EQ(summary.ok, sequences - 1);
  EXPECT_EQ(summary.failed, 1);
  EXPECT_EQ(ResultReader(output()).records(12, 1).front().error_code, "device_lost");
  expect_good_file();
}

TEST_F(FaultyRunTest, TheRungIsRecorded) {
  const std::vector<float> expected = undisturbed_means();
  const RunSummary summary = run(embedding("cpu"), [](const Rows& rows, const Effort&) {
    if (rows.size() > 2 || std::ranges::count(rows, 7) > 0) throw OutOfMemory();
  });
  EXPECT_EQ(summary.ok, sequences - 1);
  const ResultReader reader(output());
  const Record failed = reader.records(7, 1).front();
  EXPECT_EQ(failed.error_code, "out_of_memory");
  EXPECT_THAT(failed.message, HasSubstr("GB beside the weights"));
  const std::vector<float> rungs = reader.floats(schema::record_memory_rung, 0, sequences);
  EXPECT_EQ(rungs[7], 0);
  EXPECT_EQ(rungs[0], 1);
  std::vector<float> found = means();
  const std::size_t width = found.size() / sequences;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i / width != 7) {
      ASSERT_EQ(found[i], expected[i]);
    }
  }
  expect_good_file();
}

TEST_F(FaultyRunTest, AFoldGoesDownToASmallerChunkWithTheSameNumbers) {
  run(folding());
  const std::vector<float> expected = ResultReader(output()).structure(1).positions;
  fs::remove(output());
  run(folding(), [](const Rows&, const Effort& effort) {
    if (effort.chunk_size == 0) throw OutOfMemory();
  });
  const ResultReader reader(output());
  EXPECT_EQ(reader.structure(1).positions, expected);
  EXPECT_EQ(reader.floats(schema::record_memory_rung, 1, 1).front(), 2);
  expect_good_file();
}

// What gives NaN in bfloat16 has float32's numbers, bit for bit, and says so.
TEST_F(FaultyRunTest, WhatIsNotFiniteInBfloat16IsComputedInFloat32) {
  const std::vector<float> float32 = undisturbed_means();
  const auto in_bfloat16 = [&] {
    return manifest("esm2/head16", "run: {max_tokens_per_batch: 100, devices: \"cpu*2\", precision: bf16}\n");
  };
  run(in_bfloat16());
  const std::vector<float> bfloat16 = means();
  fs::remove(output());
  not_finite_ = {3, 4, 17};
  EXPECT_EQ(run(in_bfloat16()).ok, sequences);
  const std::vector<float> found = means();
  const std::size_t width = found.size() / sequences;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool again = not_finite_.contains(static_cast<std::int64_t>(i / width));
    ASSERT_EQ(found[i], (again ? float32 : bfloat16)[i]) << "row " << i / width;
  }
  EXPECT_NE(found, bfloat16);
  const ResultReader reader(output());
  EXPECT_EQ(reader.attributes().precision, "bfloat16");
  for (const std::int64_t row : not_finite_) {
    const Record record = reader.records(row, 1).front();
    EXPECT_EQ(record.status, RecordStatus::ok);
    EXPECT_EQ(record.error_code, "computed_in_float32");
    EXPECT_THAT(record.message, HasSubstr("bfloat16 gave NaN or infinity"));
  }
  EXPECT_EQ(reader.records(5, 1).front().error_code, "");
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("3 records with computed_in_float32")));
  expect_good_file();
}

TEST_F(FaultyRunTest, AFoldThatIsNotFiniteInBfloat16IsComputedInFloat32) {
  run(folding("{precision: fp32}", "published_pair"));
  const std::vector<float> float32 = ResultReader(output()).structure(1).positions;
  fs::remove(output());
  not_finite_ = {1};
  run(folding("{precision: bf16}", "published_pair"));
  EXPECT_EQ(ResultReader(output()).structure(1).positions, float32);
  EXPECT_EQ(ResultReader(output()).records(1, 1).front().error_code, "computed_in_float32");
  expect_good_file();
}

TEST_F(FaultyRunTest, InFloat32WhatIsNotFiniteHasFailed) {
  not_finite_ = {3};
  EXPECT_EQ(run(embedding("cpu")).failed, 1);
  EXPECT_EQ(ResultReader(output()).records(3, 1).front().error_code, "not_finite");
}

// A run may go on on devices of another kind, for which auto would choose another precision.
TEST_F(FaultyRunTest, ARunThatGoesOnKeepsWhatAutoCameTo) {
  const Manifest manifest = embedding("cpu");
  PreparedJob job = prepare_job(manifest, {}, listener_);
  EXPECT_EQ(job.precision, Precision::float32);
  job = prepare_job(manifest, {.precision_of_auto = Precision::bfloat16}, listener_);
  EXPECT_EQ(job.precision, Precision::bfloat16);
  const NamedValues settled = identity_of(manifest, job, "test", "", "").settled;
  EXPECT_EQ(precision_named(value_of(settled, settled_precision)), Precision::bfloat16);
  Manifest explicit_one = manifest;
  explicit_one.run.precision = Precision::float32;
  EXPECT_EQ(prepare_job(explicit_one, {.precision_of_auto = Precision::bfloat16}, listener_).precision,
            Precision::float32);
}

// With the widths that GPUs have kernels for.
TEST_F(FaultyRunTest, AFoldDoesNotDependOnItsBatch) {
  for (const std::string precision : {"fp32", "bf16"}) {
    run(folding("{max_tokens_per_batch: 1000, precision: " + precision + "}", "published_pair"));
    const ResultReader together(output());
    std::vector<std::vector<float>> expected;
    for (std::int64_t row = 0; row < together.sequence_count(); ++row) {
      expected.push_back(together.structure(row).positions);
    }
    fs::remove(output());
    run(folding("{max_tokens_per_batch: 8, precision: " + precision + "}", "published_pair"));
    const ResultReader alone(output());
    for (std::size_t row = 0; row < expected.size(); ++row) {
      EXPECT_EQ(alone.structure(static_cast<std::int64_t>(row)).positions, expected[row]) << row;
    }
    fs::remove(output());
  }
}

TEST_F(FaultyRunTest, AHangingDeviceIsLeftBehind) {
  const std::vector<float> expected = undisturbed_means();
  const auto gate = std::make_shared<Gate>();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  const RunSummary summary = run(embedding("cpu*2"), [gate, calls](const Rows&, const Effort&) {
    if (++*calls == 3) gate->wait();
  });
  EXPECT_EQ(summary.ok, sequences);
  EXPECT_EQ(means(), expected);
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("it hangs")));
  expect_good_file();
  gate->open();
}

// What was being computed when a signal came is computed last by the next run, alone, and nothing else is put off.
TEST_F(FaultyRunTest, WhatASignalInterruptsComesLast) {
  const std::vector<float> expected = undisturbed_means();
  constexpr std::int64_t longest = sequences - 1;
  const auto stop = std::make_shared<StopToken>();
  stop_ = stop;
  const auto interrupt = [&](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, longest) == 0) return;
    stop->request_signal(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // until the devices have been told
  };
  EXPECT_THROW(run(embedding("cpu"), interrupt), Stopped);
  stop_ = nullptr;
  std::vector<Rows> computed;
  const RunSummary summary = run(embedding("cpu"), [&](const Rows& rows, const Effort&) { computed.push_back(rows); });
  EXPECT_EQ(summary.ok, sequences);
  ASSERT_GT(computed.size(), 2U);
  EXPECT_EQ(computed.back(), Rows{longest});
  EXPECT_EQ(means(), expected);
}

}  // namespace
}  // namespace pleat
