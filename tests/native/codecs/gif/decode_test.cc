#include <random>

#include "codecs/gif/fixture.h"

namespace pixpress {
namespace {

using GifDecodeTest = GifTest;

TEST_F(GifDecodeTest, KeptFramesStay) {
  const auto gif = GifBytes(3, 2)
                       .Frame(0, 0, 3, 2, 0)
                       .Control(1, 5)
                       .Frame(1, 0, 1, 1, 1)
                       .Control(0, 0)
                       .Frame(2, 1, 1, 1, 2);
  const std::vector<Rows> expected = {{"rrr", "rrr"}, {"rgr", "rrr"}, {"rgr", "rrb"}};
  EXPECT_EQ(PlayDrawn(GifBytes(gif).End()), expected);
}

TEST_F(GifDecodeTest, BackgroundIsTransparentWhereTheFirstFrameIs) {
  const auto gif = GifBytes(3, 1)
                       .Control(2, 1, 3)
                       .Frame(0, 0, 2, 1, 0)
                       .Control(2, 1, 3)
                       .Frame(1, 0, 2, 1, 1)
                       .Control(1, 1, 3)
                       .Frame(0, 0, 1, 1, 2)
                       .End();
  EXPECT_EQ(PlayDrawn(gif), (std::vector<Rows>{{"rr."}, {".gg"}, {"b.."}}));
}

TEST_F(GifDecodeTest, AnOpaqueCanvasIsClearedToItsBackgroundColor) {
  const auto gif = GifBytes(3, 1, /*background=*/2)
                       .Control(2, 1)
                       .Frame(0, 0, 2, 1, 1)
                       .Control(1, 1)
                       .Frame(1, 0, 1, 1, 3)
                       .End();
  EXPECT_EQ(PlayDrawn(gif), (std::vector<Rows>{{"ggr"}, {"bwr"}}));
  EXPECT_FALSE(Probe(gif).value().has_alpha);
}

TEST_F(GifDecodeTest, PreviousComesBack) {
  const auto gif = GifBytes(2, 1)
                       .Control(1, 1)
                       .Frame(0, 0, 2, 1, 0)
                       .Control(3, 1)
                       .Frame(0, 0, 2, 1, 1)
                       .Control(3, 1)
                       .Frame(1, 0, 1, 1, 2)
                       .Control(1, 1)
                       .Frame(0, 0, 1, 1, 3)
                       .End();
  EXPECT_EQ(PlayDrawn(gif), (std::vector<Rows>{{"rr"}, {"gg"}, {"rb"}, {"wr"}}));
}

TEST_F(GifDecodeTest, TransparentPixelsShowWhatWasThere) {
  const auto gif = GifBytes(3, 1)
                       .Frame(0, 0, 3, 1, 0)
                       .Control(1, 1, 1)
                       .Descriptor(0, 0, 3, 1)
                       .Pixels({1, 2, 1})
                       .End();
  EXPECT_EQ(PlayDrawn(gif), (std::vector<Rows>{{"rrr"}, {"rbr"}}));
}

TEST_F(GifDecodeTest, UnknownDisposalsKeep) {
  for (const int disposal : {4, 5, 6, 7}) {
    const auto gif =
        GifBytes(2, 1).Control(disposal, 1).Frame(0, 0, 2, 1, 0).Frame(0, 0, 1, 1, 1).End();
    EXPECT_EQ(PlayDrawn(gif), (std::vector<Rows>{{"rr"}, {"gr"}})) << disposal;
  }
}

TEST_F(GifDecodeTest, TheFirstFrameWidensTheCanvasAndLaterOnesAreClipped) {
  const auto gif = GifBytes(1, 1)
                       .Frame(0, 0, 2, 2, 0)
                       .Frame(1, 1, 3, 3, 1)
                       .Frame(5, 0, 2, 2, 2)
                       .Control(2, 1)
                       .Frame(1, 0, 4, 1, 3)
                       .Frame(0, 5, 1, 1, 3)
                       .End();
  EXPECT_EQ(
      PlayDrawn(gif),
      (std::vector<Rows>{{"rr", "rr"}, {"rr", "rg"}, {"rr", "rg"}, {"rw", "rg"}, {"rr", "rg"}}));
}

TEST_F(GifDecodeTest, InterlacedRowsFindTheirPlaces) {
  const std::vector<int> order = {0, 8, 4, 2, 6, 10, 1, 3, 5, 7, 9};
  std::vector<uint8_t> indices;
  for (const int row : order) indices.push_back(static_cast<uint8_t>(row % 4));
  const auto gif = GifBytes(1, 11).Descriptor(0, 0, 1, 11, 0x40).Pixels(indices).End();
  const Rows expected = {"r", "g", "b", "w", "r", "g", "b", "w", "r", "g", "b"};
  EXPECT_EQ(PlayDrawn(gif), std::vector<Rows>{expected});
}

TEST_F(GifDecodeTest, LocalColorsWinAndMissingOnesAreBlack) {
  const auto gif = GifBytes(3, 1)
                       .Descriptor(0, 0, 3, 1, 0x80)
                       .Raw({0, 0, 255, 255, 255, 255})
                       .Pixels({0, 1, 2})
                       .End();
  EXPECT_EQ(PlayDrawn(gif), std::vector<Rows>{{"bwk"}});
}

TEST_F(GifDecodeTest, WithoutAnyTableIndicesAreGrays) {
  std::vector<uint8_t> gif = {'G', 'I', 'F', '8', '7', 'a', 2, 0, 1, 0, 0, 0, 0};
  const auto frame = GifBytes(2, 1).Descriptor(0, 0, 2, 1).Pixels({0, 3}).End();
  gif.insert(gif.end(), frame.begin() + 25, frame.end());
  const auto shown = Play(gif);
  ASSERT_TRUE(shown.ok()) << shown.status().message();
  const uint8_t* row = shown.value().canvases[0].row(0, 0);
  EXPECT_EQ(std::vector<uint8_t>(row, row + 8), (std::vector<uint8_t>{0, 0, 0, 255, 3, 3, 3, 255}));
}

TEST_F(GifDecodeTest, LoopCountsAreHowOftenAllIsShown) {
  const auto loops = [&](GifBytes gif) { return Probe(gif.End()).value().loop_count; };
  EXPECT_EQ(loops(GifBytes(1, 1).Frame(0, 0, 1, 1, 0)), 1u);
  EXPECT_EQ(loops(GifBytes(1, 1).Loop(0).Frame(0, 0, 1, 1, 0)), 0u);
  EXPECT_EQ(loops(GifBytes(1, 1).Loop(4).Frame(0, 0, 1, 1, 0)), 5u);
  EXPECT_EQ(loops(GifBytes(1, 1).Loop(65535).Frame(0, 0, 1, 1, 0)), 65536u);
}

TEST_F(GifDecodeTest, AHeadAsksForMoreAtEveryLengthUntilItSaysAll) {
  const auto gif =
      GifBytes(2, 2).Loop(2).Control(1, 7, 0).Frame(0, 0, 2, 2, 1).Frame(0, 0, 1, 1, 2).End();
  for (size_t length = 6; length < gif.size(); ++length) {
    const auto info = kGifCodec.probe(Bytes(gif).first(length), gif.size(), limits_);
    ASSERT_TRUE(info.ok()) << length;
    EXPECT_TRUE(info.value().needs_more_input) << length;
  }
  const ImageInfo info = Probe(gif).value();
  EXPECT_EQ(info.frames, 2u);
  EXPECT_TRUE(info.has_alpha);
}

TEST_F(GifDecodeTest, EveryTruncationIsDamageExceptAMissingTrailer) {
  const auto gif =
      GifBytes(2, 2).Control(1, 7, 0).Frame(0, 0, 2, 2, 1).Control(1, 7).Frame(0, 0, 1, 1, 2).End();
  const size_t second = GifBytes(2, 2).Control(1, 7, 0).Frame(0, 0, 2, 2, 1).bytes().size();
  for (size_t length = 6; length + 1 < gif.size(); ++length) {
    // Between blocks the file only has fewer frames.
    if (length == second || length == second + 8) continue;
    const std::vector<uint8_t> cut(gif.begin(), gif.begin() + length);
    EXPECT_EQ(PlayCode(cut), StatusCode::kCorruptImage) << length;
  }
  EXPECT_TRUE(Play({gif.begin(), gif.end() - 1}).ok());
}

TEST_F(GifDecodeTest, BytesAfterTheTrailerAreNobodys) {
  auto gif = GifBytes(1, 1).Frame(0, 0, 1, 1, 3).End();
  const auto more = GifBytes(1, 1).Frame(0, 0, 1, 1, 0).End();
  gif.insert(gif.end(), more.begin(), more.end());
  EXPECT_EQ(Probe(gif).value().frames, 1u);
  ByteChain out(meter_);
  ASSERT_TRUE(kGifCodec.rewrite(gif, MetadataPolicy::kAll, limits_, context_, &out).ok());
  EXPECT_EQ(out.size_bytes(), gif.size() - more.size());
}

TEST_F(GifDecodeTest, HugeCanvasesAndFarFramesAreRefusedByTheHeader) {
  EXPECT_EQ(Probe(GifBytes(65535, 65535).Frame(0, 0, 1, 1, 0).End()).status().code(),
            StatusCode::kLimitExceeded);
  EXPECT_EQ(Probe(GifBytes(4, 4).Frame(65535, 65535, 4, 4, 0).End()).status().code(),
            StatusCode::kLimitExceeded);
  const auto late = GifBytes(4, 4).Frame(0, 0, 4, 4, 0).Frame(65000, 65000, 4, 4, 0).End();
  EXPECT_EQ(Probe(late).status().code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(Probe(GifBytes(0, 256).Frame(0, 0, 0, 1, 0).End()).status().code(),
            StatusCode::kCorruptImage);
}

TEST_F(GifDecodeTest, EndlessExtensionsAreRefused) {
  GifBytes gif(1, 1);
  gif.Raw({0x21, 0xFE});
  for (int i = 0; i < 300; ++i) gif.Byte(255).Text(std::string(255, 'x'));
  gif.Byte(0).Frame(0, 0, 1, 1, 0);
  limits_.max_metadata_bytes = 60'000;
  EXPECT_EQ(Probe(gif.End()).status().code(), StatusCode::kLimitExceeded);
}

TEST_F(GifDecodeTest, FilesWithoutImagesOrWithUnknownBlocksAreDamage) {
  EXPECT_EQ(Probe(GifBytes(1, 1).End()).status().code(), StatusCode::kCorruptImage);
  EXPECT_EQ(Probe(GifBytes(1, 1).Byte(0x77).Frame(0, 0, 1, 1, 0).End()).status().code(),
            StatusCode::kCorruptImage);
}

TEST_F(GifDecodeTest, StoppedJobsEndWithinAFrame) {
  const auto gif = GifBytes(500, 500).Frame(0, 0, 500, 500, 1).End();
  StopSource stop;
  const WorkContext context{.meter = meter_, .stop = StopToken(stop), .parallel = parallel_};
  const auto source = kGifCodec.open_frames(gif, Probe(gif).value(), limits_, context);
  stop.RequestStop(StopReason::kCancelled);
  Frame frame;
  EXPECT_EQ(source.value()->Next(&frame).code(), StatusCode::kCancelled);
}

TEST_F(GifDecodeTest, MutatedFilesEndInAStatus) {
  const auto gif = GifBytes(9, 9)
                       .Loop(1)
                       .Control(2, 7, 0)
                       .Frame(0, 0, 9, 9, 1)
                       .Control(3, 7)
                       .Descriptor(1, 1, 7, 7, 0x40)
                       .Pixels(std::vector<uint8_t>(49, 2))
                       .Frame(3, 3, 6, 6, 3)
                       .End();
  limits_.max_pixels = 1 << 13;
  std::mt19937 random(16);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> bad = gif;
    for (unsigned i = 0; i <= random() % 4; ++i) {
      bad[6 + random() % (bad.size() - 6)] = static_cast<uint8_t>(random());
    }
    const StatusCode code = PlayCode(bad);
    EXPECT_TRUE(code == StatusCode::kOk || code == StatusCode::kCorruptImage ||
                code == StatusCode::kLimitExceeded);
  }
}

}  // namespace
}  // namespace pixpress
