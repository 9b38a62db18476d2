#include "pipeline/settings_record.h"

#include "base/record.h"

namespace pixpress {
namespace {

// Raise it with every change of what follows.
constexpr uint8_t kVersion = 2;

// The bindings name all fields: one more in a struct does not compile until it is here as well.
template <typename Record, typename T>
void VisitLimits(Record& record, T& limits) {
  auto& [pixels, total_pixels, frames, scans, pixel_scans, metadata_bytes, input_bytes] = limits;
  record.Field(pixels);
  record.Field(total_pixels);
  record.Field(frames);
  record.Field(scans);
  record.Field(pixel_scans);
  record.Field(metadata_bytes);
  record.Field(input_bytes);
}

template <typename Record, typename T>
void VisitExpert(Record& record, T& expert) {
  auto& [trellis, scan_search, level, filter, method, sharp_yuv, speed] = expert;
  record.Field(trellis);
  record.Field(scan_search);
  record.Field(level);
  record.Field(filter);
  record.Field(method);
  record.Field(sharp_yuv);
  record.Field(speed);
}

template <typename Record, typename T>
void VisitColor(Record& record, T& color) {
  auto& [r, g, b, a] = color;
  record.Field(r);
  record.Field(g);
  record.Field(b);
  record.Field(a);
}

template <typename Record, typename T>
void Visit(Record& record, T& settings) {
  auto& [format, quality, effort, lossless, width, height, fit, position, background, resample,
         upscale, linear, progressive, subsampling, colors, dither, min_quality, target_score,
         max_bytes, near_lossless, alpha_quality, metadata, auto_orient, animated, max_frames,
         overwrite, on_damage, post_process, expert, limits] = settings;
  record.Enum(format, Format::kAuto);
  record.Field(quality);
  record.Field(effort);
  record.Field(lossless);
  record.Field(width);
  record.Field(height);
  record.Enum(fit, Fit::kOutside);
  record.Field(position.x);
  record.Field(position.y);
  VisitColor(record, background);
  record.Enum(resample, Filter::kLanczos);
  record.Field(upscale);
  record.Field(linear);
  record.Enum(progressive, Progressive::kOn);
  record.Enum(subsampling, Subsampling::k420);
  record.Field(colors);
  record.Field(dither);
  record.Field(min_quality);
  record.Field(target_score);
  record.Field(max_bytes);
  record.Field(near_lossless);
  record.Field(alpha_quality);
  record.Enum(metadata, MetadataPolicy::kAll);
  record.Field(auto_orient);
  record.Enum(animated, Animated::kOn);
  record.Field(max_frames);
  record.Enum(overwrite, Overwrite::kSmaller);
  record.Enum(on_damage, OnDamage::kSalvage);
  record.Field(post_process);
  VisitExpert(record, expert);
  VisitLimits(record, limits);
}

}  // namespace

std::string WriteSettings(const Settings& settings) {
  RecordWriter record;
  record.Field(kVersion);
  Visit(record, settings);
  return record.Take();
}

Result<Settings> ReadSettings(std::string_view bytes) {
  RecordReader record(bytes);
  uint8_t version = 0;
  record.Field(version);
  if (version != kVersion) {
    return Status(StatusCode::kOption, "the settings are of version " + std::to_string(version) +
                                           ", this build reads " + std::to_string(kVersion));
  }
  Settings settings;
  Visit(record, settings);
  if (!record.ok() || !record.is_at_end()) {
    return Status(StatusCode::kOption, "the record of settings is damaged");
  }
  return settings;
}

}  // namespace pixpress
