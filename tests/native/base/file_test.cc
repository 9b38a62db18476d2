#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pixpress {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = (fs::temp_directory_path() / "pixpress-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FileTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(FileTest, InputsAreRegularFilesAndAShrunkOneIsAnError) {
  std::ofstream(Path("a")) << "hello";
  auto file = InputFile::Open(Path("a"));
  ASSERT_TRUE(file.ok());
  uint8_t bytes[3];
  ASSERT_TRUE(file.value().ReadAt(2, bytes).ok());
  EXPECT_EQ(bytes[2], 'o');
  EXPECT_EQ(file.value().ReadAt(3, bytes).code(), StatusCode::kInput);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(InputFile::Open(Path("fifo")).status().code(), StatusCode::kInput);
  EXPECT_EQ(InputFile::Open(folder_.string()).status().sys_errno(), EISDIR);
  EXPECT_EQ(IdentifyFile(Path("none")).status().sys_errno(), ENOENT);
}

TEST_F(FileTest, AnAbsolutePathStaysAndARelativeOneBeginsInTheWorkingDirectory) {
  EXPECT_EQ(AbsolutePath("/a/../b"), "/a/../b");
  EXPECT_EQ(AbsolutePath("a/b.jpg"), (fs::current_path() / "a/b.jpg").string());
}

}  // namespace
}  // namespace pixpress
