#include "isolation/child_runner.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <thread>

#include "base/clock.h"
#include "isolation/sanitized.h"
#include "worker_programs.h"

namespace pixpress {
namespace {

constexpr uint64_t kGrantBytes = 16u << 20;

// One job at a time through a runner.
class Bench {
 public:
  explicit Bench(const std::string& program = kHookedWorker) : runner_(program) {}

  // All in one exchange.
  Status Run(std::vector<uint8_t> image, Settings settings = Settings()) {
    Take(std::move(image), settings);
    auto outcome = runner_.Plan(job(), kGrantBytes);
    if (!outcome.ok()) return outcome.status();
    if (!outcome.value().is_done) return Status(StatusCode::kMemoryLimit, "needs two steps");
    return Status();
  }
  // Plan first, then run, maybe after a wait for memory.
  Status RunInTwoSteps(std::vector<uint8_t> image, Settings settings = Settings(),
                       int wait_ms = 0) {
    Take(std::move(image), settings);
    auto outcome = runner_.Plan(job(), 0);
    if (!outcome.ok()) return outcome.status();
    EXPECT_FALSE(outcome.value().is_done);
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
    return runner_.Run(job(), outcome.value().memory_bytes);
  }
  std::vector<uint8_t> output() const {
    std::vector<uint8_t> bytes(result_.data->size_bytes());
    result_.data->CopyTo(bytes.data());
    return bytes;
  }
  const JobResult& result() const { return result_; }
  ChildRunner& runner() { return runner_; }
  StopSource stop;
  int64_t cpu_limit_ns = 0;
  bool has_spare_cpu = false;

 private:
  void Take(std::vector<uint8_t> image, const Settings& settings) {
    result_ = JobResult();
    image_ = std::move(image);
    spec_.settings = std::make_shared<const Settings>(settings);
    spec_.source.kind = Source::Kind::kBytes;
    spec_.source.bytes = image_;
  }
  IsolatedJob job() {
    return {.spec = spec_,
            .meter = meter_,
            .stop = StopToken(stop),
            .cpu_limit_ns = cpu_limit_ns,
            .has_spare_cpu = has_spare_cpu,
            .result = &result_};
  }

