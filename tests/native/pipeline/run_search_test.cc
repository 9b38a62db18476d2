#include "pipeline/run_search.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "pipeline/run.h"

namespace pixpress {
namespace {

constexpr uint32_t kSide = 64;

// What becomes of an output before anybody reads it.
size_t kept_percent = 100;

Status LossyEncode(const Codec& codec, RowSource& source, const EncodeOptions& options,
                   const Metadata& metadata, const WorkContext& context, ByteChain* out) {
  ByteChain whole(context.meter);
  PIXPRESS_RETURN_IF_ERROR(codec.encode(source, options, metadata, context, &whole));
  std::vector<uint8_t> bytes(whole.size_bytes());
  whole.CopyTo(bytes.data());
  bytes.resize(bytes.size() * kept_percent / 100);
  return out->Append(bytes);
}

template <const Codec& codec>
Codec Breaking() {
  Codec breaking = codec;
  breaking.encode = [](RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                       const WorkContext& context, ByteChain* out) {
    return LossyEncode(codec, source, options, metadata, context, out);
  };
  return breaking;
}

// Jobs on pixels whose encoders forget the end of what they write.
class RunSearchTest : public testing::Test {
 protected:
  RunSearchTest() : pixels_(size_t{kSide} * kSide * 3) {
    for (size_t i = 0; i < pixels_.size(); ++i) pixels_[i] = static_cast<uint8_t>(i * i >> 4);
    spec_.source.kind = Source::Kind::kPixels;
    spec_.source.bytes = pixels_;
    spec_.source.layout = ImageLayout::Interleaved(kSide, kSide, ColorModel::kRgb, false);
    spec_.source.stride_bytes = spec_.source.layout.row_bytes(0);
  }
  ~RunSearchTest() override { kept_percent = 100; }

  Status Run(const Settings& settings) {
    spec_.settings = std::make_shared<const Settings>(settings);
    auto plan = MakePlan(spec_, PixelInfo(spec_.source), 0);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    Break(&plan.value());
    for (Candidate& candidate : plan.value().candidates) Break(&candidate.plan);
    const WorkContext context{.meter = meter_, .stop = {}, .parallel = parallel_};
    result_ = JobResult();
    return RunPlan(spec_, plan.value(), {}, context, &result_);
  }

  const JobResult& result() const { return result_; }

  static void ExpectOwnFault(const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kInternal) << status.message();
    EXPECT_EQ(status.stage(), Stage::kEncode);
    EXPECT_NE(status.message().find("cannot be decoded again"), std::string::npos)
        << status.message();
  }

 private:
  void Break(Plan* plan) const {
    if (plan->output_codec == &kJpegCodec) plan->output_codec = &jpeg_;
    if (plan->output_codec == &kWebpCodec) plan->output_codec = &webp_;
  }

  const Codec jpeg_ = Breaking<kJpegCodec>();
  const Codec webp_ = Breaking<kWebpCodec>();
  std::vector<uint8_t> pixels_;
  JobSpec spec_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
  JobResult result_;
};

Settings Targeting(Format format) {
  Settings settings;
  settings.format = format;
  settings.target_score = 70;
  return settings;
}

TEST_F(RunSearchTest, OutputsThatAreWholeAreFound) {
  for (const Format format : {Format::kJpeg, Format::kWebp, Format::kAuto}) {
    const Status status = Run(Targeting(format));
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

TEST_F(RunSearchTest, ATargetIsAWishAlsoWhereAllScoresAreBelowZero) {
  EXPECT_TRUE(Run(Targeting(Format::kWebp)).ok());
  EXPECT_LT(result().score.value(), 0);
  EXPECT_FALSE(result().warnings.empty());
  const uint64_t whole_bytes = result().compressed_bytes;
  Settings limited = Targeting(Format::kWebp);
  limited.max_bytes = whole_bytes / 2;
  EXPECT_TRUE(Run(limited).ok());
  EXPECT_LE(result().compressed_bytes, limited.max_bytes);
}

// Without a header, cut in the header, and cut in the rows.
TEST_F(RunSearchTest, AnOutputThatCannotBeDecodedIsNoFaultOfTheSource) {
  for (const size_t percent : {0, 3, 60}) {
    kept_percent = percent;
    for (const Format format : {Format::kJpeg, Format::kWebp}) {
      ExpectOwnFault(Run(Targeting(format)));
      Settings floor;
      floor.format = format;
      floor.min_quality = 50;
      ExpectOwnFault(Run(floor));
    }
  }
}

TEST_F(RunSearchTest, NeitherIsItWhereTheFormatIsChosen) {
  kept_percent = 60;
  Settings settings = Targeting(Format::kAuto);
  ExpectOwnFault(Run(settings));
}

}  // namespace
}  // namespace pixpress
