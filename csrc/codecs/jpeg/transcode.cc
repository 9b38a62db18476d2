#include "codecs/jpeg/transcode.h"

#include <algorithm>
#include <optional>

#include "base/checked_math.h"
#include "codecs/jpeg/decode.h"
#include "codecs/jpeg/encode.h"
#include "codecs/jpeg/fold.h"
#include "codecs/jpeg/markers.h"
#include "codecs/jpeg/requantize.h"
#include "codecs/jpeg/requantize_rows.h"
#include "codecs/jpeg/source_rows.h"
#include "codecs/jpeg/token_sink.h"
#include "codecs/jpeg/trellis.h"

namespace pixpress {
namespace {

// Is 4:2:0 wanted of an image with finer chroma? The other way round is never done: it adds
// nothing.
bool WantsFold(const ImageInfo& info, const EncodeOptions& options) {
  if (info.planar.plane_count != 3 || options.chroma_h != 2 || options.chroma_v != 2) return false;
  const auto& planes = info.planar.planes;
  const auto is_single = [](const PlaneLayout& p) { return p.h_samples == 1 && p.v_samples == 1; };
  return is_single(planes[1]) && is_single(planes[2]) && planes[0].h_samples <= 2 &&
         planes[0].v_samples <= 2 && planes[0].h_samples * planes[0].v_samples < 4;
}

struct Quantization {
  JpegFrame frame;  // Of the output.
  std::array<JpegStepScale, 3> scales;
  bool is_identity = true;
};

// The source's own tables where no quality is given.
Quantization ChooseQuantization(const JpegFrame& source, std::optional<int> quality, bool folds,
                                bool is_perceptual) {
  const auto wanted_of = is_perceptual ? PerceptualJpegQuant : StandardJpegQuant;
  Quantization chosen;
  chosen.frame = folds ? JpegFoldedRows::FoldedFrame(source) : source;
  chosen.frame.restart_interval = 0;
  chosen.is_identity = !folds;
  for (size_t c = 0; c < source.component_count; ++c) {
    const JpegQuantTable& own = source.quant[source.components[c].quant];
    const JpegQuantTable target =
        quality.has_value() ? ChooseJpegQuant(own, wanted_of(*quality, c > 0)) : own;
    // Folding quantizes chroma itself.
    chosen.scales[c] = MakeJpegStepScale(folds && c > 0 ? target : own, target);
    chosen.is_identity &= chosen.scales[c].is_identity;
    chosen.frame.quant[c] = target;
    chosen.frame.components[c].quant = static_cast<uint8_t>(c);
  }
  return chosen;
}

// Chooses levels of the output. Folded chroma has the output's steps already.
JpegTrellis MakeTrellis(const JpegFrame& source, const JpegFrame& target, bool folds) {
  JpegTrellis::Steps from = {}, to = {};
  for (size_t c = 0; c < source.component_count; ++c) {
    const JpegFrame& frame = folds && c > 0 ? target : source;
    const JpegQuantTable& own = frame.quant[frame.components[c].quant];
    for (size_t k = 0; k < 64; ++k) from[c][k] = uint32_t{own[k]} * 8;
    std::ranges::copy(target.quant[target.components[c].quant], to[c].begin());
  }
  return JpegTrellis(from, to);
}

struct Job {
  Bytes encoded;
  const ImageInfo& info;
  const EncodeOptions& options;
  const Metadata& metadata;
  const WorkContext& context;
};

// One pass from the source to a file. `is_identity` says whether it is the source's coefficients.
Result<bool> Transcode(const Job& job, std::optional<int> quality, ByteChain* out,
                       bool* is_identity) {
  const WorkContext& context = job.context;
  JpegSourceRows rows;
  PIXPRESS_ASSIGN_OR_RETURN(const bool can_read, rows.Start(job.encoded, job.info, context));
  if (!can_read) return false;
  // A lossless try keeps the sampling too.
  const bool folds = quality.has_value() && WantsFold(job.info, job.options) &&
                     JpegFoldedRows::CanFold(rows.frame());
  const bool is_perceptual = job.options.effort >= kJpegTrellisEffort;
  const Quantization chosen = ChooseQuantization(rows.frame(), quality, folds, is_perceptual);
  *is_identity = chosen.is_identity;
  if (folds) PIXPRESS_RETURN_IF_ERROR(rows.StartFold(chosen.frame, context.meter));
  std::optional<JpegTrellis> trellis;
  if (WantsJpegTrellis(job.options) && !chosen.is_identity) {
    trellis = MakeTrellis(rows.frame(), chosen.frame, folds);
  }
  JpegTrellis* const chooser = trellis.has_value() ? &*trellis : nullptr;
  JpegTokenSink sink(chosen.frame, job.options, job.metadata, context, chooser, out);
  PIXPRESS_RETURN_IF_ERROR(sink.Start());
  JpegRowsRequantizer requantizer(chosen.frame, chosen.scales, chooser, rows, sink, context);
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_in_order, requantizer.Run());
  if (!is_in_order) return false;
  PIXPRESS_RETURN_IF_ERROR(sink.Finish());
  return true;
}

// Clears what was written of an image that needs pixels.
Result<bool> TranscodeOrClear(const Job& job, std::optional<int> quality, ByteChain* out,
                              bool* is_identity) {
  out->Clear();
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_done, Transcode(job, quality, out, is_identity));
  if (!is_done) out->Clear();
  return is_done;
}

