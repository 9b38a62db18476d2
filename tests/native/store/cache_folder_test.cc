// Who may have the folder of a cache, and what may become of it meanwhile.

#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "store/numbered_entries.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

using CacheFolderTest = ResultCacheTest;

TEST_F(CacheFolderTest, TheFolderIsPrivateAndOnlyItsOwnFilesAreTouched) {
  fs::create_directory(Path("cache"));
  chmod(Path("cache").c_str(), 0755);
  Write(Path("cache/mine.txt"), "mine");
  Write(Path("cache/.note.tmp"), "mine");
  const auto cache = Open({.max_entries = 1, .max_bytes = 1 << 20});
  struct stat st;
  ASSERT_EQ(stat(Path("cache").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
  for (uint64_t number = 1; number <= 3; ++number) ASSERT_TRUE(Store(*cache, number, "x").ok());
  EXPECT_TRUE(cache->Clear().ok());
  EXPECT_EQ(Read(Path("cache/mine.txt")), "mine");
  EXPECT_EQ(Read(Path("cache/.note.tmp")), "mine");
  Write(Path("file"), "x");
  Status problem;
  EXPECT_EQ(ResultCache::Open(Path("file"), {}, &problem).status().sys_errno(), ENOTDIR);
  EXPECT_EQ(ResultCache::Open("", {}, &problem).status().code(), StatusCode::kOutput);
  fs::create_directory_symlink(Path("cache"), Path("link"));
  EXPECT_EQ(ResultCache::Open(Path("link"), {}, &problem).status().sys_errno(), ENOTDIR);
  if (geteuid() == 0) {
    fs::create_directory(Path("others"));
    ASSERT_EQ(chown(Path("others").c_str(), 12345, 12345), 0);
    EXPECT_EQ(ResultCache::Open(Path("others"), {}, &problem).status().sys_errno(), EPERM);
  }
}

TEST_F(CacheFolderTest, AFolderThatWasDeletedIsMadeAgain) {
  const auto cache = Open();
  fs::remove_all(Path("cache"));
  EXPECT_EQ(Find(*cache, 1), "miss");
  EXPECT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
  EXPECT_EQ(Find(*cache, 1), PayloadOf(1));
}

TEST_F(CacheFolderTest, WhatCannotBeMadeNowIsTriedAgainByEveryStore) {
  Write(Path("parent"), "in the way");
  Status problem;
  EXPECT_EQ(ResultCache::Open(Path("parent/cache"), {}, &problem).status().sys_errno(), ENOTDIR)
      << "for ever";
  fs::remove(Path("parent"));
  if (mount("none", folder_.c_str(), "tmpfs", MS_RDONLY, "") != 0) {
    GTEST_SKIP() << "needs the right to mount a tmpfs";
  }
  auto opened = ResultCache::Open(Path("parent/cache"), {}, &problem);
  ASSERT_TRUE(opened.ok());
  const auto cache = std::move(opened).value();
  EXPECT_EQ(problem.sys_errno(), EROFS);
  EXPECT_EQ(Store(*cache, 1, PayloadOf(1)).sys_errno(), EROFS);
  EXPECT_EQ(Find(*cache, 1), "miss");
  EXPECT_EQ(cache->Stats().failures, 1u);
  EXPECT_EQ(umount(folder_.c_str()), 0);
  EXPECT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
  EXPECT_EQ(Find(*cache, 1), PayloadOf(1));
}

TEST_F(CacheFolderTest, AFolderThatSomebodyElsePutInItsPlaceIsNotBelieved) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give a folder away";
  const auto cache = Open();
  ASSERT_TRUE(Store(*cache, 1, PayloadOf(1)).ok());
  ASSERT_EQ(chown(Path("cache").c_str(), 12345, 12345), 0);
  EXPECT_EQ(Find(*cache, 1), "miss");
  EXPECT_EQ(Store(*cache, 2, PayloadOf(2)).sys_errno(), EPERM);
  ASSERT_EQ(chown(Path("cache").c_str(), 0, 0), 0);
  EXPECT_EQ(Find(*cache, 1), PayloadOf(1));
}

// A child that was forked while an entry was stored has the lock's descriptor too.
TEST_F(CacheFolderTest, AForkedChildDoesNotKeepTheFolderLocked) {
  const auto cache = Open();
  std::atomic<uint64_t> stores{0}, failures{0};
  std::atomic<bool> is_over{false};
  std::thread writer([&] {
    while (!is_over.load()) {
      failures += !Store(*cache, stores % 4, PayloadOf(stores % 4, 1 << 20)).ok();
      ++stores;
    }
  });
  std::vector<pid_t> children;
  for (uint64_t i = 0; i < 30; ++i) {
    while (stores.load() < i) std::this_thread::yield();
    children.push_back(Fork([] { return pause(); }));
  }
  is_over.store(true);
  writer.join();
  EXPECT_EQ(failures, 0u);
  EXPECT_TRUE(Store(*Open(), 9, PayloadOf(9)).ok());
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    EXPECT_EQ(WaitFor(child), -SIGKILL);
  }
}

}  // namespace
}  // namespace pixpress
