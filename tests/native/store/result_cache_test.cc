#include "store/result_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/clock.h"
#include "store/cache_entry.h"
#include "store/numbered_entries.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

TEST_F(ResultCacheTest, GivesBackWhatWasStoredAlsoToLaterProcesses) {
  const std::string large = PayloadOf(2, 3 << 20);
  {
    const auto cache = Open();
    EXPECT_EQ(Find(*cache, 1), "miss");
    EXPECT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
    EXPECT_TRUE(Store(*cache, 2, large).ok());
    EXPECT_TRUE(Store(*cache, 3, "").ok());
    EXPECT_TRUE(Store(*cache, 1, PayloadOf(9)).ok()) << "replaces";
  }
  const auto cache = Open();
  EXPECT_EQ(Find(*cache, 1), PayloadOf(9));
  EXPECT_EQ(Find(*cache, 2), large);
  EXPECT_EQ(Find(*cache, 3), "");
  EXPECT_EQ(cache->Used().value().entries, 3u);
  EXPECT_EQ(cache->Stats().hits, 3u);
  EXPECT_TRUE(cache->Clear().ok());
  EXPECT_EQ(Find(*cache, 1), "miss");
  EXPECT_EQ(cache->Used().value().bytes, 0u);
}

TEST_F(ResultCacheTest, AnyFlippedByteIsAMissAndDeletesTheEntry) {
  const auto cache = Open();
  ASSERT_TRUE(Store(*cache, 1, PayloadOf(1, 300)).ok());
  const std::string good = Read(EntryPath(1));
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    Write(EntryPath(1), bad);
    EXPECT_EQ(Find(*cache, 1), "miss") << at;
    EXPECT_FALSE(fs::exists(EntryPath(1))) << at;
  }
  EXPECT_EQ(cache->Stats().bad_entries, good.size());
  Write(EntryPath(1), good);
  EXPECT_EQ(Find(*cache, 1), PayloadOf(1, 300));
}

TEST_F(ResultCacheTest, ShorterLongerAndMisplacedEntriesAreMisses) {
  const auto cache = Open();
  ASSERT_TRUE(Store(*cache, 1, PayloadOf(1, 300)).ok());
  const std::string good = Read(EntryPath(1));
  for (size_t size = 0; size < good.size(); ++size) {
    Write(EntryPath(1), good.substr(0, size));
    EXPECT_EQ(Find(*cache, 1), "miss") << size;
  }
  Write(EntryPath(1), good + "x");
  EXPECT_EQ(Find(*cache, 1), "miss");
  Write(EntryPath(2), good);
  EXPECT_EQ(Find(*cache, 2), "miss") << "an entry of another key";
  fs::create_directory(EntryPath(3));
  EXPECT_EQ(Find(*cache, 3), "miss");
  EXPECT_EQ(cache->Stats().failures, 1u);
}

TEST_F(ResultCacheTest, TheLeastRecentlyUsedGoesFirst) {
  const auto cache = Open({.max_entries = 3, .max_bytes = 1 << 20});
  for (uint64_t number : {1, 2, 3}) ASSERT_TRUE(Store(*cache, number, PayloadOf(number)).ok());
  EXPECT_EQ(Find(*cache, 1), PayloadOf(1));  // Used last now.
  ASSERT_TRUE(Store(*cache, 4, PayloadOf(4)).ok());
  EXPECT_EQ(Find(*cache, 2), "miss");
  EXPECT_FALSE(fs::exists(EntryPath(2)));
  ASSERT_TRUE(Store(*cache, 5, PayloadOf(5)).ok());
  EXPECT_EQ(Find(*cache, 3), "miss");
  for (uint64_t number : {1, 4, 5}) EXPECT_EQ(Find(*cache, number), PayloadOf(number));
  EXPECT_EQ(cache->Stats().evicted, 2u);
}

