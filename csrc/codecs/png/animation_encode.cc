#include "codecs/png/animation_encode.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/difference_sink.h"
#include "codecs/png/chunks.h"
#include "codecs/png/data.h"
#include "codecs/png/filter.h"
#include "codecs/png/frames.h"
#include "codecs/png/numbers.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint64_t kMost16 = 65535;
constexpr uint32_t kMostPlays = 0x7FFFFFFF;
// From this effort on, both ways to blend are tried where both are possible.
constexpr int kTrialEffort = 3;
constexpr size_t kDataBytes = 256u << 10;
constexpr uint8_t kRgbaType = 6;

// The nearest to n/d that two numbers of 16 bits can say.
FrameDuration Fit16(uint64_t n, uint64_t d) {
  const uint64_t common = std::gcd(n, d);
  n /= common;
  d /= common;
  if (n > kMost16 || d > kMost16) {
    const uint64_t fitting = n <= d ? kMost16 : std::max<uint64_t>(1, kMost16 * d / n);
    n = std::min(kMost16, (2 * n * fitting + d) / (2 * d));
    d = fitting;
  }
  return {static_cast<uint32_t>(n), static_cast<uint32_t>(d)};
}

class PngAnimation final : public DifferenceSink {
 public:
  PngAnimation(const AnimationInfo& animation, const EncodeOptions& options,
               const Metadata& metadata, const WorkContext& context, ByteChain* out)
      : DifferenceSink(animation, {.can_restore = true, .grid_px = 1}, context),
        options_(options),
        metadata_(metadata),
        out_(out) {}
  using DifferenceSink::Init;

 private:
  FrameDuration StoredDuration(const FrameDuration& duration) override {
    return Fit16(duration.numerator, duration.denominator);
  }

  bool Extend(FrameDuration* duration, const FrameDuration& more) const override {
    const uint64_t d = std::lcm<uint64_t>(duration->denominator, more.denominator);
    const uint64_t n =
        duration->numerator * (d / duration->denominator) + more.numerator * (d / more.denominator);
    const uint64_t common = std::gcd(n, d);
    if (n / common > kMost16 || d / common > kMost16) return false;
    *duration = {static_cast<uint32_t>(n / common), static_cast<uint32_t>(d / common)};
    return true;
  }

  Status WriteFrame(const CanvasFrame& frame) override {
    const FrameContent content = LookAtFrame(frame);
    const uint64_t pixels = uint64_t{frame.place.width} * frame.place.height;
    // Pillow restores what a frame has drawn itself if that was blended over.
    const bool may_blend = content.may_blend_over && content.still_px > 0 && !frame.is_first &&
                           frame.disposal != CanvasDisposal::kRestore;
    const bool tries_both = may_blend && options_.effort >= kTrialEffort;
    ByteChain data(context().meter);
    CanvasBlend blend = CanvasBlend::kSource;
    if (tries_both || (may_blend && content.still_px >= pixels / 2)) blend = CanvasBlend::kOver;
    PIXPRESS_RETURN_IF_ERROR(Compress(frame, blend, &data));
    if (tries_both) {
      ByteChain rival(context().meter);
      PIXPRESS_RETURN_IF_ERROR(Compress(frame, CanvasBlend::kSource, &rival));
      if (rival.size_bytes() < data.size_bytes()) {
        data = std::move(rival);
        blend = CanvasBlend::kSource;
      }
    }
    return Append(frame, blend, data);
  }

  Status Compress(const CanvasFrame& frame, CanvasBlend blend, ByteChain* data) {
    PIXPRESS_ASSIGN_OR_RETURN(const Image image,
                              MakeFrameImage(frame, blend, /*has_alpha=*/true, context().meter));
    return WritePngStream(image, PngRowFormatOf(image.layout(), 8), options_, context(), data);
  }

