#include "engine/engine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "engine/scripted_engine.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

constexpr int64_t kForever = -1;

// Noise, so that nothing compresses it to nothing.
class Pixels {
 public:
  Pixels(uint32_t width, uint32_t height)
      : layout_(ImageLayout::Interleaved(width, height, ColorModel::kRgb, false)),
        bytes_(layout_.total_bytes()) {
    uint32_t state = 12345;
    for (uint8_t& byte : bytes_) {
      state = state * 1664525u + 1013904223u;
      byte = static_cast<uint8_t>(state >> 24);
    }
  }
  JobSpec Spec(Format format, std::string output_path = "") const {
    Settings settings;
    settings.format = format;
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>(settings);
    spec.source.kind = Source::Kind::kPixels;
    spec.source.name = "<pixels>";
    spec.source.layout = layout_;
    spec.source.bytes = bytes_;
    spec.source.stride_bytes = layout_.row_bytes(0);
    spec.output_path = std::move(output_path);
    return spec;
  }

 private:
  ImageLayout layout_;
  std::vector<uint8_t> bytes_;
};

EnginePtr MakeEngine(EngineOptions options = {}) {
  if (options.max_workers == 0) options.max_workers = 2;
  auto engine = Engine::Create(options);
  EXPECT_TRUE(engine.ok());
  return std::move(engine).value();
}

std::shared_ptr<Job> MustSubmit(Engine& engine, JobSpec spec) {
  auto job = engine.Submit(std::move(spec), Priority::kNormal, kForever);
  EXPECT_TRUE(job.ok()) << job.status().message();
  return std::move(job).value();
}

TEST(Engine, RunsAJobAndDeliversItsEventOnce) {
  const Pixels pixels(64, 48);
  const auto engine = MakeEngine();
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitJob(*job, 10 * kNsPerSecond));
  EXPECT_EQ(job->state.load(), JobState::kDone) << job->status.message();
  EXPECT_EQ(job->result.width, 64u);
  EXPECT_GT(job->result.compressed_bytes, 0u);
  EXPECT_LE(job->result.peak_memory_bytes, job->result.estimated_memory_bytes);
  std::vector<Event> events;
  ASSERT_TRUE(engine->WaitEvents(kNsPerSecond, &events));
  size_t ended = 0;
  for (const Event& event : events) ended += event.type == EventType::kTaskEnded ? 1 : 0;
  EXPECT_EQ(ended, 1u);
}

TEST(Engine, ResultsOutliveTheEngine) {
  const Pixels pixels(32, 32);
  auto engine = MakeEngine();
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitIdle(10 * kNsPerSecond));
  engine.reset();
  std::vector<uint8_t> copy(job->result.data->size_bytes());
  job->result.data->CopyTo(copy.data());
  EXPECT_EQ(copy[1], 'P');
}

TEST(Engine, AMissingFileFailsTheJobWithErrno) {
  const auto engine = MakeEngine();
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>();
  spec.source.name = "/nonexistent/photo.jpg";
  const auto job = MustSubmit(*engine, spec);
  ASSERT_TRUE(engine->WaitJob(*job, 10 * kNsPerSecond));
  EXPECT_EQ(job->status.code(), StatusCode::kInput);
  EXPECT_EQ(job->status.sys_errno(), ENOENT);
}

using EngineFiles = FolderTest;

TEST_F(EngineFiles, TheOutputIsWrittenAndNoOtherFileIsLeft) {
  const Pixels pixels(40, 40);
  const auto engine = MakeEngine();
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kJpeg, Path("a.jpg")));
  ASSERT_TRUE(engine->WaitIdle(60 * kNsPerSecond));
  EXPECT_EQ(job->state.load(), JobState::kDone) << job->status.message();
  EXPECT_EQ(Names(), std::vector<std::string>{"a.jpg"});
  EXPECT_EQ(std::filesystem::file_size(Path("a.jpg")), job->result.compressed_bytes);
}

TEST(Engine, AJobThatCanNeverFitFailsWithTheNumbers) {
  const Pixels pixels(2000, 2000);
  EngineOptions options;
  options.memory_limit_bytes = 4u << 20;
  const auto engine = MakeEngine(options);
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitJob(*job, 10 * kNsPerSecond));
  EXPECT_EQ(job->status.code(), StatusCode::kMemoryLimit);
  EXPECT_NE(job->status.message().find("4194304"), std::string::npos) << job->status.message();
}

TEST(Engine, ALimitBelowWhatAnyJobNeedsFailsThemAll) {
  const Pixels pixels(40, 40);
  EngineOptions options;
  options.memory_limit_bytes = 64u << 10;
  const auto engine = MakeEngine(options);
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitJob(*job, 60 * kNsPerSecond));
  EXPECT_EQ(job->status.code(), StatusCode::kMemoryLimit);
}

