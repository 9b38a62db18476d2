#include "codecs/png_encode.h"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/png_chunks.h"
#include "codecs/png_reduce.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint32_t kFilters = 5;  // None, Sub, Up, Average, Paeth.
// Up to here one call of libdeflate takes well under 100 ms at most levels; above, zlib streams so
// that a job can be stopped.
constexpr size_t kWholeBytes = 4u << 20;
constexpr size_t kFeedBytes = 256u << 10;
constexpr size_t kIdatBytes = 64u << 10;

// What IHDR says about the rows.
struct RowFormat {
  uint8_t color_type = 0;
  uint8_t depth = 8;
  size_t row_bytes = 0;
  size_t pixel_bytes = 1;  // Distance of the filters' left neighbor.
};

RowFormat FormatOf(const ImageLayout& layout) {
  RowFormat format;
  const size_t channels = layout.planes[0].channels;
  if (layout.color == ColorModel::kIndexed) {
    const size_t colors = layout.palette.size();
    format.color_type = 3;
    format.depth = colors <= 2 ? 1 : colors <= 4 ? 2 : colors <= 16 ? 4 : 8;
    format.row_bytes = DivideRoundingUp<size_t>(size_t{layout.width} * format.depth, 8);
    return format;
  }
  format.color_type =
      static_cast<uint8_t>((layout.color == ColorModel::kRgb ? 2 : 0) + (layout.has_alpha ? 4 : 0));
  format.depth = layout.bits;
  format.row_bytes = layout.row_bytes(0);
  format.pixel_bytes = channels * layout.bytes_per_sample();
  return format;
}

// A row as PNG stores it: packed indices, big-endian samples.
void PackRow(const Image& image, uint32_t y, const RowFormat& format, uint8_t* out) {
  const uint8_t* row = image.row(0, y);
  if (format.depth == 16) {
    for (size_t i = 0; i + 1 < format.row_bytes; i += 2) {
      out[i] = row[i + 1];
      out[i + 1] = row[i];
    }
  } else if (format.depth == 8) {
    std::memcpy(out, row, format.row_bytes);
  } else {
    std::memset(out, 0, format.row_bytes);
    const uint32_t per_byte = 8u / format.depth;
    for (uint32_t x = 0; x < image.layout().width; ++x) {
      const uint32_t shift = 8 - format.depth * (x % per_byte + 1);
      out[x / per_byte] = static_cast<uint8_t>(out[x / per_byte] | row[x] << shift);
    }
  }
}

uint8_t Paeth(int left, int up, int corner) {
  const int guess = left + up - corner;
  const int from_left = std::abs(guess - left);
  const int from_up = std::abs(guess - up);
  const int from_corner = std::abs(guess - corner);
  if (from_left <= from_up && from_left <= from_corner) return static_cast<uint8_t>(left);
  return static_cast<uint8_t>(from_up <= from_corner ? up : corner);
}

// `row` and `up` have `step` zero bytes before them.
void FilterRow(uint32_t filter, const uint8_t* row, const uint8_t* up, size_t bytes, size_t step,
               uint8_t* out) {
  const uint8_t* left = row - step;
  const uint8_t* corner = up - step;
  switch (filter) {
    case 1:
      for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(row[i] - left[i]);
      break;
    case 2:
      for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(row[i] - up[i]);
      break;
    case 3:
      for (size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<uint8_t>(row[i] - (left[i] + up[i]) / 2);
      }
      break;
    case 4:
      for (size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<uint8_t>(row[i] - Paeth(left[i], up[i], corner[i]));
      }
      break;
    default:
      std::memcpy(out, row, bytes);
  }
}

uint64_t SumOfMagnitudes(const uint8_t* row, size_t bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; ++i) {
    sum += static_cast<uint64_t>(std::abs(static_cast<int8_t>(row[i])));
  }
  return sum;
}

// All rows, each behind its filter byte, by the least sum of magnitudes; unfiltered for palettes.
Result<Buffer> FilterImage(const Image& image, const RowFormat& format,
                           const WorkContext& context) {
  const size_t line = format.row_bytes + 1;
  PIXPRESS_ASSIGN_OR_RETURN(Buffer filtered, context.meter.Allocate(line * image.layout().height));
  const size_t margin = 8;
  std::vector<uint8_t> now(margin + format.row_bytes);
  std::vector<uint8_t> before(margin + format.row_bytes);
  std::vector<uint8_t> trial(format.row_bytes);
  const uint32_t filters = format.color_type == 3 ? 1 : kFilters;
  for (uint32_t y = 0; y < image.layout().height; ++y) {
    if (y % 64 == 0) PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    PackRow(image, y, format, now.data() + margin);
    uint8_t* out = filtered.data() + y * line;
    uint64_t least = ~uint64_t{0};
    for (uint32_t filter = 0; filter < filters; ++filter) {
      FilterRow(filter, now.data() + margin, before.data() + margin, format.row_bytes,
                format.pixel_bytes, trial.data());
      const uint64_t sum = SumOfMagnitudes(trial.data(), format.row_bytes);
      if (sum >= least) continue;
      least = sum;
      out[0] = static_cast<uint8_t>(filter);
      std::memcpy(out + 1, trial.data(), format.row_bytes);
    }
    std::swap(now, before);
  }
  return filtered;
}

