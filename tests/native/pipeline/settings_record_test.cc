#include "pipeline/settings_record.h"

#include <gtest/gtest.h>

#include <utility>

namespace pixpress {
namespace {

// No field has its default.
Settings OddSettings() {
  Settings settings;
  settings.format = Format::kWebp;
  settings.quality = 61;
  settings.effort = 9;
  settings.lossless = true;
  settings.width = 1601;
  settings.height = 77;
  settings.fit = Fit::kCover;
  settings.position = {0.25f, 0.75f};
  settings.background = {1, 2, 3, 4};
  settings.resample = Filter::kMitchell;
  settings.upscale = true;
  settings.linear = true;
  settings.progressive = Progressive::kOff;
  settings.subsampling = Subsampling::k422;
  settings.colors = 33;
  settings.dither = 0.5f;
  settings.min_quality = 12;
  settings.target_score = 77.5f;
  settings.max_bytes = uint64_t{1} << 40;
  settings.near_lossless = 60;
  settings.alpha_quality = 55;
  settings.metadata = MetadataPolicy::kAll;
  settings.auto_orient = false;
  settings.animated = Animated::kOff;
  settings.max_frames = 5;
  settings.overwrite = Overwrite::kNever;
  settings.on_damage = OnDamage::kSalvage;
  settings.post_process = true;
  settings.expert = {1, 0, 7, 4, 3, 1, 9};
  settings.limits = {1, 2, 3, 4, 5, 6, 7};
  return settings;
}

TEST(SettingsRecord, EveryFieldIsTheSameAfterwards) {
  const Settings odd = OddSettings();
  const auto read = ReadSettings(WriteSettings(odd));
  ASSERT_TRUE(read.ok()) << read.status().message();
  const Settings& s = read.value();
  EXPECT_EQ(s.format, odd.format);
  EXPECT_EQ(s.quality, odd.quality);
  EXPECT_EQ(s.effort, odd.effort);
  EXPECT_EQ(s.lossless, odd.lossless);
  EXPECT_EQ(s.width, odd.width);
  EXPECT_EQ(s.height, odd.height);
  EXPECT_EQ(s.fit, odd.fit);
  EXPECT_EQ(std::pair(s.position.x, s.position.y), std::pair(odd.position.x, odd.position.y));
  EXPECT_EQ(s.background, odd.background);
  EXPECT_EQ(s.resample, odd.resample);
  EXPECT_EQ(s.upscale, odd.upscale);
  EXPECT_EQ(s.linear, odd.linear);
  EXPECT_EQ(s.progressive, odd.progressive);
  EXPECT_EQ(s.subsampling, odd.subsampling);
  EXPECT_EQ(s.colors, odd.colors);
  EXPECT_EQ(s.dither, odd.dither);
  EXPECT_EQ(s.min_quality, odd.min_quality);
  EXPECT_EQ(s.target_score, odd.target_score);
  EXPECT_EQ(s.max_bytes, odd.max_bytes);
  EXPECT_EQ(s.near_lossless, odd.near_lossless);
  EXPECT_EQ(s.alpha_quality, odd.alpha_quality);
  EXPECT_EQ(s.metadata, odd.metadata);
  EXPECT_EQ(s.auto_orient, odd.auto_orient);
  EXPECT_EQ(s.animated, odd.animated);
  EXPECT_EQ(s.max_frames, odd.max_frames);
  EXPECT_EQ(s.overwrite, odd.overwrite);
  EXPECT_EQ(s.on_damage, odd.on_damage);
  EXPECT_EQ(s.limits.max_pixels, 1u);
  EXPECT_EQ(s.limits.max_total_pixels, 2u);
  EXPECT_EQ(s.limits.max_frames, 3u);
  EXPECT_EQ(s.limits.max_scans, 4u);
  EXPECT_EQ(s.limits.max_pixel_scans, 5u);
  EXPECT_EQ(s.limits.max_metadata_bytes, 6u);
  EXPECT_EQ(s.limits.max_input_bytes, 7u);
}

TEST(SettingsRecord, WhatExpertsChooseIsTheSameAfterwards) {
  const auto read = ReadSettings(WriteSettings(OddSettings()));
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_TRUE(read.value().post_process);
  EXPECT_EQ(read.value().expert, OddSettings().expert);
}

TEST(SettingsRecord, DefaultsAndAbsentValuesStay) {
  const auto read = ReadSettings(WriteSettings(Settings()));
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read.value().min_quality.has_value());
  EXPECT_EQ(WriteSettings(read.value()), WriteSettings(Settings()));
}

TEST(SettingsRecord, ARecordThatIsCutOrTooLongIsRefused) {
  const std::string record = WriteSettings(OddSettings());
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_EQ(ReadSettings(record.substr(0, size)).status().code(), StatusCode::kOption) << size;
  }
  EXPECT_FALSE(ReadSettings(record + '\0').ok());
}

TEST(SettingsRecord, AnotherVersionAndImpossibleEnumsAreRefused) {
  std::string record = WriteSettings(OddSettings());
  record[0] = 99;
  EXPECT_NE(ReadSettings(record).status().message().find("version 99"), std::string::npos);
  record = WriteSettings(OddSettings());
  record[1] = 77;  // The format.
  EXPECT_FALSE(ReadSettings(record).ok());
}

}  // namespace
}  // namespace pixpress
