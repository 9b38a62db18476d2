#include "codecs/jpeg/plane_source.h"

#include <algorithm>
#include <random>

#include "codecs/jpeg/decode.h"
#include "codecs/jpeg/fixture.h"

namespace pixpress {
namespace {

constexpr uint8_t kScales[] = {1, 2, 4, 8};

// What a decoder gave before it ended.
struct Outcome {
  PlainPlanes planes;
  Status status;
  bool used_library = false;
};

class JpegPlaneSourceTest : public JpegTest {
 protected:
  struct Progress final : ProgressSink {
    void Report(Stage, double part) override { parts.push_back(part); }
    std::vector<double> parts;
  };

  static DecodeOptions Planar(uint8_t scale) {
    return {.planar = true, .scale_denominator = scale};
  }

  // All rows up to the first failure.
  Outcome Collect(Result<std::unique_ptr<RowSource>> opened, const ImageInfo& info, Meter& meter) {
    Outcome outcome;
    outcome.status = opened.status();
    if (!opened.ok()) return outcome;
    RowSource& source = *opened.value();
    const ImageLayout& layout = source.layout();
    outcome.planes.resize(layout.plane_count);
    std::array<uint32_t, 3> next = {};
    for (bool has_more = true; has_more;) {
      Stripe stripe;
      outcome.status = source.Next(&stripe);
      outcome.used_library |= meter.current_bytes() >= JpegLibraryBytes(info);
      if (!outcome.status.ok()) break;
      has_more = false;
      for (size_t p = 0; p < layout.plane_count; ++p) {
        const PlaneRows& rows = stripe.planes[p];
        EXPECT_EQ(rows.first_row, next[p]);
        next[p] += rows.rows;
        has_more |= next[p] < layout.planes[p].height;
        for (uint32_t y = 0; y < rows.rows; ++y) {
          outcome.planes[p].insert(outcome.planes[p].end(), rows.row(y),
                                   rows.row(y) + layout.row_bytes(p));
        }
      }
    }
    return outcome;
  }

  Outcome Read(Bytes jpeg, uint8_t scale, bool by_library, ProgressSink* progress = nullptr,
               StopToken stop = {}) {
    return Read(jpeg, Planar(scale), by_library, progress, stop);
  }

  Outcome Read(Bytes jpeg, const DecodeOptions& options, bool by_library,
               ProgressSink* progress = nullptr, StopToken stop = {}) {
    const Result<ImageInfo> info = ProbeJpeg(jpeg, jpeg.size(), limits_);
    if (!info.ok()) return {{}, info.status(), by_library};
    Meter meter(pool_);
    const WorkContext context{meter, stop, parallel_, progress};
    Outcome outcome = by_library
                          ? Collect(DecodeJpegByLibrary(jpeg, info.value(), options, context),
                                    info.value(), meter)
                          : Collect(DecodeJpeg(jpeg, info.value(), options, limits_, context),
                                    info.value(), meter);
    EXPECT_LE(meter.peak_bytes(), JpegDecodeMemoryBytes(info.value(), options));
    EXPECT_EQ(meter.current_bytes(), 0u);
    return outcome;
  }

  void ExpectSameWithoutLibrary(Bytes jpeg) {
    for (const uint8_t scale : kScales) {
      SCOPED_TRACE(testing::Message() << "scale " << int{scale});
      const Outcome own = Read(jpeg, scale, false);
      const Outcome library = Read(jpeg, scale, true);
      ASSERT_TRUE(library.status.ok());
      ASSERT_TRUE(own.status.ok()) << own.status.message();
      EXPECT_FALSE(own.used_library);
      EXPECT_TRUE(own.planes == library.planes);
    }
  }

