#include "codec_fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "image/image.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace pixpress {
namespace {

// Of a job: what DESIGN allows a plan to be short of, for images of a few pixels.
constexpr uint64_t kSlackBytes = 1 << 20;

[[noreturn]] void Complain(const char* what, const Status& status) {
  std::fprintf(stderr, "%s: code %d: %s\n", what, static_cast<int>(status.code()),
               status.message().c_str());
  std::abort();
}

// Bytes may be damaged, of another kind, or too large. Anything else is our own mistake.
void CheckFailure(const char* what, const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kUnidentifiedImage:
    case StatusCode::kCorruptImage:
    case StatusCode::kUnsupportedFormat:
    case StatusCode::kLimitExceeded:
    case StatusCode::kMemoryLimit:
      return;
    default:
      Complain(what, status);
  }
}

void CheckMemory(const char* what, const Meter& meter, uint64_t planned_bytes) {
  if (meter.peak_bytes() <= planned_bytes + kSlackBytes) return;
  std::fprintf(stderr, "%s holds %zu bytes, planned are %zu\n", what, meter.peak_bytes(),
               static_cast<size_t>(planned_bytes));
  std::abort();
}

// Every byte is read, so that a sanitizer sees what was not written or lies outside.
uint64_t SumOf(const Image& image) {
  uint64_t sum = 0;
  for (size_t p = 0; p < image.layout().plane_count; ++p) {
    for (uint32_t y = 0; y < image.layout().planes[p].height; ++y) {
      const uint8_t* row = image.row(p, y);
      for (size_t i = 0; i < image.layout().row_bytes(p); ++i) sum += row[i];
    }
  }
  return sum;
}

// The buffers of one attempt and what it runs on.
class Workplace {
 public:
  Meter& meter() { return meter_; }
  WorkContext context() { return {.meter = meter_, .stop = {}, .parallel = parallel_}; }
  // That of a job that goes on in spite of damage.
  WorkContext salvage_context() {
    WorkContext salvaging = context();
    salvaging.salvage = &salvage_;
    return salvaging;
  }

 private:
  Salvage salvage_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
};

void FuzzRows(const Codec& codec, Bytes bytes, const ImageInfo& info, const DecodeOptions& options,
              bool salvages) {
  Workplace place;
  Meter& meter = place.meter();
  auto rows = codec.decode(bytes, info, options, FuzzLimits(),
                           salvages ? place.salvage_context() : place.context());
  CheckFailure("decode", rows.status());
  if (!rows.ok()) return;
  const ImageLayout layout = codec.decoded_layout(info, options);
  const ImageLayout& made = rows.value()->layout();
  if (made.width != layout.width || made.height != layout.height || made.color != layout.color) {
    Complain("decode yields another layout than it announced", Status());
  }
  Workplace collected;
  const auto image = CollectRows(*rows.value(), collected.context());
  CheckFailure("rows", image.status());
  if (image.ok()) [[maybe_unused]]
    volatile uint64_t sum = SumOf(image.value());
  CheckMemory("decode", meter, codec.decode_memory_bytes(info, options));
}

void FuzzFrames(const Codec& codec, Bytes bytes, const ImageInfo& info, bool salvages) {
  if (info.frames < 2 || codec.open_frames == nullptr) return;
  Workplace place;
  auto frames = codec.open_frames(bytes, info, FuzzLimits(),
                                  salvages ? place.salvage_context() : place.context());
  CheckFailure("open_frames", frames.status());
  if (!frames.ok()) return;
  for (uint32_t i = 0; i < info.frames; ++i) {
    Frame frame;
    const Status status = frames.value()->Next(&frame);
    CheckFailure("frames", status);
    if (!status.ok() || frame.canvas == nullptr) break;
    [[maybe_unused]] volatile uint64_t sum = SumOf(*frame.canvas);
  }
  CheckMemory("frames", place.meter(), codec.frames_memory_bytes(info));
}

void FuzzTranscode(const Codec& codec, Bytes bytes, const ImageInfo& info) {
  EncodeOptions options;
  if (codec.transcode == nullptr || !codec.can_transcode(info, options)) return;
  Workplace place;
  ByteChain out(place.meter());
  const auto done =
      codec.transcode(bytes, info, options, FuzzLimits(), Metadata(), place.context(), &out);
  CheckFailure("transcode", done.status());
  CheckMemory("transcode", place.meter(), codec.transcode_memory_bytes(info, options));
}

void FuzzRewrite(const Codec& codec, Bytes bytes) {
  for (const MetadataPolicy policy : {MetadataPolicy::kSafe, MetadataPolicy::kAll}) {
    Workplace place;
    ByteChain out(place.meter());
    CheckFailure("rewrite", codec.rewrite(bytes, policy, FuzzLimits(), place.context(), &out));
  }
}

}  // namespace

Limits FuzzLimits() {
  Limits limits;
  limits.max_pixels = 1 << 18;
  limits.max_total_pixels = 1 << 20;
  limits.max_frames = 64;
  limits.max_scans = 20;
  limits.max_metadata_bytes = 1 << 20;
  limits.max_input_bytes = 1 << 20;
  return limits;
}

void FuzzCodec(Format format, Bytes bytes) {
  const Codec* codec = FindCodec(format);
  if (codec == nullptr || !codec->sniff(bytes)) return;
  auto probed = codec->probe(bytes, bytes.size(), FuzzLimits());
  CheckFailure("probe", probed.status());
  if (!probed.ok()) return;
  const ImageInfo& info = probed.value();
  if (info.needs_more_input) Complain("probe wants more than the whole input", Status());
  CheckFailure("metadata", codec->read_metadata(bytes, FuzzLimits()).status());
  for (const bool salvages : {false, true}) {
    for (uint32_t scale = 1; scale <= codec->max_scale_denominator; scale *= 8) {
      const auto denominator = static_cast<uint8_t>(scale);
      FuzzRows(*codec, bytes, info, {.planar = false, .scale_denominator = denominator}, salvages);
      if (info.planar.plane_count == 0) continue;
      FuzzRows(*codec, bytes, info, {.planar = true, .scale_denominator = denominator}, salvages);
    }
    FuzzFrames(*codec, bytes, info, salvages);
  }
  FuzzTranscode(*codec, bytes, info);
  FuzzRewrite(*codec, bytes);
}

}  // namespace pixpress