struct FreeDeflater {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};

int DeflateLevel(int effort) {
  constexpr std::array<int, 10> kLevels = {1, 3, 5, 6, 8, 9, 10, 11, 12, 12};
  return kLevels[static_cast<size_t>(std::clamp(effort, 1, 10) - 1)];
}

Status AppendIdat(Bytes stream, ByteChain* out) {
  for (size_t at = 0; at < stream.size(); at += kIdatBytes) {
    const size_t bytes = std::min(kIdatBytes, stream.size() - at);
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "IDAT", stream.subspan(at, bytes)));
  }
  return Status();
}

Status DeflateWhole(const Buffer& filtered, int effort, const WorkContext& context,
                    ByteChain* out) {
  const std::unique_ptr<libdeflate_compressor, FreeDeflater> deflater(
      libdeflate_alloc_compressor(DeflateLevel(effort)));
  if (deflater == nullptr) return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  PIXPRESS_ASSIGN_OR_RETURN(Buffer stream, context.meter.Allocate(libdeflate_zlib_compress_bound(
                                               deflater.get(), filtered.size())));
  const size_t made = libdeflate_zlib_compress(deflater.get(), filtered.data(), filtered.size(),
                                               stream.data(), stream.size());
  return AppendIdat(stream.span().first(made), out);
}

Status DeflateStream(const Buffer& filtered, int effort, const WorkContext& context,
                     ByteChain* out) {
  z_stream zlib = {};
  if (deflateInit(&zlib, std::min(9, DeflateLevel(effort))) != Z_OK) {
    return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&zlib, deflateEnd);
  std::vector<uint8_t> chunk(kIdatBytes);
  size_t at = 0;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    const size_t feed = std::min(kFeedBytes, filtered.size() - at);
    zlib.next_in = const_cast<uint8_t*>(filtered.data() + at);
    zlib.avail_in = static_cast<uInt>(feed);
    at += feed;
    do {
      zlib.next_out = chunk.data();
      zlib.avail_out = static_cast<uInt>(chunk.size());
      state = deflate(&zlib, at == filtered.size() ? Z_FINISH : Z_NO_FLUSH);
      const size_t made = chunk.size() - zlib.avail_out;
      if (made > 0) PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "IDAT", Bytes(chunk).first(made)));
    } while (zlib.avail_out == 0);
    if (context.progress != nullptr) {
      context.progress->Report(Stage::kEncode, static_cast<double>(at) / filtered.size());
    }
  }
  return Status();
}

Status AppendHeader(const ImageLayout& layout, const RowFormat& format, ByteChain* out) {
  std::array<uint8_t, 13> ihdr = {};
  for (int i = 0; i < 4; ++i) {
    ihdr[i] = static_cast<uint8_t>(layout.width >> (24 - 8 * i));
    ihdr[4 + i] = static_cast<uint8_t>(layout.height >> (24 - 8 * i));
  }
  ihdr[8] = format.depth;
  ihdr[9] = format.color_type;
  return AppendPngChunk(out, "IHDR", ihdr);
}

Status AppendPalette(const std::vector<Rgba>& palette, ByteChain* out) {
  if (palette.empty()) return Status();
  std::vector<uint8_t> plte;
  std::vector<uint8_t> trns;
  size_t opaque_from = 0;
  for (size_t i = 0; i < palette.size(); ++i) {
    plte.insert(plte.end(), {palette[i].r, palette[i].g, palette[i].b});
    trns.push_back(palette[i].a);
    if (palette[i].a != 255) opaque_from = i + 1;
  }
  trns.resize(opaque_from);
  PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "PLTE", plte));
  return trns.empty() ? Status() : AppendPngChunk(out, "tRNS", trns);
}

}  // namespace

ImageLayout PngAcceptedLayout(const ImageLayout& from, const EncodeOptions&) {
  if (from.color == ColorModel::kIndexed) return from;
  const bool is_gray = from.color == ColorModel::kGray;
  return ImageLayout::Interleaved(from.width, from.height,
                                  is_gray ? ColorModel::kGray : ColorModel::kRgb, from.has_alpha,
                                  from.bits);
}

uint64_t PngEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions&) {
  const uint64_t raw = SaturatingAdd(layout.total_bytes(), layout.height);
  // The image, its reduction, the filtered rows, the stream, and the output.
  return SaturatingAdd(SaturatingMul(raw, 6), 2u << 20);
}

Status EncodePng(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                 const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Image image, CollectRows(source, context));
  PIXPRESS_ASSIGN_OR_RETURN(image, ReducePng(std::move(image), context));
  const RowFormat format = FormatOf(image.layout());
  PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(out));
  PIXPRESS_RETURN_IF_ERROR(AppendHeader(image.layout(), format, out));
  PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata, out));
  PIXPRESS_RETURN_IF_ERROR(AppendPalette(image.layout().palette, out));
  PIXPRESS_ASSIGN_OR_RETURN(const Buffer filtered, FilterImage(image, format, context));
  PIXPRESS_RETURN_IF_ERROR(filtered.size() <= kWholeBytes
                               ? DeflateWhole(filtered, options.effort, context, out)
                               : DeflateStream(filtered, options.effort, context, out));
  return AppendPngChunk(out, "IEND", {});
}

}  // namespace pixpress