  Status Append(const CanvasFrame& frame, CanvasBlend blend, const ByteChain& data) {
    const PngFrameControl control{next_sequence_++, frame.place, frame.duration, frame.disposal,
                                  blend};
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out_, "fcTL", MakePngFrameControl(control)));
    ++frames_;
    for (const Bytes piece : data.chunks()) {
      for (size_t at = 0; at < piece.size(); at += kDataBytes) {
        const Bytes part = piece.subspan(at, std::min(kDataBytes, piece.size() - at));
        PIXPRESS_RETURN_IF_ERROR(frame.is_first ? AppendPngChunk(out_, "IDAT", part)
                                                : AppendFrameData(part));
      }
    }
    return Status();
  }

  Status AppendFrameData(Bytes part) {
    chunk_.resize(4);
    StorePng32(next_sequence_++, chunk_.data());
    chunk_.insert(chunk_.end(), part.begin(), part.end());
    return AppendPngChunk(out_, "fdAT", chunk_);
  }

  Status WriteEnd() override {
    std::array<uint8_t, 13> ihdr = {};
    StorePng32(animation().width, ihdr.data());
    StorePng32(animation().height, ihdr.data() + 4);
    ihdr[8] = 8;
    ihdr[9] = kRgbaType;
    std::array<uint8_t, 8> actl;
    StorePng32(frames_, actl.data());
    StorePng32(std::min(animation().loop_count, kMostPlays), actl.data() + 4);
    ByteChain head(context().meter);
    PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(&head));
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(&head, "IHDR", ihdr));
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(&head, "acTL", actl));
    PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata_, &head));
    std::vector<uint8_t> flat(head.size_bytes());
    head.CopyTo(flat.data());
    PIXPRESS_RETURN_IF_ERROR(out_->Prepend(flat));
    return AppendPngChunk(out_, "IEND", {});
  }

  const EncodeOptions options_;
  const Metadata metadata_;
  ByteChain* const out_;  // Not owned.
  std::vector<uint8_t> chunk_;
  uint32_t next_sequence_ = 0;
  uint32_t frames_ = 0;
};

}  // namespace

uint64_t PngAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options) {
  const ImageLayout layout =
      ImageLayout::Interleaved(animation.width, animation.height, ColorModel::kRgb, true);
  const uint64_t pixels = SaturatingMul(animation.width, animation.height);
  // Filter bytes, stored blocks, and the chunks around them.
  constexpr uint64_t kFrameBytes = 256;
  const uint64_t rows = SaturatingAdd(SaturatingMul(pixels, 4) + animation.height, kFrameBytes);
  const uint64_t frame = SaturatingAdd(rows, rows / 64);
  // One frame more is on its way when the last useful byte is there.
  const uint64_t output = std::min(SaturatingMul(frame, animation.frames),
                                   SaturatingAdd(animation.useful_bytes, SaturatingMul(frame, 2)));
  // Two attempts, each with an image and what deflates it.
  const uint64_t data = PngDataMemoryBytes(PngRowFormatOf(layout, 8), animation.height, options);
  const uint64_t attempts = SaturatingAdd(Image::MemoryBytes(layout), SaturatingMul(data, 2));
  constexpr uint64_t kSlackBytes = 2u << 20;
  return SaturatingAdd(
      SaturatingAdd(DifferenceSink::CanvasMemoryBytes(animation.width, animation.height), attempts),
      SaturatingAdd(SaturatingAdd(output, output / 16), kSlackBytes));
}

Result<std::unique_ptr<FrameSink>> StartPngAnimation(const AnimationInfo& animation,
                                                     const EncodeOptions& options,
                                                     const Metadata& metadata,
                                                     const WorkContext& context, ByteChain* out) {
  auto sink = std::make_unique<PngAnimation>(animation, options, metadata, context, out);
  PIXPRESS_RETURN_IF_ERROR(sink->Init());
  return std::unique_ptr<FrameSink>(std::move(sink));
}

}  // namespace pixpress