  ChildRunner runner_;
  BufferPool buffers_{size_t{1} << 30};
  Meter meter_{buffers_};
  std::vector<uint8_t> image_;
  JobSpec spec_;
  JobResult result_;
};

std::vector<uint8_t> Marked(const std::string& what) { return TestImage("pixpress-test:" + what); }

// "name=12;" in the message of a hook.
int Number(const Status& status, const std::string& name) {
  const size_t at = status.message().find(name + "=");
  EXPECT_NE(at, std::string::npos) << name << " in " << status.message();
  return at == std::string::npos ? -1 : std::stoi(status.message().substr(at + name.size() + 1));
}

std::vector<uint8_t> InThisProcess(const std::vector<uint8_t>& image, const Settings& settings) {
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>(settings);
  spec.source.kind = Source::Kind::kBytes;
  spec.source.bytes = image;
  OneShotJob job;
  EXPECT_TRUE(job.Run(spec).ok());
  std::vector<uint8_t> bytes(job.result().data->size_bytes());
  job.result().data->CopyTo(bytes.data());
  return bytes;
}

TEST(ChildRunner, GivesTheBytesOfThisProcessInOneExchangeAndInTwo) {
  Bench bench(kWorker);
  for (const Format format : {Format::kJpeg, Format::kPng, Format::kWebp, Format::kGif}) {
    Settings settings;
    settings.format = format;
    settings.width = 40;
    bench.has_spare_cpu = !bench.has_spare_cpu;
    const auto expected = InThisProcess(TestImage(), settings);
    ASSERT_TRUE(bench.Run(TestImage(), settings).ok());
    EXPECT_EQ(bench.output(), expected);
    EXPECT_EQ(bench.result().width, 40u);
    EXPECT_GT(bench.result().peak_memory_bytes, 0u);
    ASSERT_TRUE(bench.RunInTwoSteps(TestImage(), settings).ok());
    EXPECT_EQ(bench.output(), expected);
  }
  EXPECT_EQ(bench.runner().starts(), 1u);
}

TEST(ChildRunner, APlanOutlivesAWaitInWhichTheProcessGivesMemoryBack) {
  Bench bench(kWorker);
  const auto expected = InThisProcess(TestImage(), Settings());
  ASSERT_TRUE(bench.RunInTwoSteps(TestImage(), Settings(), /*wait_ms=*/100).ok());
  EXPECT_EQ(bench.output(), expected);
}

TEST(ChildRunner, FailuresOfTheImageAreTheJobsAndTheProcessStays) {
  Bench bench(kWorker);
  const Status unknown = bench.Run({'n', 'o', ' ', 'i', 'm', 'a', 'g', 'e'});
  EXPECT_EQ(unknown.code(), StatusCode::kUnidentifiedImage);
  EXPECT_EQ(unknown.stage(), Stage::kProbe);
  auto cut = TestImage();
  cut.resize(cut.size() / 2);
  EXPECT_EQ(bench.Run(cut).code(), StatusCode::kCorruptImage);
  EXPECT_EQ(bench.Run({}).code(), StatusCode::kUnidentifiedImage);
  EXPECT_TRUE(bench.Run(TestImage()).ok());
  EXPECT_EQ(bench.runner().starts(), 1u);
}

TEST(ChildRunner, ACrashFailsOneJobAndTheNextOneRunsInANewProcess) {
  Bench bench;
  const std::map<std::string, std::string> ends = {
      {"segfault", "signal 11"}, {"abort", "signal 6"}, {"exit", "exited with code 7"}};
  for (const auto& [what, words] : ends) {
    const Status status = bench.Run(Marked(what));
    EXPECT_EQ(status.code(), StatusCode::kWorkerCrashed) << what;
    if (!kIsSanitized) {
      EXPECT_NE(status.message().find(words), std::string::npos) << status.message();
    }
    EXPECT_EQ(bench.runner().pid(), 0);
    EXPECT_TRUE(bench.Run(TestImage()).ok());
  }
  EXPECT_EQ(bench.runner().starts(), 4u);
}

TEST(ChildRunner, AProcessThatIsKilledFromOutsideFailsOneJob) {
  Bench bench;
  ASSERT_TRUE(bench.Run(TestImage()).ok());
  kill(bench.runner().pid(), SIGKILL);
  const Status status = bench.Run(TestImage());
  EXPECT_EQ(status.code(), StatusCode::kWorkerCrashed);
  EXPECT_NE(status.message().find("signal 9"), std::string::npos) << status.message();
  EXPECT_TRUE(bench.Run(TestImage()).ok());
}

TEST(ChildRunner, AHangIsKilledSoonAfterTheJobsTimeIsOver) {
  Bench bench;
  ASSERT_TRUE(bench.Run(TestImage()).ok());
  const int64_t start_ns = Clock::System().NowNs();
  bench.stop.SetDeadline(&Clock::System(), start_ns + 100 * kNsPerMs);
  const Status status = bench.Run(Marked("hang"));
  EXPECT_EQ(status.code(), StatusCode::kTaskTimeout);
  EXPECT_GE(Clock::System().NowNs() - start_ns, 100 * kNsPerMs + ChildRunner::kKillGraceNs);
  EXPECT_EQ(bench.runner().pid(), 0);
}

TEST(ChildRunner, ACancelledHangIsKilled) {
  Bench bench;
  bench.stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(bench.Run(Marked("hang")).code(), StatusCode::kCancelled);
}

TEST(ChildRunner, CpuTimeBeyondTheLimitIsATimeOut) {
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer's start takes CPU time";
  Bench bench;
  bench.cpu_limit_ns = kNsPerMs;
  const Status status = bench.Run(Marked("hang"));
  EXPECT_EQ(status.code(), StatusCode::kTaskTimeout) << status.message();
}

TEST(ChildRunner, MemoryBeyondTheReservationIsAMemoryError) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers reserve terabytes";
  Bench bench;
  const Status status = bench.Run(Marked("memory"));
  EXPECT_EQ(status.code(), StatusCode::kMemoryLimit) << status.message();
  EXPECT_EQ(status.sys_errno(), 0);
  EXPECT_TRUE(bench.Run(TestImage()).ok());
  EXPECT_EQ(bench.runner().starts(), 1u);
}

TEST(ChildRunner, AFileBeyondTheReservationIsRefused) {
  Bench bench;
  const Status status = bench.Run(Marked("fill"));
  EXPECT_EQ(Number(status, "errno"), EFBIG);
  EXPECT_GE(Number(status, "written"), static_cast<int>(kGrantBytes));
  EXPECT_LE(Number(status, "written"), static_cast<int>(kGrantBytes + (9u << 20)));
}

TEST(ChildRunner, ADecoderReachesNothingOutside) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers run without the filter";
  Bench bench;
  const Status status = bench.Run(Marked("escape"));
  EXPECT_EQ(Number(status, "environment"), 0);
  EXPECT_NE(Number(status, "open"), 0);
  EXPECT_NE(Number(status, "create"), 0);
  EXPECT_NE(Number(status, "socket"), 0);
  EXPECT_NE(Number(status, "fork"), 0);
  EXPECT_NE(Number(status, "dup"), 0);
  if (bench.runner().filter_errno() != 0) GTEST_SKIP() << "no filter: only limits hold";
  for (const char* call :
       {"open", "create", "socket", "fork", "exec", "kill", "dup", "shrink", "raise", "code"}) {
    EXPECT_EQ(Number(status, call), EPERM) << call;
  }
}

