#include "isolation/message.h"

#include <gtest/gtest.h>

#include "pipeline/settings_record.h"

namespace pixpress {
namespace {

template <typename T>
T RoundTrip(T message) {
  auto read = ReadMessage(WriteMessage(std::move(message)));
  EXPECT_TRUE(read.ok()) << read.status().message();
  return std::get<T>(std::move(read).value());
}

Done FullDone() {
  Done done;
  done.sequence = 7;
  done.status = Status(StatusCode::kOutput, "no space", 28).At(Stage::kWrite);
  done.result.format = Format::kAvif;
  done.result.width = 11;
  done.result.height = 12;
  done.result.original_bytes = 13;
  done.result.compressed_bytes = 14;
  done.result.estimated_memory_bytes = 15;
  done.result.peak_memory_bytes = 16;
  done.result.skipped_reason = SkippedReason::kNotSmaller;
  done.result.quality = 17;
  done.result.is_salvaged = true;
  done.result.warnings = {"one", "two"};
  for (size_t i = 0; i < kStageCount; ++i) done.result.stage_ns[i] = static_cast<int64_t>(100 + i);
  return done;
}

TEST(Message, AHelloIsTheSameAfterwards) {
  EXPECT_EQ(RoundTrip(Hello{.filter_errno = -5}).filter_errno, -5);
}

TEST(Message, ARequestToPlanIsTheSameAfterwards) {
  PlanRequest request;
  request.sequence = 3;
  request.settings.quality = 33;
  request.is_pixels = true;
  request.layout = ImageLayout::Interleaved(5, 6, ColorModel::kGray, true, 16);
  request.head_bytes = 1;
  request.total_bytes = uint64_t{1} << 40;
  request.grant_bytes = 9;
  const PlanRequest read = RoundTrip(request);
  EXPECT_EQ(read.sequence, 3u);
  EXPECT_EQ(WriteSettings(read.settings), WriteSettings(request.settings));
  EXPECT_TRUE(read.is_pixels);
  EXPECT_EQ(read.layout.width, 5u);
  EXPECT_EQ(read.layout.height, 6u);
  EXPECT_EQ(read.layout.color, ColorModel::kGray);
  EXPECT_TRUE(read.layout.has_alpha);
  EXPECT_EQ(read.layout.bits, 16);
  EXPECT_EQ(read.layout.row_bytes(0), 20u);
  EXPECT_EQ(read.head_bytes, 1u);
  EXPECT_EQ(read.total_bytes, uint64_t{1} << 40);
  EXPECT_EQ(read.grant_bytes, 9u);
}

TEST(Message, ARequestToRunAndAPlanAreTheSameAfterwards) {
  EXPECT_EQ(RoundTrip(RunRequest{.sequence = 8}).sequence, 8u);
  Planned planned;
  planned.sequence = 4;
  planned.status = Status(StatusCode::kCorruptImage, "bad").At(Stage::kProbe);
  planned.needs_more_input = true;
  planned.memory_bytes = 5;
  const Planned read = RoundTrip(planned);
  EXPECT_EQ(read.sequence, 4u);
  EXPECT_EQ(read.status.code(), StatusCode::kCorruptImage);
  EXPECT_EQ(read.status.stage(), Stage::kProbe);
  EXPECT_EQ(read.status.message(), "bad");
  EXPECT_TRUE(read.needs_more_input);
  EXPECT_EQ(read.memory_bytes, 5u);
}

TEST(Message, TheEndOfAJobIsTheSameAfterwards) {
  const Done done = FullDone();
  const Done read = RoundTrip(FullDone());
  EXPECT_EQ(read.sequence, 7u);
  EXPECT_EQ(read.status.sys_errno(), 28);
  EXPECT_EQ(read.result.format, Format::kAvif);
  EXPECT_EQ(read.result.width, 11u);
  EXPECT_EQ(read.result.height, 12u);
  EXPECT_EQ(read.result.original_bytes, 13u);
  EXPECT_EQ(read.result.compressed_bytes, 14u);
  EXPECT_EQ(read.result.estimated_memory_bytes, 15u);
  EXPECT_EQ(read.result.peak_memory_bytes, 16u);
  EXPECT_EQ(read.result.skipped_reason, SkippedReason::kNotSmaller);
  EXPECT_EQ(read.result.quality, 17);
  EXPECT_TRUE(read.result.is_salvaged);
  EXPECT_EQ(read.result.warnings, done.result.warnings);
  EXPECT_EQ(read.result.stage_ns, done.result.stage_ns);
}

TEST(Message, LongTextsAreCutToWhatFits) {
  Done done = FullDone();
  done.status = Status(StatusCode::kInternal, std::string(100'000, 'x'));
  done.result.warnings.assign(10'000, std::string(10'000, 'y'));
  const std::string bytes = WriteMessage(std::move(done));
  EXPECT_LE(bytes.size(), kMostMessageBytes);
  EXPECT_TRUE(ReadMessage(bytes).ok());
}

TEST(Message, WhatIsCutOrOfNoKindIsRefused) {
  const std::string whole = WriteMessage(FullDone());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ReadMessage(whole.substr(0, size)).status().code(), StatusCode::kWorkerCrashed);
  }
  EXPECT_FALSE(ReadMessage(whole + "x").ok());
  EXPECT_FALSE(ReadMessage("\x09").ok());
}

TEST(Message, AnyByteMayBeWrongWithoutHarm) {
  const std::string whole = WriteMessage(FullDone());
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0, 1, 0x7F, 0x80, 0xFF}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      const auto read = ReadMessage(changed);
      if (!read.ok()) continue;
      const Done* done = std::get_if<Done>(&read.value());
      if (done != nullptr) {
        EXPECT_LE(static_cast<int>(done->result.format), 5);
      }
    }
  }
}

}  // namespace
}  // namespace pixpress
