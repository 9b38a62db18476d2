#include <gtest/gtest.h>

#include <cerrno>

#include "engine/scripted_engine.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

Status Passing() { return Status(StatusCode::kInput, "too many open files", EMFILE); }

TEST(Retry, APassingFailureIsTriedAgainWithoutAWorkerAndKeepsItsSubmitTime) {
  ScriptedEngine scripted;
  scripted.Script("a", {Passing(), Status()});
  const auto job = scripted.Submit("a");
  const int64_t submitted_ns = job->key.submit_time_ns;
  const Event retry = scripted.WaitFor(EventType::kTaskRetry);
  EXPECT_EQ(retry.status.sys_errno(), EMFILE);
  EXPECT_GE(retry.delay_ns, 0);
  EXPECT_LT(retry.delay_ns, kNsPerSecond);
  EXPECT_EQ(scripted.engine().Stats().retrying, 1u);
  EXPECT_EQ(scripted.engine().Stats().running, 0u);
  EXPECT_EQ(scripted.engine().Stats().queued, 0u);
  scripted.Advance(kNsPerSecond);
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  EXPECT_EQ(job->state.load(), JobState::kDone);
  EXPECT_EQ(job->attempts, 2u);
  EXPECT_EQ(job->retries, 1u);
  EXPECT_EQ(job->key.retries, 1u);
  EXPECT_EQ(job->key.submit_time_ns, submitted_ns);
}

TEST(Retry, EndsAfterMaxRetries) {
  EngineOptions options;
  options.max_retries = 2;
  ScriptedEngine scripted(options);
  scripted.Script("a", {Passing()});
  const auto job = scripted.Submit("a");
  for (int retry = 0; retry < 2; ++retry) {
    scripted.WaitFor(EventType::kTaskRetry);
    scripted.Advance(30 * kNsPerSecond);
  }
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  EXPECT_EQ(job->state.load(), JobState::kFailed);
  EXPECT_EQ(job->attempts, 3u);
  EXPECT_EQ(job->status.sys_errno(), EMFILE);
}

TEST(Retry, OtherFailuresEndTheJobAtOnce) {
  ScriptedEngine scripted;
  const std::vector<Status> lasting = {
      Status(StatusCode::kCorruptImage, "bad"), Status(StatusCode::kOutput, "full", ENOSPC),
      Status(StatusCode::kInput, "denied", EACCES), Status(StatusCode::kInput, "missing", ENOENT)};
  for (size_t i = 0; i < lasting.size(); ++i) {
    const std::string name = "job" + std::to_string(i);
    scripted.Script(name, {lasting[i]});
    const auto job = scripted.Submit(name);
    EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
    EXPECT_EQ(job->status.code(), lasting[i].code());
    EXPECT_EQ(job->attempts, 1u);
  }
}

using RetryOfFiles = FolderTest;

TEST_F(RetryOfFiles, AFileThatWasThereAtSubmissionIsTriedAgainWhenItIsMissing) {
  const std::string path = Path("a");
  Write(path, "here");
  ScriptedEngine scripted;
  scripted.Script(path, {Status(StatusCode::kInput, "missing", ENOENT), Status()});
  const auto job = scripted.Submit(path);
  scripted.WaitFor(EventType::kTaskRetry);
  scripted.Advance(kNsPerSecond);
  EXPECT_TRUE(scripted.engine().WaitJob(*job, -1));
  EXPECT_EQ(job->state.load(), JobState::kDone);
}

TEST(Retry, AWaitingRetryCanBeCancelledAndReprioritized) {
  ScriptedEngine scripted;
  scripted.Script("a", {Passing()});
  const auto job = scripted.Submit("a");
  scripted.WaitFor(EventType::kTaskRetry);
  EXPECT_TRUE(scripted.engine().SetPriority(job->id, Priority::kHigh).value());
  EXPECT_EQ(job->key.priority, Priority::kHigh);
  EXPECT_TRUE(scripted.engine().Cancel(job));
  EXPECT_EQ(job->state.load(), JobState::kCancelled);
  EXPECT_EQ(scripted.engine().Stats().retrying, 0u);
  scripted.Advance(60 * kNsPerSecond);
  EXPECT_EQ(scripted.order().size(), 1u);
}

TEST(Retry, ABrokenDiskDoesNotMultiplyTheLoad) {
  ScriptedEngine scripted;
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "job" + std::to_string(i);
    scripted.Script(name, {Passing()});
    jobs.push_back(scripted.Submit(name));
  }
  while (!scripted.engine().WaitIdle(0)) scripted.Advance(30 * kNsPerSecond);
  uint32_t retries = 0;
  for (const auto& job : jobs) retries += job->retries;
  EXPECT_EQ(retries, 20u);  // 10 to spare and a tenth.
}

}  // namespace
}  // namespace pixpress