  // The same error after the same rows, or none and the same image. Rows before an error may come
  // in stripes of another size.
  void ExpectSameOutcome(Bytes jpeg) {
    for (const uint8_t scale : kScales) {
      const Outcome own = Read(jpeg, scale, false);
      const Outcome library = Read(jpeg, scale, true);
      ASSERT_EQ(own.status.code(), library.status.code())
          << own.status.message() << " / " << library.status.message();
      ASSERT_EQ(own.status.message(), library.status.message());
      ASSERT_EQ(own.status.stage(), library.status.stage());
      ASSERT_EQ(own.planes.size(), library.planes.size());
      for (size_t p = 0; p < own.planes.size(); ++p) {
        const auto& [shorter, longer] =
            std::minmax(own.planes[p], library.planes[p],
                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
        ASSERT_TRUE(!own.status.ok() || shorter.size() == longer.size());
        // Single samples far beyond 0..255, which only damage makes, wrap around in libjpeg.
        if (scale == 8) continue;
        ASSERT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()))
            << "scale " << int{scale};
      }
    }
  }
};

TEST_F(JpegPlaneSourceTest, EverySamplingSizeAndScaleIsDecodedAsLibjpegDecodesIt) {
  const std::pair<uint32_t, uint32_t> sizes[] = {{1, 1},   {1, 77},  {77, 1},   {8, 8},
                                                 {17, 16}, {97, 61}, {160, 128}};
  for (const auto& [width, height] : sizes) {
    for (const unsigned interval : {0u, 1u, 3u}) {
      for (const JpegRecipe& recipe : EverySampling(
               {.width = width, .height = height, .noise = 60, .restart_interval = interval})) {
        SCOPED_TRACE(testing::Message()
                     << width << "x" << height << " restarts " << interval << " luma "
                     << recipe.sampling[0].h << "x" << recipe.sampling[0].v);
        ExpectSameWithoutLibrary(MakeJpeg(recipe));
      }
    }
  }
}

TEST_F(JpegPlaneSourceTest, EveryQualityFromFlatToNoiseIsDecodedAsLibjpegDecodesIt) {
  for (int quality = 1; quality <= 100; quality += 3) {
    for (const int noise : {0, 30, 255}) {
      SCOPED_TRACE(testing::Message() << quality << " noise " << noise);
      ExpectSameWithoutLibrary(MakeJpeg({.width = 120,
                                         .height = 90,
                                         .sampling = {Sampling{2, 2}},
                                         .quality = quality,
                                         .noise = noise}));
    }
  }
}

// 4096 blocks and more: at an eighth DC is read ahead of the rest.
TEST_F(JpegPlaneSourceTest, LargeImagesOfEverySamplingAreDecodedAsLibjpegDecodesThem) {
  for (const unsigned interval : {0u, 7u}) {
    for (const JpegRecipe& recipe :
         EverySampling({.width = 700, .height = 510, .noise = 60, .restart_interval = interval})) {
      SCOPED_TRACE(testing::Message() << "restarts " << interval << " luma " << recipe.sampling[0].h
                                      << "x" << recipe.sampling[0].v);
      ExpectSameWithoutLibrary(MakeJpeg(recipe));
    }
  }
}

TEST_F(JpegPlaneSourceTest, PlanesThatAreScaledEvenlyHaveTheAveragesOfBlocks) {
  for (const uint32_t side : {61u, 603u}) {
    for (const JpegRecipe& recipe :
         EverySampling({.width = side, .height = side + 8, .noise = 20})) {
      const auto jpeg = MakeJpeg(recipe);
      SCOPED_TRACE(testing::Message()
                   << side << " luma " << recipe.sampling[0].h << "x" << recipe.sampling[0].v);
      const DecodeOptions options{.planar = true, .scale_denominator = 8, .scales_evenly = true};
      const Outcome own = Read(jpeg, options, false);
      const Outcome library = Read(jpeg, options, true);
      ASSERT_TRUE(own.status.ok() && library.status.ok());
      EXPECT_FALSE(own.used_library);
      const ImageInfo info = ProbeJpeg(jpeg, jpeg.size(), limits_).value();
      for (size_t p = 0; p < own.planes.size(); ++p) {
        const PlaneLayout plane = JpegDecodedLayout(info, options).planes[p];
        ASSERT_EQ(plane.width, (info.planar.planes[p].width + 7) / 8);
        ASSERT_EQ(own.planes[p].size(), size_t{plane.width} * plane.height);
        ASSERT_EQ(own.planes[p].size(), library.planes[p].size());
        // Those of averages of parts of blocks are rounded twice.
        for (size_t i = 0; i < own.planes[p].size(); ++i) {
          ASSERT_NEAR(own.planes[p][i], library.planes[p][i], 1);
        }
      }
    }
  }
}

TEST_F(JpegPlaneSourceTest, BytesAfterTheEndMarkerAreNotLookedAt) {
  auto jpeg = MakeJpeg({.sampling = {Sampling{2, 2}}});
  const PlainPlanes expected = PlainDecode(jpeg, true, 2);
  jpeg.insert(jpeg.end(), {1, 2, 3, 0xFF, 0xD8, 0xFF, 0xC0});
  const Outcome own = Read(jpeg, 2, false);
  EXPECT_TRUE(own.status.ok());
  EXPECT_FALSE(own.used_library);
  EXPECT_TRUE(own.planes == expected);
}

TEST_F(JpegPlaneSourceTest, EveryTruncationFailsAsLibjpegFails) {
  for (const unsigned interval : {0u, 2u}) {
    const auto whole = MakeJpeg(
        {.width = 40, .height = 70, .sampling = {Sampling{2, 2}}, .restart_interval = interval});
    for (size_t size = 3; size < whole.size(); ++size) {
      SCOPED_TRACE(size);
      // Also where the end marker is there.
      std::vector<uint8_t> cut(whole.begin(), whole.begin() + size);
      ExpectSameOutcome(cut);
      cut.insert(cut.end(), {0xFF, 0xD9});
      ExpectSameOutcome(cut);
    }
  }
}

TEST_F(JpegPlaneSourceTest, DamagedBytesFailOrPassAsWithLibjpegAfterTheSameRows) {
  std::mt19937 random(20240612);
  int passed_to_library = 0, failed = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto recipes =
        EverySampling({.width = 60, .height = 90, .restart_interval = i % 3 == 0 ? 3u : 0u});
    auto jpeg = MakeJpeg(recipes[i % recipes.size()]);
    const uint32_t changes = 1 + random() % 2;
    for (uint32_t change = 0; change < changes; ++change) {
      // Mostly in the scan.
      const size_t from = random() % 4 == 0 ? 2 : jpeg.size() * 2 / 3;
      jpeg[from + random() % (jpeg.size() - from)] = static_cast<uint8_t>(random());
    }
    SCOPED_TRACE(i);
    ExpectSameOutcome(jpeg);
    if (HasFatalFailure()) return;
    const Outcome own = Read(jpeg, 2, false);
    passed_to_library += own.used_library && !own.planes.empty() && !own.planes[0].empty();
    failed += !own.status.ok();
  }
  EXPECT_GT(passed_to_library, 100);
  EXPECT_GT(failed, 100);
}