// As a job is that was queued again for its memory before the limit was lowered.
TEST(Engine, AJobThatWaitsForMoreThanTheLimitIsTriedAgain) {
  const Pixels pixels(8, 8);
  const FakeClock clock;
  EngineOptions options;
  options.max_workers = 1;
  options.memory_limit_bytes = 64u << 20;
  int attempts = 0;
  const auto attempt = [&](Job&, const AttemptContext&) {
    if (++attempts > 1) return Attempt{.status = Status(StatusCode::kMemoryLimit, "never")};
    return Attempt{.outcome = AttemptOutcome::kBlocked, .needed_bytes = 128u << 20};
  };
  const EnginePtr engine(new EngineImpl(
      WithDefaults(options), EngineParts{.clock = clock, .attempt = attempt, .journal = nullptr}));
  const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitJob(*job, 60 * kNsPerSecond));
  EXPECT_EQ(job->status.code(), StatusCode::kMemoryLimit);
  EXPECT_EQ(attempts, 2);
}

TEST(Engine, CancelledJobsEndAsCancelledAndGiveAnEvent) {
  const Pixels big(1500, 1500);
  EngineOptions options;
  options.max_workers = 1;
  const auto engine = MakeEngine(options);
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(MustSubmit(*engine, big.Spec(Format::kPng)));
  for (const auto& job : jobs) {
    const bool cancelled = engine->Cancel(job);
    ASSERT_TRUE(engine->WaitJob(*job, 10 * kNsPerSecond));
    EXPECT_EQ(job->state.load() == JobState::kCancelled, cancelled);
  }
  EXPECT_TRUE(engine->WaitIdle(10 * kNsPerSecond));
  EXPECT_EQ(engine->Stats().queued, 0u);
  EXPECT_EQ(engine->Stats().reserved_bytes, 0u);
}

TEST(Engine, AFullQueueRefusesWithoutWaiting) {
  const Pixels big(1500, 1500);
  EngineOptions options;
  options.max_workers = 1;
  options.max_queue = 1;
  const auto engine = MakeEngine(options);
  bool refused = false;
  for (int i = 0; i < 5 && !refused; ++i) {
    const auto job = engine->Submit(big.Spec(Format::kPng), Priority::kNormal, 0);
    refused = !job.ok();
    if (refused) {
      EXPECT_EQ(job.status().code(), StatusCode::kQueueFull);
    }
  }
  EXPECT_TRUE(refused);
  engine->CancelAll(/*running_too=*/true);
}

TEST(Engine, AClosedIntakeRefuses) {
  const Pixels pixels(8, 8);
  const auto engine = MakeEngine();
  engine->CloseIntake();
  const auto job = engine->Submit(pixels.Spec(Format::kPng), Priority::kNormal, kForever);
  EXPECT_EQ(job.status().code(), StatusCode::kPoolClosed);
}

TEST(Engine, ATightBudgetStillFinishesEveryJob) {
  const Pixels pixels(500, 500);
  const auto roomy = MakeEngine(EngineOptions());
  const auto alone = MustSubmit(*roomy, pixels.Spec(Format::kPng));
  ASSERT_TRUE(roomy->WaitJob(*alone, 60 * kNsPerSecond));
  EngineOptions options;
  options.max_workers = 4;
  options.memory_limit_bytes = alone->result.estimated_memory_bytes * 3 / 2;
  const auto engine = MakeEngine(options);
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 40; ++i) jobs.push_back(MustSubmit(*engine, pixels.Spec(Format::kPng)));
  ASSERT_TRUE(engine->WaitIdle(60 * kNsPerSecond));
  for (const auto& job : jobs) {
    EXPECT_EQ(job->state.load(), JobState::kDone) << job->status.message();
  }
}

TEST(Engine, ATimeoutStopsARunningJob) {
  const Pixels big(2500, 2500);
  EngineOptions options;
  options.task_timeout_ns = kNsPerMs;
  const auto engine = MakeEngine(options);
  const auto job = MustSubmit(*engine, big.Spec(Format::kPng));
  ASSERT_TRUE(engine->WaitJob(*job, 30 * kNsPerSecond));
  EXPECT_EQ(job->status.code(), StatusCode::kTaskTimeout) << job->status.message();
}

TEST(Engine, TheBytesDoNotDependOnTheNumberOfWorkers) {
  const Pixels pixels(1300, 1200);
  std::vector<std::vector<uint8_t>> outputs;
  for (const uint32_t workers : {1u, 3u}) {
    EngineOptions options;
    options.max_workers = workers;
    const auto engine = MakeEngine(options);
    const auto job = MustSubmit(*engine, pixels.Spec(Format::kPng));
    ASSERT_TRUE(engine->WaitIdle(60 * kNsPerSecond));
    ASSERT_TRUE(job->result.data.has_value());
    outputs.emplace_back(job->result.data->size_bytes());
    job->result.data->CopyTo(outputs.back().data());
  }
  EXPECT_EQ(outputs[0], outputs[1]);
}

}  // namespace
}  // namespace pixpress
