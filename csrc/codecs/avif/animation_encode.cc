#include "codecs/avif/animation_encode.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/animation_output.h"
#include "codecs/avif/encode.h"
#include "codecs/avif/library.h"
#include "codecs/avif/movie.h"

namespace pixpress {
namespace {

// Hundredths and thousandths of a second are whole units, and so are 24, 30 and 60 frames per
// second and what video makes of them (1001/24000).
constexpr uint32_t kUnitsPerSecond = 360'000;
#if AVIF_VERSION >= 1000000
constexpr uint32_t kMostLoops = std::numeric_limits<int>::max();
#endif
// libaom 3.6 crashes in its faster ways, which are for video calls, on some small sequences.
constexpr int kFastestSpeed = 6;
// libaom puts frames that only others are predicted from into one buffer with the next one that is
// shown. It is too small for five frames of noise, and large enough for three.
constexpr const char* kShallowPyramid = "3";
// What libaom 3.6 holds per pixel of 4:2:0 and of 4:4:4, with alpha, and more for each frame that
// it looks ahead (measured: 400 to 460 and 460 to 570); and whatever the size (22 MB).
constexpr uint64_t kCoarseChromaBytesPerPixel = 440;
constexpr uint64_t kFullChromaBytesPerPixel = 520;
constexpr uint64_t kCoarseChromaBytesAhead = 4;
constexpr uint64_t kFullChromaBytesAhead = 7;
constexpr uint64_t kMostFramesAhead = 24;
constexpr uint64_t kEncoderBytes = 32u << 20;

// Noise takes 1.5 times its pixels, and the boxes of two frames of one pixel 2.6 KB.
uint64_t OutputBytes(const AnimationInfo& animation, const EncodeOptions& options) {
  return AnimationOutputBytes(animation, {.is_lossless = options.lossless,
                                          .quality = options.quality,
                                          .most_pixel_bytes = 6,
                                          .most_overhead_part = 4,
                                          .free_bytes = 8u << 20,
                                          .file_head_bytes = 4u << 10,
                                          .frame_head_bytes = 512});
}

class AvifSequence final : public FrameSink {
 public:
  AvifSequence(const AnimationInfo& animation, const EncodeOptions& options,
               const Metadata& metadata, const WorkContext& context, ByteChain* out)
      : animation_(animation),
        options_(options),
        metadata_(metadata),
        stop_(context.stop),
        out_(out) {}

  Status Init() {
    if (encoder_ == nullptr) return Status(StatusCode::kMemoryLimit, "no memory for libavif");
    PIXPRESS_RETURN_IF_ERROR(ConfigureAvif(options_, encoder_.get()));
    encoder_->speed = std::min(encoder_->speed, kFastestSpeed);
    encoder_->timescale = kUnitsPerSecond;
    if (options_.noisy_frames) {
      PIXPRESS_RETURN_IF_ERROR(SetAvif(avifEncoderSetCodecSpecificOption, encoder_.get(),
                                       "gf-max-pyr-height", kShallowPyramid));
    }
#if AVIF_VERSION >= 1000000
    encoder_->repetitionCount =
        animation_.loop_count == 0
            ? AVIF_REPETITION_COUNT_INFINITE
            : static_cast<int>(std::min(animation_.loop_count, kMostLoops)) - 1;
#endif
    return Status();
  }

  Status Add(const Image& canvas, const FrameDuration& duration) override {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    PIXPRESS_ASSIGN_OR_RETURN(const AvifImage image, MakeAvifImage(canvas, options_, metadata_));
    return Checked(avifEncoderAddImage(encoder_.get(), image.get(), rounder_.Next(duration),
                                       AVIF_ADD_IMAGE_FLAG_NONE));
  }

  Status Finish() override {
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    AvifBytes bytes;
    PIXPRESS_RETURN_IF_ERROR(Checked(avifEncoderFinish(encoder_.get(), &bytes.data)));
    encoder_.reset();
    const std::span<uint8_t> file(bytes.data.data, bytes.data.size);
    std::vector<uint8_t> tail;
    PIXPRESS_RETURN_IF_ERROR(FinishAvifMovie(animation_.loop_count, file, &tail));
    const uint64_t most = OutputBytes(animation_, options_);
    // The profile is there twice: with the first picture and with the track.
    if (file.size() > most + 2 * metadata_.size_bytes()) {
      return Status(StatusCode::kMemoryLimit,
                    "the animation takes more than the " + std::to_string(most) +
                        " bytes that were set aside for it; a lower quality takes less");
    }
    PIXPRESS_RETURN_IF_ERROR(out_->Append(file));
    return out_->Append(tail);
  }

  bool may_be_too_noisy() const override { return is_refused_ && !options_.noisy_frames; }

 private:
  Status Checked(avifResult result) {
    is_refused_ =
        result == AVIF_RESULT_ENCODE_COLOR_FAILED || result == AVIF_RESULT_ENCODE_ALPHA_FAILED;
    return AvifStatus(result, encoder_->diag, StatusCode::kInternal);
  }

  const AnimationInfo animation_;
  const EncodeOptions options_;
  const Metadata metadata_;
  const StopToken stop_;
  ByteChain* const out_;  // Not owned.
  AvifEncoder encoder_{avifEncoderCreate()};
  DurationRounder rounder_{kUnitsPerSecond};
  bool is_refused_ = false;  // By libaom.
};

}  // namespace

uint64_t AvifAnimationMemoryBytes(const AnimationInfo& animation, const EncodeOptions& options) {
  const bool is_full = options.lossless || options.chroma_h == 1;
  const uint64_t ahead = std::min<uint64_t>(animation.frames, kMostFramesAhead);
  const uint64_t per_pixel = is_full ? kFullChromaBytesPerPixel + ahead * kFullChromaBytesAhead
                                     : kCoarseChromaBytesPerPixel + ahead * kCoarseChromaBytesAhead;
  const uint64_t pixels = SaturatingMul(animation.width, animation.height);
  // The frames as coded, the file that libavif makes of them, and ours.
  const uint64_t output = SaturatingMul(OutputBytes(animation, options), 3);
  return SaturatingAdd(SaturatingMul(pixels, per_pixel), SaturatingAdd(output, kEncoderBytes));
}

Result<std::unique_ptr<FrameSink>> StartAvifAnimation(const AnimationInfo& animation,
                                                      const EncodeOptions& options,
                                                      const Metadata& metadata,
                                                      const WorkContext& context, ByteChain* out) {
  auto sink = std::make_unique<AvifSequence>(animation, options, metadata, context, out);
  PIXPRESS_RETURN_IF_ERROR(sink->Init());
  return std::unique_ptr<FrameSink>(std::move(sink));
}

}  // namespace pixpress
