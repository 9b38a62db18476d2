#pragma once
// Jobs on encoded bytes, run here and now, with their promises about memory checked each time.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "pipeline/one_shot.h"

namespace pixpress {

class OneShotTest : public testing::Test {
 protected:
  struct Outcome {
    Status status;
    std::vector<uint8_t> data;
    std::vector<std::string> warnings;
    bool is_salvaged = false;
  };

  static Outcome Run(Source source, const Settings& settings) {
    JobSpec spec;
    spec.settings = std::make_shared<const Settings>(settings);
    spec.source = std::move(source);
    OneShotJob job;
    Outcome outcome;
    outcome.status = job.Run(spec);
    if (!outcome.status.ok()) return outcome;
    const JobResult& result = job.result();
    EXPECT_LE(result.peak_memory_bytes, result.estimated_memory_bytes);
    outcome.data.resize(result.data->size_bytes());
    result.data->CopyTo(outcome.data.data());
    outcome.warnings = result.warnings;
    outcome.is_salvaged = result.is_salvaged;
    return outcome;
  }

  // `most_px` of a side; 0 keeps the size.
  static Outcome Compress(Bytes bytes, Format format, OnDamage on_damage, uint32_t most_px = 0) {
    Source source;
    source.kind = Source::Kind::kBytes;
    source.name = "<bytes>";
    source.bytes = bytes;
    Settings settings;
    settings.format = format;
    settings.effort = 1;
    settings.on_damage = on_damage;
    settings.width = settings.height = most_px;
    return Run(std::move(source), settings);
  }

  // What damage may lead to, besides success.
  static bool IsAboutInput(StatusCode code) {
    return code == StatusCode::kOk || code == StatusCode::kCorruptImage ||
           code == StatusCode::kUnidentifiedImage || code == StatusCode::kUnsupportedFormat ||
           code == StatusCode::kLimitExceeded;
  }

  // Both modes agree on what is sound, and what was salvaged is sound, and said to be salvaged.
  static Outcome ExpectSalvageIsHonest(Bytes bytes, Format format, uint32_t most_px = 0) {
    const Outcome strict = Compress(bytes, format, OnDamage::kError, most_px);
    Outcome salvaged = Compress(bytes, format, OnDamage::kSalvage, most_px);
    EXPECT_TRUE(IsAboutInput(strict.status.code())) << strict.status.message();
    EXPECT_TRUE(IsAboutInput(salvaged.status.code())) << salvaged.status.message();
    if (strict.status.ok()) {
      EXPECT_TRUE(salvaged.status.ok()) << salvaged.status.message();
      EXPECT_EQ(salvaged.data, strict.data);
      EXPECT_FALSE(salvaged.is_salvaged);
    } else if (salvaged.status.ok()) {
      EXPECT_EQ(strict.status.code(), StatusCode::kCorruptImage) << strict.status.message();
      EXPECT_TRUE(salvaged.is_salvaged);
      EXPECT_NE(salvaged.warnings.back().find(strict.status.message()), std::string::npos);
      const Outcome again = Compress(salvaged.data, Format::kPng, OnDamage::kError);
      EXPECT_TRUE(again.status.ok()) << again.status.message();
    }
    return salvaged;
  }
};

}  // namespace pixpress