TEST_F(JpegPlaneSourceTest, AStopEndsItBetweenRowsOfBlocks) {
  const auto jpeg = MakeJpeg({.height = 400, .sampling = {Sampling{2, 2}}});
  const ImageInfo info = ProbeJpeg(jpeg, jpeg.size(), limits_).value();
  StopSource stop;
  const WorkContext context{meter_, StopToken(stop), parallel_};
  auto source = DecodeJpeg(jpeg, info, Planar(2), limits_, context).value();
  Stripe stripe;
  EXPECT_TRUE(source->Next(&stripe).ok());
  stop.RequestStop(StopReason::kCancelled);
  EXPECT_EQ(source->Next(&stripe).code(), StatusCode::kCancelled);
}

TEST_F(JpegPlaneSourceTest, ProgressOnlyGrowsAlsoWhereLibjpegTakesOver) {
  const auto whole = MakeJpeg({.height = 400, .sampling = {Sampling{2, 2}}});
  Progress progress;
  EXPECT_TRUE(Read(whole, 4, false, &progress).status.ok());
  EXPECT_EQ(progress.parts.back(), 1.0);
  EXPECT_TRUE(std::is_sorted(progress.parts.begin(), progress.parts.end()));
  Progress damaged;
  auto cut = whole;
  cut.erase(cut.end() - 300, cut.end() - 2);
  EXPECT_EQ(Read(cut, 4, false, &damaged).status.code(), StatusCode::kCorruptImage);
  EXPECT_GT(damaged.parts.size(), 1u);
  EXPECT_TRUE(std::is_sorted(damaged.parts.begin(), damaged.parts.end()));
}

}  // namespace
}  // namespace pixpress