// Less than this part of the source's size saved is not worth another quantization.
bool SavesLittle(const ByteChain& out, Bytes encoded) {
  return out.size_bytes() + encoded.size() / 32 > encoded.size();
}

// Requantized, or with the same coefficients where that is no larger. One output is held at a time:
// in the rare case that the second try was in vain, the first is made again.
Result<bool> TranscodeBest(const Job& job, ByteChain* out) {
  bool is_identity = false;
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_done,
                            TranscodeOrClear(job, job.options.quality, out, &is_identity));
  if (!is_done || is_identity || !SavesLittle(*out, job.encoded)) return is_done;
  const uint64_t requantized_bytes = out->size_bytes();
  PIXPRESS_ASSIGN_OR_RETURN(const bool is_exact_done,
                            TranscodeOrClear(job, std::nullopt, out, &is_identity));
  if (!is_exact_done || out->size_bytes() <= requantized_bytes) return is_exact_done;
  return TranscodeOrClear(job, job.options.quality, out, &is_identity);
}

// Coarser steps and tables made for the image never need more than the source; the standard tables
// may need three times as much, for an image of flat blocks.
uint64_t OutputBytes(const ImageInfo& info, const EncodeOptions& options) {
  constexpr uint64_t kHeadBytes = 192 << 10;
  if (info.encoded_bytes == 0) return JpegOutputBytes(info.planar, options);
  const bool makes_tables = options.effort >= kOptimalJpegTablesEffort;
  const uint64_t growth = makes_tables ? info.encoded_bytes / 8 : info.encoded_bytes * 2;
  // The chunks of the chain grow with it, the last one being half as long at most.
  return SaturatingMul(SaturatingAdd(info.encoded_bytes, growth + kHeadBytes), 17) / 16 + (1 << 20);
}

}  // namespace

bool CanTranscodeJpeg(const ImageInfo& info, const EncodeOptions& options) {
  if (info.planar.plane_count == 0) return false;
  if (info.planar.plane_count == 1 || WantsFold(info, options)) return true;
  const ImageLayout wanted =
      ImageLayout::Ycbcr(info.width, info.height, options.chroma_h, options.chroma_v);
  return std::equal(wanted.planes.begin(), wanted.planes.end(), info.planar.planes.begin(),
                    [](const PlaneLayout& a, const PlaneLayout& b) {
                      return a.width == b.width && a.height == b.height;
                    });
}

uint64_t JpegTranscodeMemoryBytes(const ImageInfo& info, const EncodeOptions& options) {
  const uint32_t max_v = info.planar.max_v_samples(), max_h = info.planar.max_h_samples();
  uint64_t blocks = 0;
  for (size_t p = 0; p < info.planar.plane_count; ++p) {
    const PlaneLayout& plane = info.planar.planes[p];
    blocks += uint64_t{plane.h_samples} * plane.v_samples;
  }
  const uint64_t columns = DivideRoundingUp<uint64_t>(info.width, 8 * max_h);
  // A folded row has the luma of two, of one column more at most.
  const uint64_t row_blocks = WantsFold(info, options) ? (columns + 1) * 6 : columns * blocks;
  const uint64_t rows = DivideRoundingUp<uint64_t>(info.height, 8 * max_v);
  uint64_t bytes = SaturatingAdd(JpegTokenSink::MemoryBytes(row_blocks, rows, options),
                                 JpegEntropyDecoder::MemoryBytes());
  bytes =
      SaturatingAdd(bytes, JpegRowsRequantizer::MemoryBytes(row_blocks, rows, info.encoded_bytes));
  if (WantsFold(info, options)) bytes += JpegFoldedRows::MemoryBytes(columns * max_h, columns);
  if (info.is_progressive) bytes = SaturatingAdd(bytes, JpegLibraryBytes(info));
  return SaturatingAdd(bytes, OutputBytes(info, options));
}

Result<bool> TranscodeJpeg(Bytes encoded, const ImageInfo& info, const EncodeOptions& options,
                           const Limits& limits, const Metadata& metadata,
                           const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(const ImageInfo again, ProbeJpeg(encoded, encoded.size(), limits));
  // Our own decoder refuses more than one.
  const bool may_have_one =
      limits.max_scans > 0 && uint64_t{info.width} * info.height <= limits.max_pixel_scans;
  if (again.is_progressive || !may_have_one) {
    PIXPRESS_RETURN_IF_ERROR(CheckJpegScans(encoded, limits));
  }
  if (again.width != info.width || again.height != info.height ||
      again.planar.planes != info.planar.planes || again.is_progressive != info.is_progressive) {
    return Status(StatusCode::kCorruptImage, "JPEG: the image changed after it was probed");
  }
  const Job job{encoded, again, options, metadata, context};
  return TranscodeBest(job, out);
}

}  // namespace pixpress
