// Real and broken files through whole jobs. PIXPRESS_CORPUS names their folder; skipped where it is
// missing.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/one_shot_fixture.h"

namespace pixpress {
namespace {

class CorpusTest : public OneShotTest {
 protected:
  void SetUp() override {
    const char* given = std::getenv("PIXPRESS_CORPUS");
    if (given != nullptr) corpus_ = given;
    if (!std::filesystem::is_directory(corpus_)) GTEST_SKIP() << "no corpus at " << corpus_;
  }

  // Every file of `folder` becomes PNG of at most `most_px` or says why not, whether damage is an
  // error or not.
  size_t RunAll(const char* folder, uint32_t most_px) const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus_ / folder)) {
      SCOPED_TRACE(entry.path().filename());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
      ExpectSalvageIsHonest(bytes, Format::kPng, most_px);
      ++files;
    }
    return files;
  }

  std::filesystem::path corpus_ =
      std::filesystem::path(__FILE__).parent_path() / "../../../../shared/corpus";
};

TEST_F(CorpusTest, BadFilesEndWithAnImageOrAReason) { EXPECT_GT(RunAll("bad", 0), 0u); }
TEST_F(CorpusTest, OddJpegFilesEndWithAnImageOrAReason) { EXPECT_GT(RunAll("odd_jpeg", 200), 0u); }

}  // namespace
}  // namespace pixpress
