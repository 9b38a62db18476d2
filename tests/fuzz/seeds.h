#pragma once
// Small images of every kind to begin fuzzing with, made anew each time.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pixpress {

inline constexpr uint32_t kSeedMostSidePx = 64;
inline constexpr size_t kSeedMostBytes = 32 << 10;

struct Seed {
  std::string name;  // Its format first.
  std::vector<uint8_t> bytes;
};

// Of the format of that name, or of every built-in one for "all". All decode and are within the
// bounds above. Aborts if one cannot be made.
std::vector<Seed> FuzzSeeds(std::string_view format_name);

// What our own encoders do not write; used by FuzzSeeds.
std::vector<Seed> PlainJpegSeeds();
std::vector<Seed> PlainPngSeeds();
std::vector<Seed> PlainGifSeeds();
std::vector<Seed> PlainWebpSeeds();
std::vector<Seed> PlainAvifSeeds();

}  // namespace pixpress
