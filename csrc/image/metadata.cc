#include "image/metadata.h"

#include <utility>

#include "image/exif.h"

namespace pixpress {

uint64_t Metadata::size_bytes() const {
  uint64_t bytes = icc.size() + exif.size() + xmp.size() + iptc.size();
  for (const std::string& comment : comments) bytes += comment.size();
  for (const PngText& text : png_texts) bytes += text.data.size();
  return bytes;
}

Metadata ApplyPolicy(Metadata metadata, MetadataPolicy policy, bool oriented) {
  if (oriented) metadata.orientation = 1;
  if (policy == MetadataPolicy::kAll) {
    SetExifOrientation(metadata.exif, metadata.orientation);
    return metadata;
  }
  Metadata kept;
  kept.icc = std::move(metadata.icc);
  kept.png_color = metadata.png_color;
  kept.orientation = metadata.orientation;
  ExifSummary summary;
  if (policy == MetadataPolicy::kSafe) {
    kept.density = metadata.density;
    summary = ParseExif(metadata.exif);
  }
  summary.orientation = kept.orientation;
  kept.exif = BuildExif(summary);
  return kept;
}

}  // namespace pixpress
