#include "engine/job_cache.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

class JobCacheTest : public FolderTest {
 protected:
  std::unique_ptr<JobCache> Open() const {
    auto cache = JobCache::Open(Path("cache"), {});
    EXPECT_TRUE(cache.ok()) << cache.status().message();
    return std::move(cache).value();
  }
  std::shared_ptr<Job> FileJob(const std::string& path) {
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>();
    spec.source.name = path;
    return std::make_shared<Job>(++last_id_, std::move(spec), buffers_);
  }
  std::shared_ptr<Job> BytesJob(const std::string& bytes) {
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>();
    spec.source.kind = Source::Kind::kBytes;
    const std::string& kept = *images_.insert(bytes).first;
    spec.source.bytes = {reinterpret_cast<const uint8_t*>(kept.data()), kept.size()};
    return std::make_shared<Job>(++last_id_, std::move(spec), buffers_);
  }
  static void Succeed(Job& job, const std::string& output) {
    JobResult& result = job.result;
    result.data.emplace(job.meter);
    ASSERT_TRUE(
        result.data->Append({reinterpret_cast<const uint8_t*>(output.data()), output.size()}).ok());
    result.format = Format::kWebp;
    result.width = 30;
    result.height = 20;
    result.original_bytes = 1000;
    result.compressed_bytes = output.size();
    result.quality = 77;
    result.skipped_reason = SkippedReason::kNotSmaller;
    result.warnings = {"one", "two"};
  }
  static std::string OutputOf(const Job& job) {
    if (!job.result.data.has_value()) return "nothing";
    std::string bytes(job.result.data->size_bytes(), '\0');
    job.result.data->CopyTo(reinterpret_cast<uint8_t*>(bytes.data()));
    return bytes;
  }
  size_t Entries() const {
    size_t count = 0;
    for (const auto& file : fs::directory_iterator(Path("cache"))) {
      count += file.path().extension() == ".pxc";
    }
    return count;
  }

  const std::shared_ptr<BufferPool> buffers_ = std::make_shared<BufferPool>(64u << 20);
  std::set<std::string> images_;  // Jobs borrow them.
  TaskId last_id_ = 0;
};

