#include "engine/isolated_attempt.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "worker_programs.h"

namespace pixpress {
namespace {

class Isolated {
 public:
  explicit Isolated(bool isolate_jobs, size_t memory_limit_bytes = 0) {
    EngineOptions options;
    options.max_workers = 1;
    options.isolate_jobs = isolate_jobs;
    options.worker_program = kHookedWorker;
    options.memory_limit_bytes = memory_limit_bytes;
    auto engine = Engine::Create(options);
    EXPECT_TRUE(engine.ok()) << engine.status().message();
    engine_ = std::move(engine).value();
  }

  // `image` stays where it is until the job has ended.
  std::shared_ptr<Job> Run(const std::vector<uint8_t>& image, bool isolate,
                           OnDamage on_damage = OnDamage::kError) {
    JobSpec spec;
    Settings settings;
    settings.on_damage = on_damage;
    spec.settings = std::make_shared<const Settings>(settings);
    spec.source.kind = Source::Kind::kBytes;
    spec.source.name = "<bytes>";
    spec.source.bytes = image;
    spec.isolate = isolate;
    return Run(std::move(spec));
  }
  std::shared_ptr<Job> Run(JobSpec spec) {
    auto job = engine_->Submit(std::move(spec), Priority::kNormal, -1);
    EXPECT_TRUE(job.ok());
    EXPECT_TRUE(engine_->WaitJob(*job.value(), -1));
    return job.value();
  }
  double Health(const std::string& name) {
    for (const auto& [found, value] : engine_->Health()) {
      if (found == name) return value;
    }
    return -1;
  }
  Engine& engine() { return *engine_; }

 private:
  EnginePtr engine_;
};

TEST(IsolatedAttempt, ASuspectGetsAProcessWhereOthersRunOnThreads) {
  Isolated isolated(/*isolate_jobs=*/false);
  const auto image = TestImage();
  const auto crash = TestImage("pixpress-test:segfault");
  EXPECT_TRUE(isolated.Run(image, false)->status.ok());
  EXPECT_EQ(isolated.Health("process_starts"), 0);
  EXPECT_EQ(isolated.Run(crash, true)->status.code(), StatusCode::kWorkerCrashed);
  EXPECT_TRUE(isolated.Run(image, true)->status.ok());
  EXPECT_TRUE(isolated.Run(image, false)->status.ok());
  EXPECT_EQ(isolated.Health("process_starts"), 2);
  EXPECT_EQ(isolated.Health("worker_processes"), 0);  // None is kept.
}

TEST(IsolatedAttempt, OneCrashBlacklistsASuspectAndTwoAnyOther) {
  const auto crash = TestImage("pixpress-test:segfault");
  Isolated suspects(/*isolate_jobs=*/false);
  EXPECT_EQ(suspects.Run(crash, true)->status.code(), StatusCode::kWorkerCrashed);
  EXPECT_EQ(suspects.Run(crash, true)->status.code(), StatusCode::kBlacklisted);
  Isolated others(/*isolate_jobs=*/true);
  EXPECT_EQ(others.Run(crash, false)->status.code(), StatusCode::kWorkerCrashed);
  EXPECT_TRUE(others.engine().Blacklisted().empty());
  EXPECT_EQ(others.Run(crash, false)->status.code(), StatusCode::kWorkerCrashed);
  EXPECT_EQ(others.Run(crash, false)->status.code(), StatusCode::kBlacklisted);
}

TEST(IsolatedAttempt, WhoSalvagesTriesWhatIsListedForDamageButNotForACrash) {
  Isolated isolated(/*isolate_jobs=*/false);
  const auto whole = TestImage();
  // All rows, but not the end.
  const std::vector<uint8_t> damaged(whole.begin(), whole.end() - 20);
  EXPECT_EQ(isolated.Run(damaged, false)->status.code(), StatusCode::kCorruptImage);
  EXPECT_EQ(isolated.Run(damaged, false)->status.code(), StatusCode::kBlacklisted);
  const auto salvaged = isolated.Run(damaged, false, OnDamage::kSalvage);
  EXPECT_TRUE(salvaged->status.ok()) << salvaged->status.message();
  const auto crash = TestImage("pixpress-test:segfault");
  const auto died = isolated.Run(crash, true, OnDamage::kSalvage);
  EXPECT_EQ(died->status.code(), StatusCode::kWorkerCrashed);
  const auto listed = isolated.Run(crash, true, OnDamage::kSalvage);
  EXPECT_EQ(listed->status.code(), StatusCode::kBlacklisted);
}

TEST(IsolatedAttempt, AJobThatCanNeverFitFailsWithTheNumbers) {
  Isolated isolated(/*isolate_jobs=*/true, 1u << 20);
  const std::vector<uint8_t> pixels(2000 * 2000 * 3);
  Settings settings;
  settings.format = Format::kPng;
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>(settings);
  spec.source.kind = Source::Kind::kPixels;
  spec.source.layout = ImageLayout::Interleaved(2000, 2000, ColorModel::kRgb, false);
  spec.source.stride_bytes = spec.source.layout.row_bytes(0);
  spec.source.bytes = pixels;
  const auto job = isolated.Run(std::move(spec));
  EXPECT_EQ(job->status.code(), StatusCode::kMemoryLimit);
  EXPECT_NE(job->status.message().find("memory_limit is 1048576"), std::string::npos);
  // The copy of the pixels is memory of the job.
  EXPECT_GT(std::stoull(job->status.message().substr(job->status.message().find("needs ") + 6)),
            pixels.size());
}

TEST(IsolatedAttempt, WhatPillowHasDecodedIsRefused) {
  Isolated isolated(/*isolate_jobs=*/true);
  const std::vector<uint8_t> pixels(8 * 8 * 3);
  JobSpec spec;
  spec.settings = std::make_shared<const Settings>();
  spec.source.kind = Source::Kind::kPixels;
  spec.source.layout = ImageLayout::Interleaved(8, 8, ColorModel::kRgb, false);
  spec.source.stride_bytes = spec.source.layout.row_bytes(0);
  spec.source.bytes = pixels;
  spec.source.imported = std::make_shared<const Imported>();
  EXPECT_EQ(isolated.Run(std::move(spec))->status.code(), StatusCode::kOption);
}

TEST(IsolatedAttempt, AnEngineWithoutItsProgramIsRefused) {
  EngineOptions options;
  options.isolate_jobs = true;
  options.worker_program = "/nowhere/worker";
  const auto engine = Engine::Create(options);
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.status().code(), StatusCode::kOption);
  EXPECT_NE(engine.status().message().find("/nowhere/worker"), std::string::npos);
}

TEST(IsolatedAttempt, ProcessesEndWithTheLastJobOfAClosedEngine) {
  Isolated isolated(/*isolate_jobs=*/true);
  EXPECT_TRUE(isolated.Run(TestImage(), false)->status.ok());
  EXPECT_EQ(isolated.Health("worker_processes"), 1);
  isolated.engine().CloseIntake();
  while (isolated.Health("worker_processes") != 0) std::this_thread::yield();
}

}  // namespace
}  // namespace pixpress
