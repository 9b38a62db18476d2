// What fuzzing begins with, and what it does to it.

#include "seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "codec_fuzz.h"
#include "image/image.h"
#include "mutation.h"

namespace pixpress {
namespace {

const std::vector<Seed>& AllSeeds() {
  static const std::vector<Seed> seeds = FuzzSeeds("all");
  return seeds;
}

struct Decoded {
  Status status;
  ImageInfo info;
};

// Every row, and every frame.
Decoded DecodeAll(const std::vector<uint8_t>& bytes) {
  BufferPool pool(0);
  Meter meter(pool);
  SerialParallel parallel;
  const WorkContext context{meter, {}, parallel};
  const auto codec = IdentifyCodec(bytes);
  if (!codec.ok()) return {codec.status(), {}};
  const auto info = codec.value()->probe(bytes, bytes.size(), FuzzLimits());
  if (!info.ok()) return {info.status(), {}};
  auto rows = codec.value()->decode(bytes, info.value(), {}, FuzzLimits(), context);
  if (!rows.ok()) return {rows.status(), info.value()};
  const auto image = CollectRows(*rows.value(), context);
  if (!image.ok() || info.value().frames < 2) return {image.status(), info.value()};
  auto frames = codec.value()->open_frames(bytes, info.value(), FuzzLimits(), context);
  if (!frames.ok()) return {frames.status(), info.value()};
  for (uint32_t i = 0; i < info.value().frames; ++i) {
    Frame frame;
    const Status status = frames.value()->Next(&frame);
    if (!status.ok()) return {status, info.value()};
    if (frame.canvas == nullptr) {
      return {Status(StatusCode::kInternal, "fewer frames than announced"), info.value()};
    }
  }
  return {Status(), info.value()};
}

// The seeds of each format whose name has `part` in it.
std::set<Format> FormatsOf(std::string_view part) {
  std::set<Format> formats;
  for (const Seed& seed : AllSeeds()) {
    if (seed.name.find(part) == std::string::npos) continue;
    formats.insert(IdentifyCodec(seed.bytes).value()->format);
  }
  return formats;
}

bool HasBytes(const std::vector<uint8_t>& bytes, std::string_view text) {
  const std::string haystack(bytes.begin(), bytes.end());
  return haystack.find(text) != std::string::npos;
}

TEST(SeedsTest, EverySeedDecodesAndIsSmall) {
  for (const Seed& seed : AllSeeds()) {
    const Decoded decoded = DecodeAll(seed.bytes);
    EXPECT_TRUE(decoded.status.ok()) << seed.name << ": " << decoded.status.message();
    EXPECT_LE(decoded.info.width, kSeedMostSidePx) << seed.name;
    EXPECT_LE(decoded.info.height, kSeedMostSidePx) << seed.name;
    EXPECT_LE(seed.bytes.size(), kSeedMostBytes) << seed.name;
  }
}

TEST(SeedsTest, NoSeedIsThereTwice) {
  std::map<std::vector<uint8_t>, std::string> known;
  for (const Seed& seed : AllSeeds()) {
    EXPECT_TRUE(known.emplace(seed.bytes, seed.name).second)
        << seed.name << " is " << known[seed.bytes];
  }
}

TEST(SeedsTest, EveryFormatHasItsKinds) {
  for (const Codec* codec : AllCodecs()) {
    EXPECT_GE(FuzzSeeds(codec->name).size(), 8u) << codec->name;
    if (codec->open_frames == nullptr) continue;
    uint32_t most_frames = 0;
    for (const Seed& seed : FuzzSeeds(codec->name)) {
      most_frames = std::max(most_frames, DecodeAll(seed.bytes).info.frames);
    }
    EXPECT_GT(most_frames, 2u) << codec->name;
  }
  EXPECT_TRUE(FormatsOf("arithmetic").contains(Format::kJpeg));
  EXPECT_TRUE(FormatsOf("interlaced").contains(Format::kPng));
  EXPECT_TRUE(FormatsOf("interlaced").contains(Format::kGif));
  EXPECT_TRUE(FormatsOf("RGBA").contains(Format::kWebp));
}

// By what the names claim.
TEST(SeedsTest, KindsAreInTheBytes) {
  const std::map<std::string, std::string> marks = {
      {"jpeg 4:2:0", "\xFF\xC0"},
      {"jpeg progressive 4:2:0", "\xFF\xC2"},
      {"jpeg arithmetic", "\xFF\xC9"},
      {"jpeg progressive arithmetic", "\xFF\xCA"},
      {"jpeg restart markers", "\xFF\xDD"},
      {"jpeg with a second picture", "MPF"},
      {"png palette of 4 bits, interlaced, tRNS", "tRNS"},
      {"png animation", "fcTL"},
      {"webp plain RGBA", "ALPH"},
      {"webp lossless RGBA", "VP8L"},
      {"webp plain RGB with metadata", "EXIF"},
      {"webp animation", "ANMF"},
      {"webp animated with blending", "ALPH"},
      {"png animated palette of 8 bits", "fdAT"},
      {"avif sequence", "avis"},
      {"avif plain RGBA", "auxC"},
  };
  std::set<std::string> seen;
  for (const Seed& seed : AllSeeds()) {
    const auto mark = marks.find(seed.name);
    if (mark == marks.end()) continue;
    seen.insert(seed.name);
    EXPECT_TRUE(HasBytes(seed.bytes, mark->second)) << seed.name;
  }
  for (const auto& [name, mark] : marks) {
    if (FindCodecByName(name.substr(0, name.find(' '))) == nullptr) continue;
    EXPECT_TRUE(seen.contains(name)) << name;
  }
}

TEST(ContainerTest, JoiningWhatWasSplitGivesTheSameBytes) {
  for (const Seed& seed : AllSeeds()) {
    const Container kind = ContainerOf(seed.bytes);
    ASSERT_NE(kind, Container::kNone) << seed.name;
    const size_t lead_bytes = LeadBytes(kind, std::span(seed.bytes));
    const auto parts = SplitParts(kind, std::span(seed.bytes).subspan(lead_bytes));
    EXPECT_GE(parts.size(), 1u) << seed.name;
    EXPECT_EQ(JoinParts(kind, parts),
              FuzzInput(seed.bytes.begin() + static_cast<ptrdiff_t>(lead_bytes), seed.bytes.end()))
        << seed.name;
    const auto is_tagged = [](const Part& part) { return !part.tag.empty(); };
    EXPECT_TRUE(std::any_of(parts.begin(), parts.end(), is_tagged)) << seed.name;
  }
}

TEST(MutationTest, IsTheSameForTheSameState) {
  std::vector<FuzzInput> inputs;
  for (const Seed& seed : AllSeeds()) inputs.push_back(seed.bytes);
  for (uint64_t i = 0; i < 200; ++i) {
    std::mt19937_64 one(i), other(i);
    EXPECT_EQ(Mutated(inputs, one), Mutated(inputs, other));
  }
}

// A mutation that no decoder accepts shows nothing beyond the first check.
TEST(MutationTest, SomeOfEveryFormatStillDecodeAndMostDoNot) {
  for (const Codec* codec : AllCodecs()) {
    std::vector<FuzzInput> inputs;
    for (const Seed& seed : FuzzSeeds(codec->name)) inputs.push_back(seed.bytes);
    std::mt19937_64 random(1);
    int changed = 0, accepted = 0;
    for (int i = 0; i < 300; ++i) {
      const FuzzInput input = Mutated(inputs, random);
      if (std::find(inputs.begin(), inputs.end(), input) != inputs.end()) continue;
      ++changed;
      accepted += DecodeAll(input).status.ok() ? 1 : 0;
    }
    EXPECT_GT(changed, 240) << codec->name;
    EXPECT_GT(accepted, changed / 20) << codec->name;
    EXPECT_LT(accepted, changed) << codec->name;
    std::printf("%s: %d of %d decode\n", std::string(codec->name).c_str(), accepted, changed);
  }
}

}  // namespace
}  // namespace pixpress
