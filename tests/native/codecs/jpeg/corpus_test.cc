// Real and broken files. PIXPRESS_CORPUS names their folder; skipped where it is missing.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "codecs/jpeg/fixture.h"

namespace pixpress {
namespace {

class JpegCorpusTest : public JpegTest {
 protected:
  void SetUp() override {
    const char* given = std::getenv("PIXPRESS_CORPUS");
    if (given != nullptr) corpus_ = given;
    if (!std::filesystem::is_directory(corpus_)) GTEST_SKIP() << "no corpus at " << corpus_;
  }

  struct File {
    std::string name;  // "odd_jpeg/concert.jpg"
    std::string row;   // Of the manifest.
    std::vector<uint8_t> bytes;
  };
  // The JPEG files of a folder as the manifest lists them.
  std::vector<File> Files(const std::string& folder) const {
    std::vector<File> files;
    std::ifstream manifest(corpus_ / "manifest.csv");
    for (std::string row; std::getline(manifest, row);) {
      const std::string name = row.substr(0, row.find(','));
      if (!name.starts_with(folder + "/") || name.find(".jp") == std::string::npos) continue;
      std::ifstream file(corpus_ / name, std::ios::binary);
      files.push_back({name, row, {std::istreambuf_iterator<char>(file), {}}});
    }
    EXPECT_FALSE(files.empty()) << folder;
    return files;
  }

  std::filesystem::path corpus_ =
      std::filesystem::path(__FILE__).parent_path() / "../../../../shared/corpus";
};

TEST_F(JpegCorpusTest, EveryPhotoDecodesAsLibjpegDecodesIt) {
  for (const File& file : Files("photos_jpeg")) {
    SCOPED_TRACE(file.name);
    ExpectDecodesAsPlain(file.bytes, true, 1);
    ExpectDecodesAsPlain(file.bytes, false, 4);
  }
}

TEST_F(JpegCorpusTest, EveryOddFileDecodesAsLibjpegDecodesItOrIsOfAnUnsupportedKind) {
  for (const File& file : Files("odd_jpeg")) {
    SCOPED_TRACE(file.name);
    const bool is_unsupported = file.row.find("12-bit") != std::string::npos ||
                                file.row.find("lossless SOF3") != std::string::npos;
    if (is_unsupported) {
      EXPECT_EQ(Decode(file.bytes).status().code(), StatusCode::kUnsupportedFormat);
    } else {
      ExpectDecodesAsPlain(file.bytes);
    }
  }
}

TEST_F(JpegCorpusTest, EveryBadFileFailsAsTheManifestExpects) {
  for (const File& file : Files("bad")) {
    SCOPED_TRACE(file.name);
    const Result<const Codec*> codec = IdentifyCodec(file.bytes);
    const Status status = codec.ok() ? Decode(file.bytes).status() : codec.status();
    const bool is_too_big = file.row.find("bomb") != std::string::npos ||
                            file.row.find("limit error") != std::string::npos;
    const bool is_no_jpeg = file.row.find("UnidentifiedImageError") != std::string::npos;
    EXPECT_EQ(status.code(), is_too_big   ? StatusCode::kLimitExceeded
                             : is_no_jpeg ? StatusCode::kUnidentifiedImage
                                          : StatusCode::kCorruptImage)
        << status.message();
  }
}

TEST_F(JpegCorpusTest, EveryRewrittenFileKeepsItsCoefficients) {
  for (const char* folder : {"odd_jpeg", "photos_jpeg"}) {
    for (const File& file : Files(folder)) {
      SCOPED_TRACE(file.name);
      if (!Decode(file.bytes, {.scale_denominator = 8}).ok()) continue;
      const auto rewritten = Rewrite(file.bytes, MetadataPolicy::kSafe);
      ASSERT_TRUE(rewritten.ok()) << rewritten.status().message();
      EXPECT_LE(rewritten.value().size(), file.bytes.size());
      EXPECT_TRUE(PlainCoefficients(rewritten.value()) == PlainCoefficients(file.bytes));
    }
  }
}

}  // namespace
}  // namespace pixpress
