#include "engine/cache_key.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "base/clock.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

// One per setting that counts.
const std::vector<std::function<void(Settings&)>> kChanges = {
    [](Settings& s) { s.format = Format::kWebp; },
    [](Settings& s) { s.quality = 79; },
    [](Settings& s) { s.effort = 6; },
    [](Settings& s) { s.lossless = true; },
    [](Settings& s) { s.width = 100; },
    [](Settings& s) { s.height = 100; },
    [](Settings& s) { s.fit = Fit::kCover; },
    [](Settings& s) { s.position.x = 0.25f; },
    [](Settings& s) { s.background.g = 0; },
    [](Settings& s) { s.resample = Filter::kNearest; },
    [](Settings& s) { s.upscale = true; },
    [](Settings& s) { s.linear = true; },
    [](Settings& s) { s.progressive = Progressive::kOn; },
    [](Settings& s) { s.subsampling = Subsampling::k444; },
    [](Settings& s) { s.colors = 16; },
    [](Settings& s) { s.dither = 0.5f; },
    [](Settings& s) { s.min_quality = 50; },
    [](Settings& s) { s.max_bytes = 1000; },
    [](Settings& s) { s.near_lossless = 60; },
    [](Settings& s) { s.alpha_quality = 50; },
    [](Settings& s) { s.metadata = MetadataPolicy::kAll; },
    [](Settings& s) { s.auto_orient = false; },
    [](Settings& s) { s.animated = Animated::kOff; },
    [](Settings& s) { s.max_frames = 3; },
    [](Settings& s) { s.on_damage = OnDamage::kSalvage; },
    [](Settings& s) { s.limits.max_pixels = 1000; }};

class CacheKeyTest : public FolderTest {
 protected:
  static std::optional<CacheKey> KeyOf(const JobSpec& spec, const std::string& maker = "maker") {
    std::optional<Sha256Digest> content;
    return MakeCacheKey(spec, maker, StopToken(), &content);
  }
  static JobSpec FileSpec(const std::string& path, const Settings& settings = {}) {
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>(settings);
    spec.source.name = path;
    return spec;
  }
  JobSpec BytesSpec(const std::string& bytes) const {
    JobSpec spec = FileSpec("<bytes>");
    spec.source.kind = Source::Kind::kBytes;
    spec.source.bytes = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
    return spec;
  }
  // The key of a file whose times tell every further change.
  static CacheKey SettledKey(const JobSpec& spec) {
    const int64_t end_ns = Clock::System().NowNs() + 10 * kNsPerSecond;
    for (;;) {
      const auto key = KeyOf(spec);
      if (!key.has_value() || Clock::System().NowNs() > end_ns) {
        ADD_FAILURE() << "the file does not settle";
        return {};
      }
      if (!key->content.has_value()) return *key;
    }
  }
};

TEST_F(CacheKeyTest, CoversEverySettingButThoseAboutThePlaceOfTheOutput) {
  Write(Path("a"), "image");
  const Sha256Digest plain = KeyOf(FileSpec(Path("a")))->digest;
  std::set<Sha256Digest> keys = {plain};
  for (const auto& change : kChanges) {
    Settings settings;
    change(settings);
    keys.insert(KeyOf(FileSpec(Path("a"), settings))->digest);
  }
  EXPECT_EQ(keys.size(), kChanges.size() + 1);
  Settings settings;
  settings.overwrite = Overwrite::kSmaller;
  JobSpec elsewhere = FileSpec(Path("a"), settings);
  elsewhere.output_path = Path("b");
  elsewhere.output_root = "/";
  elsewhere.batch = elsewhere.group = elsewhere.tag = 7;
  elsewhere.isolate = true;
  EXPECT_EQ(KeyOf(elsewhere)->digest, plain);
}

TEST_F(CacheKeyTest, CoversPathSizeAndTimesOfAFile) {
  Write(Path("a"), "image");
  Write(Path("b"), "image");
  const Sha256Digest plain = SettledKey(FileSpec(Path("a"))).digest;
  EXPECT_NE(SettledKey(FileSpec(Path("b"))).digest, plain);
  const timespec later[2] = {{.tv_sec = 1000, .tv_nsec = 7}, {.tv_sec = 1000, .tv_nsec = 7}};
  utimensat(AT_FDCWD, Path("a").c_str(), later, 0);
  const Sha256Digest touched = SettledKey(FileSpec(Path("a"))).digest;
  EXPECT_NE(touched, plain);
  Write(Path("a"), "other");  // As long as before.
  utimensat(AT_FDCWD, Path("a").c_str(), later, 0);
  EXPECT_NE(SettledKey(FileSpec(Path("a"))).digest, touched)
      << "a tool that restores the time of modification deceives nobody";
  Write(Path("a"), "longer");
  EXPECT_NE(SettledKey(FileSpec(Path("a"))).digest, plain);
}