TEST(ChildRunner, AnAnswerThatCannotBeEndsTheProcess) {
  Bench bench;
  for (const char* what : {"lie", "babble"}) {
    const Status status = bench.Run(Marked(what));
    EXPECT_EQ(status.code(), StatusCode::kWorkerCrashed);
    EXPECT_NE(status.message().find("cannot be"), std::string::npos) << status.message();
    EXPECT_EQ(bench.runner().pid(), 0);
  }
  EXPECT_TRUE(bench.Run(TestImage()).ok());
}

TEST(ChildRunner, AHeaderLongerThanTheHeadIsReadWhole) {
  // A JPEG whose application segments fill more than the head.
  Settings to_jpeg;
  to_jpeg.format = Format::kJpeg;
  const auto jpeg = InThisProcess(TestImage(), to_jpeg);
  std::vector<uint8_t> image = {0xFF, 0xD8};
  for (int i = 0; i < 6; ++i) {
    image.insert(image.end(), {0xFF, 0xEE, 0xFF, 0xFF});
    image.resize(image.size() + 0xFFFD);
  }
  image.insert(image.end(), jpeg.begin() + 2, jpeg.end());
  ASSERT_GT(image.size(), size_t{300'000});
  Bench bench(kWorker);
  ASSERT_TRUE(bench.RunInTwoSteps(image).ok());
  EXPECT_EQ(bench.output(), InThisProcess(image, Settings()));
}

TEST(ChildRunner, AnInputOfSeveralPartsArrivesWhole) {
  auto image = TestImage();
  image.resize(3'000'000, 0x5A);  // After the end: never decoded, but sent.
  Bench bench(kWorker);
  ASSERT_TRUE(bench.RunInTwoSteps(image).ok());
  EXPECT_EQ(bench.output(), InThisProcess(image, Settings()));
  EXPECT_EQ(bench.result().original_bytes, image.size());
}

}  // namespace
}  // namespace pixpress