TEST_F(JobCacheTest, AnswersWithAllThatTheFirstJobHad) {
  Write(Path("a"), "image");
  const auto first = FileJob(Path("a"));
  {
    const auto cache = Open();
    ASSERT_TRUE(cache->FindKey(*first));
    EXPECT_EQ(cache->AnswerBytes(*first), std::nullopt);
    EXPECT_FALSE(cache->Answer(*first));
    Succeed(*first, std::string(100'000, 'o'));
    EXPECT_TRUE(cache->Keep(*first));
  }
  const auto cache = Open();
  const auto second = FileJob(Path("a"));
  ASSERT_TRUE(cache->FindKey(*second));
  const uint64_t answer_bytes = cache->AnswerBytes(*second).value();
  ASSERT_TRUE(cache->Answer(*second));
  EXPECT_EQ(OutputOf(*second), std::string(100'000, 'o'));
  EXPECT_LE(second->meter.peak_bytes(), answer_bytes);
  const JobResult& result = second->result;
  EXPECT_EQ(result.format, Format::kWebp);
  EXPECT_EQ(result.width, 30u);
  EXPECT_EQ(result.height, 20u);
  EXPECT_EQ(result.original_bytes, 1000u);
  EXPECT_EQ(result.compressed_bytes, 100'000u);
  EXPECT_EQ(result.quality, 77);
  EXPECT_EQ(result.skipped_reason, SkippedReason::kNotSmaller);
  EXPECT_EQ(result.warnings, first->result.warnings);
  EXPECT_EQ(cache->Stats().hits, 1u);
}

TEST_F(JobCacheTest, SmallAndEmptyAnswersStayWithinWhatIsReservedForThem) {
  const auto cache = Open();
  for (const size_t size : {0, 1, 1000, 65'000, 66'000, 3'000'000}) {
    const std::string image = std::to_string(size);
    const auto first = BytesJob(image);
    const auto second = BytesJob(image);
    ASSERT_TRUE(cache->FindKey(*first) && cache->FindKey(*second));
    Succeed(*first, std::string(size, 'o'));
    ASSERT_TRUE(cache->Keep(*first));
    const uint64_t answer_bytes = cache->AnswerBytes(*second).value();
    ASSERT_TRUE(cache->Answer(*second));
    EXPECT_EQ(OutputOf(*second).size(), size);
    EXPECT_LE(second->meter.peak_bytes(), answer_bytes) << size;
  }
}

TEST_F(JobCacheTest, NothingIsKeptOfASalvagedImage) {
  const auto cache = Open();
  const auto job = BytesJob("image");
  ASSERT_TRUE(cache->FindKey(*job));
  Succeed(*job, "output");
  job->result.is_salvaged = true;
  EXPECT_FALSE(cache->Keep(*job));
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(JobCacheTest, NothingIsKeptOfAFileThatChangedMeanwhile) {
  Write(Path("a"), "image");
  const auto cache = Open();
  const auto job = FileJob(Path("a"));
  ASSERT_TRUE(cache->FindKey(*job));
  Succeed(*job, "output");
  Write(Path("a"), "longer image");
  EXPECT_FALSE(cache->Keep(*job));
  fs::remove(Path("a"));
  EXPECT_FALSE(cache->Keep(*job));
  EXPECT_EQ(Entries(), 0u);
  EXPECT_EQ(cache->Stats().last_errno, 0) << "nothing is wrong with the disk";
}

// Two contents of one size within one tick of the kernel's clock: path, size and times are the
// same.
TEST_F(JobCacheTest, AChangeThatNoTimeShowsIsSeenInTheContent) {
  const auto cache = Open();
  const auto first = BytesJob("image");
  ASSERT_TRUE(cache->FindKey(*first));
  first->cache_key->content = Sha256::Of("image");
  Succeed(*first, "output");
  ASSERT_TRUE(cache->Keep(*first));

  const auto same_later = FileJob(Path("a"));
  same_later->cache_key = CacheKey{.digest = first->cache_key->digest, .content = {}};
  Write(Path("a"), "image");
  EXPECT_TRUE(cache->Answer(*same_later)) << "the file is read, and is the same";
  EXPECT_EQ(OutputOf(*same_later), "output");
  Write(Path("a"), "other");
  EXPECT_FALSE(cache->Answer(*same_later));
  EXPECT_EQ(Entries(), 0u) << "and the entry is gone";

  ASSERT_TRUE(cache->Keep(*first));
  const auto other = FileJob(Path("a"));
  other->cache_key = CacheKey{.digest = first->cache_key->digest, .content = Sha256::Of("other")};
  EXPECT_FALSE(cache->Answer(*other));
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(JobCacheTest, AFailingDiskIsToldOnceAndCountedAlways) {
  std::vector<int> told;
  const auto cache = Open();
  cache->SetOnFailure([&](const Status& status) { told.push_back(status.sys_errno()); });
  fs::remove_all(Path("cache"));
  Write(Path("cache"), "in the way");
  const auto job = BytesJob("image");
  ASSERT_TRUE(cache->FindKey(*job));
  EXPECT_EQ(cache->AnswerBytes(*job), std::nullopt);
  Succeed(*job, "output");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(cache->Keep(*job));
  EXPECT_EQ(told, std::vector{ENOTDIR});
  EXPECT_EQ(cache->Stats().store.failures, 3u);
  EXPECT_EQ(cache->Stats().last_errno, ENOTDIR);
  fs::remove(Path("cache"));
  EXPECT_TRUE(cache->Keep(*job));
  EXPECT_EQ(cache->Stats().last_errno, 0) << "it works again";
}

TEST_F(JobCacheTest, AFolderThatCanNeverBeACacheIsAnOptionThatIsWrong) {
  Write(Path("file"), "x");
  const auto cache = JobCache::Open(Path("file"), {});
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.status().code(), StatusCode::kOption);
  EXPECT_NE(cache.status().message().find(Path("file")), std::string::npos);
}

}  // namespace
}  // namespace pixpress