TEST_F(CacheKeyTest, OneFileHasOneKeyWhateverPathLeadsToIt) {
  Write(Path("a"), "image");
  fs::create_symlink(Path("a"), Path("link"));
  fs::create_directory(Path("folder"));
  fs::create_directory_symlink(folder_, Path("folder/up"));
  const Sha256Digest plain = SettledKey(FileSpec(Path("a"))).digest;
  EXPECT_EQ(SettledKey(FileSpec(Path("link"))).digest, plain);
  EXPECT_EQ(SettledKey(FileSpec(Path("folder/../a"))).digest, plain);
  EXPECT_EQ(SettledKey(FileSpec(Path("folder/up/a"))).digest, plain);
  Write(Path("b"), "image");
  fs::remove(Path("link"));
  fs::create_symlink(Path("b"), Path("link"));
  EXPECT_NE(SettledKey(FileSpec(Path("link"))).digest, plain) << "the link leads elsewhere now";
}

TEST_F(CacheKeyTest, TheContentIsNotedWhileOneMoreChangeMightNotShow) {
  Write(Path("a"), "image");
  EXPECT_EQ(KeyOf(FileSpec(Path("a")))->content, Sha256::Of("image"));
  EXPECT_EQ(SettledKey(FileSpec(Path("a"))).content, std::nullopt);
  EXPECT_EQ(DigestOfFile(Path("a"), StopToken()), Sha256::Of("image"));
}

TEST_F(CacheKeyTest, OfBytesTheContentCountsAndNotTheName) {
  const std::string image = "image";
  const std::string other = "other";
  JobSpec named = BytesSpec(image);
  named.source.name = "upload.jpg";
  EXPECT_EQ(KeyOf(named)->digest, KeyOf(BytesSpec(image))->digest);
  EXPECT_NE(KeyOf(BytesSpec(other))->digest, KeyOf(BytesSpec(image))->digest);
}

TEST_F(CacheKeyTest, OfPixelsTheirLayoutAndWhatWasImportedCountToo) {
  const std::string bytes(24, 'x');
  const auto pixels = [&](uint32_t width, uint32_t height, ColorModel color, bool has_alpha) {
    JobSpec spec = BytesSpec(bytes);
    spec.source.kind = Source::Kind::kPixels;
    spec.source.layout = ImageLayout::Interleaved(width, height, color, has_alpha);
    spec.source.stride_bytes = spec.source.layout.row_bytes(0);
    return spec;
  };
  std::set<Sha256Digest> keys = {KeyOf(BytesSpec(bytes))->digest,
                                 KeyOf(pixels(4, 2, ColorModel::kRgb, false))->digest,
                                 KeyOf(pixels(2, 4, ColorModel::kRgb, false))->digest,
                                 KeyOf(pixels(3, 2, ColorModel::kRgb, true))->digest,
                                 KeyOf(pixels(3, 2, ColorModel::kCmyk, false))->digest};
  JobSpec imported = pixels(4, 2, ColorModel::kRgb, false);
  Imported from;
  from.encoded_bytes = 100;
  imported.source.imported = std::make_shared<const Imported>(from);
  keys.insert(KeyOf(imported)->digest);
  from.metadata.icc = {1, 2, 3};
  imported.source.imported = std::make_shared<const Imported>(from);
  keys.insert(KeyOf(imported)->digest);
  from.metadata.exif = {1, 2, 3};
  imported.source.imported = std::make_shared<const Imported>(from);
  keys.insert(KeyOf(imported)->digest);
  EXPECT_EQ(keys.size(), 8u);
}

TEST_F(CacheKeyTest, CoversTheBuildAndTheVersionsOfCodecs) {
  Write(Path("a"), "image");
  EXPECT_NE(KeyOf(FileSpec(Path("a")), "one")->digest, KeyOf(FileSpec(Path("a")), "two")->digest);
  const std::string maker = MakerRecord();
  EXPECT_NE(maker.find(kJpegCodec.version()), std::string::npos);
  EXPECT_NE(maker.find(kPngCodec.version()), std::string::npos);
  EXPECT_NE(maker.find(kWebpCodec.version()), std::string::npos);
}

TEST_F(CacheKeyTest, ThereIsNoneOfWhatCannotBeReadOrIsTooLargeOrStopped) {
  EXPECT_FALSE(KeyOf(FileSpec(Path("missing"))).has_value());
  EXPECT_FALSE(KeyOf(FileSpec(folder_.string())).has_value());
  Write(Path("a"), "image");
  Settings settings;
  settings.limits.max_input_bytes = 3;
  EXPECT_FALSE(KeyOf(FileSpec(Path("a"), settings)).has_value());
  const std::string bytes = "image";
  StopSource stop;
  stop.RequestStop(StopReason::kCancelled);
  std::optional<Sha256Digest> content;
  EXPECT_FALSE(MakeCacheKey(BytesSpec(bytes), "", StopToken(stop), &content).has_value());
}

}  // namespace
}  // namespace pixpress