TEST_F(ResultCacheTest, BytesAreBoundedBeforeTheWriteAndGiantsAreNotStored) {
  const uint64_t entry_bytes = CacheEntryBytes(NameOf(1), 5000);
  const auto cache = Open({.max_entries = 500, .max_bytes = 3 * entry_bytes});
  for (uint64_t number = 1; number <= 9; ++number) {
    ASSERT_TRUE(Store(*cache, number, PayloadOf(number)).ok());
    EXPECT_LE(cache->Used().value().bytes, 3 * entry_bytes);
  }
  EXPECT_EQ(cache->Used().value().entries, 3u);
  EXPECT_EQ(Store(*cache, 10, PayloadOf(10, 20'000)).sys_errno(), EFBIG);
  EXPECT_EQ(cache->Used().value().entries, 3u) << "nothing was evicted for it";
  EXPECT_EQ(cache->Stats().failures, 0u) << "nothing is wrong with the disk";
  const auto none = Open({.max_entries = 0, .max_bytes = 1 << 20});
  EXPECT_EQ(Store(*none, 1, "x").sys_errno(), EFBIG);
}

TEST_F(ResultCacheTest, WhatAKilledWriterLeftIsCleanedUp) {
  const auto cache = Open();
  const std::string leftover = Path("cache/." + Sha256::Of("x").Hex() + ".pxc.123-0-abc.tmp");
  Write(leftover, "half");
  ASSERT_TRUE(Store(*cache, 1, "x").ok());
  EXPECT_FALSE(fs::exists(leftover));
}

TEST_F(ResultCacheTest, AStoppedProcessDoesNotHoldUpTheOthers) {
  const auto cache = Open();
  ASSERT_TRUE(Store(*cache, 1, "x").ok());
  const int held = open(Path("cache/lock").c_str(), O_RDWR);
  ASSERT_EQ(flock(held, LOCK_EX), 0);
  // Of five only the first one waits; a busy machine may hold up any, but not always one more.
  const auto waits = [&] {
    int count = 0;
    for (int i = 0; i < 5; ++i) {
      const int64_t start_ns = Clock::System().NowNs();
      EXPECT_EQ(Store(*cache, 2, "y").sys_errno(), EAGAIN);
      count += Clock::System().NowNs() - start_ns >= 100 * kNsPerMs;
    }
    return count;
  };
  const int64_t end_ns = Clock::System().NowNs() + 60 * kNsPerSecond;
  while (waits() > 1) ASSERT_LT(Clock::System().NowNs(), end_ns);
  EXPECT_EQ(Find(*cache, 1), "x") << "reading needs no lock";
  close(held);
  EXPECT_TRUE(Store(*cache, 2, "y").ok());
}

// Stores and finds at random; the number of answers that were wrong.
int WrongAnswers(ResultCache& cache, const CacheLimits& limits, uint64_t seed,
                 std::string (*find)(ResultCache&, uint64_t),
                 Status (*store)(ResultCache&, uint64_t, const std::string&)) {
  int wrong = 0;
  for (int i = 0; i < 150; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const uint64_t number = (seed >> 33) % 40;
    const std::string right = PayloadOf(number, 1000 * (number + 1));
    if ((seed >> 60) % 2 == 0) {
      const Status status = store(cache, number, right);
      wrong += !status.ok() && status.sys_errno() != EAGAIN;
    } else {
      const std::string found = find(cache, number);
      wrong += found != "miss" && found != right;
    }
    const auto used = cache.Used();
    wrong += !used.ok() || used.value().entries > limits.max_entries;
    wrong += !used.ok() || used.value().bytes > limits.max_bytes;
  }
  return wrong;
}

TEST_F(ResultCacheTest, FourProcessesShareOneFolderWithinItsLimits) {
  const CacheLimits limits = {.max_entries = 12, .max_bytes = 200'000};
  std::vector<pid_t> children;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    children.push_back(
        Fork([&] { return WrongAnswers(*Open(limits), limits, seed, Find, Store); }));
  }
  for (const pid_t child : children) EXPECT_EQ(WaitFor(child), 0);
  EXPECT_GE(Open()->Used().value().entries, 4u);  // As many as fit of the largest.
}

TEST_F(ResultCacheTest, ThreadsShareOneCacheWithinItsLimits) {
  const CacheLimits limits = {.max_entries = 12, .max_bytes = 200'000};
  const auto cache = Open(limits);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&, seed] { wrong += WrongAnswers(*cache, limits, seed, Find, Store); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(cache->Stats().bad_entries, 0u);
  EXPECT_GT(cache->Stats().hits, 0u);
}

TEST_F(ResultCacheTest, KilledWritersLeaveNoEntryThatLies) {
  for (int round = 0; round < 10; ++round) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = Fork([&] {
      const auto cache = Open({.max_entries = 5, .max_bytes = 1 << 20});
      for (uint64_t i = 0;; ++i) {
        if (!Store(*cache, i % 8, PayloadOf(i % 8, 50'000)).ok()) return 1;
        if (write(ready[1], "x", 1) != 1) return 2;
      }
    });
    char bytes[16];
    for (int i = 0; i <= round; ++i) ASSERT_EQ(read(ready[0], bytes, 1), 1);
    kill(child, SIGKILL);
    EXPECT_EQ(WaitFor(child), -SIGKILL);
    close(ready[0]);
    close(ready[1]);
    const auto cache = Open({.max_entries = 5, .max_bytes = 1 << 20});
    for (uint64_t number = 0; number < 8; ++number) {
      const std::string found = Find(*cache, number);
      EXPECT_TRUE(found == "miss" || found == PayloadOf(number, 50'000));
    }
    EXPECT_EQ(cache->Stats().bad_entries, 0u) << "a rename is atomic";
  }
}

TEST_F(ResultCacheTest, AFullDiskIsAStatusAndWhatIsThereStays) {
  fs::create_directory(Path("cache"));
  if (mount("none", Path("cache").c_str(), "tmpfs", 0, "size=256k,mode=0700") != 0) {
    GTEST_SKIP() << "needs the right to mount a small tmpfs";
  }
  {
    const auto cache = Open();
    ASSERT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
    EXPECT_EQ(Store(*cache, 2, PayloadOf(2, 1 << 20)).sys_errno(), ENOSPC);
    EXPECT_EQ(Find(*cache, 2), "miss");
    EXPECT_EQ(Find(*cache, 1), PayloadOf(1));
    EXPECT_EQ(cache->Used().value().entries, 1u);
    EXPECT_EQ(std::distance(fs::directory_iterator(Path("cache")), {}), 2) << "entry and lock";
    EXPECT_TRUE(Store(*cache, 3, PayloadOf(3)).ok());
  }
  EXPECT_EQ(umount(Path("cache").c_str()), 0);
}

TEST_F(ResultCacheTest, WhatItsReaderDoesNotBelieveCanBeRemoved) {
  const auto cache = Open();
  const Sha256Digest key = Sha256::Of(NameOf(1));
  EXPECT_EQ(cache->EntryBytes(key), std::nullopt);
  ASSERT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
  EXPECT_EQ(cache->EntryBytes(key), CacheEntryBytes(NameOf(1), 5000));
  cache->Remove(key);
  EXPECT_EQ(cache->EntryBytes(key), std::nullopt);
  EXPECT_EQ(Find(*cache, 1), "miss");
}

}  // namespace
}  // namespace pixpress
