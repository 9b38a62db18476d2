#include <algorithm>
#include <numeric>

#include "base/checked_math.h"
#include "codecs/jpeg/block_finder.h"
#include "codecs/jpeg/decode.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/metadata.h"

namespace pixpress {
namespace {

ImageLayout StoredPlanes(const JpegHeader& header) {
  ImageLayout layout;
  layout.plane_count = 0;
  const bool is_gray = header.coded_color == ColorModel::kGray;
  if (!is_gray && header.coded_color != ColorModel::kYCbCr) return layout;
  layout.width = header.width;
  layout.height = header.height;
  layout.color = header.coded_color;
  layout.plane_count = header.component_count;
  uint32_t max_h = 1, max_v = 1;
  for (size_t c = 0; c < header.component_count; ++c) {
    max_h = std::max<uint32_t>(max_h, header.components[c].h);
    max_v = std::max<uint32_t>(max_v, header.components[c].v);
  }
  for (size_t c = 0; c < header.component_count; ++c) {
    const JpegComponent& component = header.components[c];
    PlaneLayout& plane = layout.planes[c];
    plane.h_samples = is_gray ? 1 : component.h;
    plane.v_samples = is_gray ? 1 : component.v;
    plane.width = is_gray ? header.width : DivideRoundingUp(header.width * component.h, max_h);
    plane.height = is_gray ? header.height : DivideRoundingUp(header.height * component.v, max_v);
  }
  return layout;
}

ImageLayout ScaledPlanes(ImageLayout layout, const DecodeOptions& options) {
  const uint32_t denominator = std::max<uint32_t>(options.scale_denominator, 1);
  const uint32_t side = 8 / denominator;
  const uint32_t max_h = layout.max_h_samples(), max_v = layout.max_v_samples();
  const uint32_t width = layout.width, height = layout.height;
  layout.width = DivideRoundingUp(width, denominator);
  layout.height = DivideRoundingUp(height, denominator);
  uint32_t h_divisor = 0, v_divisor = 0;
  std::array<uint32_t, 3> h = {}, v = {};
  for (size_t p = 0; p < layout.plane_count; ++p) {
    PlaneLayout& plane = layout.planes[p];
    const uint32_t own = JpegBlockSide(layout, p, options);
    h[p] = plane.h_samples * (own / side);
    v[p] = plane.v_samples * (own / side);
    plane.width = DivideRoundingUp(width * plane.h_samples * own, max_h * 8);
    plane.height = DivideRoundingUp(height * plane.v_samples * own, max_v * 8);
    h_divisor = std::gcd(h_divisor, h[p]);
    v_divisor = std::gcd(v_divisor, v[p]);
  }
  for (size_t p = 0; p < layout.plane_count; ++p) {
    layout.planes[p].h_samples = static_cast<uint8_t>(h[p] / h_divisor);
    layout.planes[p].v_samples = static_cast<uint8_t>(v[p] / v_divisor);
  }
  return layout;
}

}  // namespace

Result<ImageInfo> ProbeJpeg(Bytes head, uint64_t total_bytes, const Limits& limits) {
  PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(total_bytes, limits));
  PIXPRESS_ASSIGN_OR_RETURN(const JpegHeader header, ParseJpegHeader(head));
  ImageInfo info;
  info.format = Format::kJpeg;
  if (header.sof != 0) {
    PIXPRESS_RETURN_IF_ERROR(CheckDimensions(header.width, header.height, limits));
  }
  if (!header.is_complete) {
    if (head.size() >= total_bytes) {
      return Status(StatusCode::kCorruptImage, "JPEG: the file ends inside its header");
    }
    info.needs_more_input = true;
    return info;
  }
  info.width = header.width;
  info.height = header.height;
  info.color = header.coded_color == ColorModel::kYCbCr ? ColorModel::kRgb : header.coded_color;
  info.is_progressive = header.sof == 0xC2 || header.sof == 0xCA ||
                        header.first_scan_components < header.component_count;
  info.is_lossless = false;
  info.has_icc = header.has_icc;
  info.encoded_bytes = total_bytes;
  info.estimated_quality = header.estimated_quality;
  info.planar = StoredPlanes(header);
  PIXPRESS_ASSIGN_OR_RETURN(const Metadata metadata, ReadJpegMetadata(head, limits));
  info.orientation = metadata.orientation;
  return info;
}

ImageLayout JpegDecodedLayout(const ImageInfo& info, const DecodeOptions& options) {
  if (options.planar && info.planar.plane_count > 0) return ScaledPlanes(info.planar, options);
  const uint32_t denominator = std::max<uint32_t>(options.scale_denominator, 1);
  return ImageLayout::Interleaved(DivideRoundingUp(info.width, denominator),
                                  DivideRoundingUp(info.height, denominator), info.color, false);
}

uint32_t JpegBlockSide(const ImageLayout& stored, size_t plane, const DecodeOptions& options) {
  const uint32_t max_h = stored.max_h_samples(), max_v = stored.max_v_samples();
  const uint32_t h = stored.planes[plane].h_samples, v = stored.planes[plane].v_samples;
  const uint32_t side = 8 / std::max<uint32_t>(options.scale_denominator, 1);
  if (options.scales_evenly) return side;
  uint32_t own = side;
  while (own < 8 && max_h * side % (h * own * 2) == 0 && max_v * side % (v * own * 2) == 0) {
    own *= 2;
  }
  return own;
}

uint64_t JpegLibraryBytes(const ImageInfo& info) {
  // Components are padded to whole MCUs of at most 32 x 32; row buffers hold a few MCU rows.
  const uint64_t width = uint64_t{info.width} + 32, height = uint64_t{info.height} + 32;
  uint64_t sixteenths = info.color == ColorModel::kCmyk  ? 64
                        : info.color == ColorModel::kRgb ? 48
                                                         : 16;
  uint64_t mcu_rows = info.color == ColorModel::kGray ? 8 : 32;
  if (info.planar.plane_count > 0) {
    const uint32_t max_h = info.planar.max_h_samples(), max_v = info.planar.max_v_samples();
    sixteenths = 0;
    for (size_t p = 0; p < info.planar.plane_count; ++p) {
      const PlaneLayout& plane = info.planar.planes[p];
      sixteenths += DivideRoundingUp<uint64_t>(16 * plane.h_samples * plane.v_samples,
                                               uint64_t{max_h} * max_v);
    }
    mcu_rows = 8 * max_v;
  }
  uint64_t bytes = 256 << 10;
  if (info.is_progressive) bytes += width * height * sixteenths / 16 * 2;
  bytes += 5 * width * mcu_rows * sixteenths / 16 + 16 * width;
  return bytes;
}

uint64_t JpegDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  // The source's own rows, of one MCU row (at most 4 x 8), in a buffer of the next size class.
  const ImageLayout layout = JpegDecodedLayout(info, options);
  uint64_t own = 0;
  for (size_t p = 0; p < layout.plane_count; ++p) own += (layout.row_bytes(p) + 128) * 32;
  if (options.planar && options.scale_denominator == 8) own += JpegBlockFinder::MemoryBytes();
  return SaturatingAdd(JpegLibraryBytes(info), own + own / 4 + 4096);
}

}  // namespace pixpress
