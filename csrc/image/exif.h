#pragma once
// The few EXIF fields that compression must understand. Untrusted input: bounded in entries and
// depth, never reads outside the block, and damage means "absent", never an error.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "image/metadata.h"

namespace pixpress {

struct ExifSummary {
  uint8_t orientation = 1;
  std::string copyright;
  std::string artist;
  std::optional<Density> density;
};

// The TIFF block of a payload that may start with JPEG's "Exif\0\0", as some writers of other
// formats leave it.
std::span<const uint8_t> TiffBlock(std::span<const uint8_t> payload);

ExifSummary ParseExif(std::span<const uint8_t> tiff);

// A new TIFF block with just these fields; empty if all are at their defaults.
std::vector<uint8_t> BuildExif(const ExifSummary& summary);

// Overwrite the orientation tag of IFD0, if there is one.
void SetExifOrientation(std::vector<uint8_t>& tiff, uint8_t orientation);

}  // namespace pixpress
