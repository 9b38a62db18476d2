#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/output_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
 protected:
  AtomicFileTest() {
    std::string pattern = (fs::temp_directory_path() / "pixpress-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~AtomicFileTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  Status Write(const std::string& path, const std::string& text, AtomicFileOptions options = {}) {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(text.data()),
                                         text.size());
    const std::span<const uint8_t> chunks[] = {bytes.first(bytes.size() / 2),
                                               bytes.subspan(bytes.size() / 2)};
    return WriteFileAtomically(path, chunks, options);
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  static AtomicFileOptions When(Overwrite overwrite) {
    AtomicFileOptions options;
    options.overwrite = overwrite;
    return options;
  }
  static AtomicFileOptions Below(const fs::path& root) {
    AtomicFileOptions options;
    options.root = root.string();
    return options;
  }

  fs::path folder_;
};

TEST_F(AtomicFileTest, WritesAllChunksAndLeavesNoTemporaryFile) {
  AtomicFileOptions options;
  options.durable = true;
  ASSERT_TRUE(Write(Path("a"), "hello", options).ok());
  EXPECT_EQ(Read("a"), "hello");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(AtomicFileTest, KeepsTheModeOfAReplacedFile) {
  ASSERT_TRUE(Write(Path("a"), "old").ok());
  chmod(Path("a").c_str(), 0640);
  ASSERT_TRUE(Write(Path("a"), "new").ok());
  EXPECT_EQ(IdentifyFile(Path("a")).value().mode & 0777, 0640u);
}

TEST_F(AtomicFileTest, NeverAndSmallerRefuseAndLeaveTheOldFile) {
  ASSERT_TRUE(Write(Path("a"), "four").ok());
  EXPECT_EQ(Write(Path("a"), "x", When(Overwrite::kNever)).code(), StatusCode::kOutputExists);
  EXPECT_EQ(Write(Path("a"), "5678", When(Overwrite::kSmaller)).code(), StatusCode::kOutputExists);
  EXPECT_EQ(Read("a"), "four");
  EXPECT_TRUE(Write(Path("a"), "3", When(Overwrite::kSmaller)).ok());
  EXPECT_EQ(Read("a"), "3");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(AtomicFileTest, OneOfManyRacingNeverWritersWins) {
  std::atomic<int> won{0}, refused{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      const Status status = Write(Path("a"), std::to_string(i), When(Overwrite::kNever));
      if (status.ok()) ++won;
      if (status.code() == StatusCode::kOutputExists) ++refused;
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(refused, 7);
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(AtomicFileTest, ReplacesASymbolicLinkWithoutWritingThroughIt) {
  ASSERT_TRUE(Write(Path("target"), "safe").ok());
  fs::create_symlink(Path("target"), Path("link"));
  ASSERT_TRUE(Write(Path("link"), "new").ok());
  EXPECT_EQ(Read("target"), "safe");
  EXPECT_FALSE(fs::is_symlink(Path("link")));
}

TEST_F(AtomicFileTest, MissingFolderAndFolderAsTargetAreOutputErrors) {
  EXPECT_EQ(Write(Path("none/a"), "x").sys_errno(), ENOENT);
  EXPECT_EQ(Write(folder_.string(), "x").sys_errno(), EISDIR);
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(AtomicFileTest, RootMakesFoldersAndKeepsOutputsBelowIt) {
  const fs::path root = folder_ / "root";
  fs::create_directory(root);
  fs::create_directory_symlink(folder_, root / "out");
  ASSERT_TRUE(Write("x/y/a", "in", Below(root)).ok());
  EXPECT_EQ(Read("root/x/y/a"), "in");
  for (const char* path : {"../a", "x/../../a", "out/a", "/tmp/a"}) {
    EXPECT_EQ(Write(path, "out", Below(root)).code(), StatusCode::kOutput) << path;
    EXPECT_FALSE(OpenOutputFolder(path, root.string(), Confinement::kComponents).ok()) << path;
  }
  EXPECT_TRUE(OpenOutputFolder("p/q/a", root.string(), Confinement::kComponents).ok());
  EXPECT_TRUE(fs::is_directory(root / "p/q"));
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(AtomicFileTest, LeftoversOfOneKilledJobAreRemovedAndNoOthers) {
  const std::string name =
      std::string(158, 'a') + "\u00e4\u00e4.jpg";  // Longer than is kept of it.
  const std::string kept = "." + std::string(158, 'a') + "\u00e4.";
  for (const char* tail : {"41-7-0.tmp", "41-7-ff.tmp", "41-77-0.tmp", "4-7-0.tmp", "41-7-0.bak"}) {
    ASSERT_TRUE(Write(Path(kept + tail), "x").ok());
  }
  EXPECT_EQ(RemoveTemporaryFiles(Path(name), "", 41, 7).value(), 2u);
  EXPECT_EQ(Entries(), 3u);
  EXPECT_EQ(RemoveTemporaryFiles(Path("none/a"), "", 41, 7).status().sys_errno(), ENOENT);
}

TEST_F(AtomicFileTest, APendingFileIsSeenOnlyOncePublishedAndRemovedOtherwise) {
  const std::string text = "hello";
  const std::span<const uint8_t> chunks[] = {
      {reinterpret_cast<const uint8_t*>(text.data()), text.size()}};
  {
    auto dropped = PendingFile::Write(Path("a"), chunks, {});
    ASSERT_TRUE(dropped.ok());
    EXPECT_EQ(Entries(), 1u);
    EXPECT_FALSE(fs::exists(Path("a")));
  }
  EXPECT_EQ(Entries(), 0u);
  auto kept = PendingFile::Write(Path("a"), chunks, {});
  auto other = PendingFile::Write(Path("b"), chunks, When(Overwrite::kNever));
  ASSERT_TRUE(kept.ok() && other.ok());
  EXPECT_EQ(kept.value().folder(), other.value().folder());
  ASSERT_TRUE(kept.value().Sync().ok());
  ASSERT_TRUE(kept.value().Publish().ok());
  ASSERT_TRUE(kept.value().SyncFolder().ok());
  EXPECT_EQ(Read("a"), "hello");
  ASSERT_TRUE(Write(Path("b"), "first").ok());
  EXPECT_EQ(other.value().Publish().code(), StatusCode::kOutputExists);
  EXPECT_EQ(Read("b"), "first");
}

}  // namespace
}  // namespace pixpress
