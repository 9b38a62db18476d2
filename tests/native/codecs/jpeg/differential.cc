#include "codecs/jpeg/differential.h"

#include <array>

#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/error.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

Limits SmallLimits() {
  Limits limits;
  limits.max_pixels = 256 * 256;
  limits.max_scans = 20;
  return limits;
}

// The blocks of `rows` rows of a component without what pads them to whole MCUs.
void AppendBlocks(const int16_t* blocks, size_t stride, size_t columns, size_t rows,
                  std::vector<int16_t>* to) {
  for (size_t y = 0; y < rows; ++y) {
    to->insert(to->end(), blocks + y * stride, blocks + y * stride + columns * 64);
  }
}

size_t BlocksOf(uint32_t side, uint32_t factor, uint32_t most) {
  const uint32_t samples = (side * factor + most - 1) / most;
  return (samples + 7) / 8;
}

bool ReadRows(const JpegFrame& frame, std::array<std::vector<int16_t>, 3>* planes) {
  BufferPool pool(1 << 24);
  Meter meter(pool);
  JpegEntropyDecoder decoder;
  if (!decoder.Start(frame, meter).ok()) return false;
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    JpegBlockTargets blocks = {};
    for (size_t c = 0; c < frame.component_count; ++c) {
      const size_t size = size_t{frame.block_columns(c)} * frame.components[c].v * 64;
      (*planes)[c].resize((*planes)[c].size() + size);
      int16_t* const first = (*planes)[c].data() + (*planes)[c].size() - size;
      for (size_t y = 0; y < frame.components[c].v; ++y) {
        blocks[c][y] = first + y * frame.block_columns(c) * 64;
      }
    }
    if (!decoder.ReadRow(blocks)) return false;
  }
  return decoder.is_at_end();
}

}  // namespace

bool IsSmallJpeg(Bytes bytes) {
  const Limits limits = SmallLimits();
  if (bytes.size() < 3 || bytes[0] != 0xFF || bytes[1] != 0xD8) return false;
  const auto info = kJpegCodec.probe(bytes, bytes.size(), limits);
  return info.ok() && !info.value().needs_more_input && CheckJpegScans(bytes, limits).ok();
}

JpegCoefficientRead ReadOwnCoefficients(Bytes bytes) {
  JpegCoefficientRead read;
  const Result<JpegFrame> frame = ParseJpegFrame(bytes);
  if (!frame.ok()) return read;
  std::array<std::vector<int16_t>, 3> planes;
  if (!ReadRows(frame.value(), &planes)) return read;
  read.is_ok = true;
  for (size_t c = 0; c < frame.value().component_count; ++c) {
    const JpegFrame& own = frame.value();
    AppendBlocks(planes[c].data(), size_t{own.block_columns(c)} * 64,
                 BlocksOf(own.width, own.components[c].h, own.max_h),
                 BlocksOf(own.height, own.components[c].v, own.max_v), &read.coefficients);
  }
  return read;
}

JpegCoefficientRead ReadLibraryCoefficients(Bytes bytes) {
  JpegCoefficientRead read;
  jpeg_decompress_struct info = {};
  JpegErrors errors;
  info.err = errors.Install();
  jvirt_barray_ptr* arrays = nullptr;
  const bool is_read = RunFenced(errors, [&] {
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes.data(), bytes.size());
    jpeg_read_header(&info, TRUE);
    arrays = jpeg_read_coefficients(&info);
  });
  read.is_ok = is_read && !errors.is_damaged();
  for (int c = 0; read.is_ok && c < info.num_components; ++c) {
    const jpeg_component_info& component = info.comp_info[c];
    for (JDIMENSION y = 0; y < component.height_in_blocks; ++y) {
      JBLOCKARRAY row = info.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info),
                                                     arrays[c], y, 1, FALSE);
      AppendBlocks(row[0][0], 0, component.width_in_blocks, 1, &read.coefficients);
    }
  }
  jpeg_destroy_decompress(&info);
  return read;
}

std::vector<uint8_t> TranscodeForTest(Bytes bytes, int quality, int effort) {
  const Limits limits = SmallLimits();
  const auto info = kJpegCodec.probe(bytes, bytes.size(), limits);
  EncodeOptions options;
  options.quality = quality;
  options.effort = effort;
  if (!info.ok() || !CanTranscodeJpeg(info.value(), options)) return {};
  BufferPool pool(1 << 24);
  Meter meter(pool);
  SerialParallel parallel;
  const WorkContext context{meter, {}, parallel};
  ByteChain out(meter);
  const auto done = TranscodeJpeg(bytes, info.value(), options, limits, {}, context, &out);
  if (!done.ok() || !done.value()) return {};
  std::vector<uint8_t> flat(out.size_bytes());
  out.CopyTo(flat.data());
  return flat;
}

}  // namespace pixpress
