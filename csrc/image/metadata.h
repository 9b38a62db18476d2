#pragma once
// What an image carries besides pixels, independent of the container, and what a policy keeps of
// it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace pixpress {

enum class MetadataPolicy : uint8_t {
  kNone,  // Nothing but what the pixels need to look right: ICC and colour chunks, orientation.
  kSafe,  // And copyright, artist, density. Never GPS, thumbnail, XMP, maker notes, comments.
  kAll,
};

struct Density {
  uint32_t x = 0;
  uint32_t y = 0;
  enum class Unit : uint8_t { kAspect, kPerInch, kPerCm, kPerMeter } unit = Unit::kAspect;
  bool operator==(const Density&) const = default;
};

// Colour meaning of PNG besides ICC; zero or empty where absent. Raw payloads of the chunks.
struct PngColor {
  std::optional<uint32_t> gamma;                  // gAMA
  std::optional<std::array<uint32_t, 8>> chroma;  // cHRM
  std::optional<uint8_t> srgb_intent;             // sRGB
  std::optional<std::array<uint8_t, 4>> cicp;     // cICP
  bool operator==(const PngColor&) const = default;
};

// A text or time chunk of PNG as it is.
struct PngText {
  std::string type;  // "tEXt", "zTXt", "iTXt" or "tIME"
  std::vector<uint8_t> data;
  bool operator==(const PngText&) const = default;
};

struct Metadata {
  std::vector<uint8_t> icc;
  std::vector<uint8_t> exif;  // A TIFF block without "Exif\0\0".
  std::vector<uint8_t> xmp;
  std::vector<uint8_t> iptc;          // Photoshop APP13 payload of JPEG.
  std::vector<std::string> comments;  // Of JPEG.
  std::vector<PngText> png_texts;
  uint8_t orientation = 1;  // 1 to 8, as in EXIF; repeated from `exif`, which may lack it.
  std::optional<Density> density;
  PngColor png_color;
  // Of JPEG: what else is in the file besides the main picture, for messages. Never kept.
  std::string extra_pictures;

  uint64_t size_bytes() const;
};

// What `policy` keeps. With `oriented` the pixels have been turned: orientation becomes 1 and the
// tag is dropped. The EXIF block is rewritten, never copied, under kSafe; under kAll only its
// orientation is changed, in place.
Metadata ApplyPolicy(Metadata metadata, MetadataPolicy policy, bool oriented);

}  // namespace pixpress
