#include "codec_fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "image/image.h"
#include "input_clock.h"
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

// How an input is run; its own bytes choose.
struct Trial {
  Limits limits;
  const Clock* clock;  // Null: the deadline counts the polls of each attempt.
  int64_t deadline_ns;
  bool salvages = false;  // Goes on in spite of damage.
};

// One attempt: its buffers, what it runs on, and what it must be within. All that it made is
// destroyed before it.
class Attempt {
 public:
  Attempt(const char* what, const Trial& trial, uint64_t planned_bytes)
      : what_(what), planned_bytes_(planned_bytes), salvages_(trial.salvages) {
    stop_.SetDeadline(trial.clock != nullptr ? trial.clock : &polls_, trial.deadline_ns);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  ~Attempt() {
    if (meter_.current_bytes() != 0 || pool_.live_bytes() != 0) {
      std::fprintf(stderr, "%s: %zu bytes are never returned\n", what_, meter_.current_bytes());
      std::abort();
    }
    if (meter_.peak_bytes() <= planned_bytes_ + kSlackBytes) return;
    std::fprintf(stderr, "%s holds %zu bytes, planned are %zu\n", what_, meter_.peak_bytes(),
                 static_cast<size_t>(planned_bytes_));
    std::abort();
  }

  Meter& meter() { return meter_; }
  WorkContext context() {
    WorkContext context = {.meter = meter_, .stop = StopToken(stop_), .parallel = parallel_};
    if (salvages_) context.salvage = &salvage_;
    return context;
  }

  // Bytes may be damaged, of another kind, or too large, and the time may be over. Anything else is
  // our own mistake.
  bool IsOk(const Status& status) const {
    switch (status.code()) {
      case StatusCode::kOk:
        return true;
      case StatusCode::kTaskTimeout:
        if (stop_.reason() == StopReason::kTimedOut) return false;
        Complain(what_, status);
      case StatusCode::kUnidentifiedImage:
      case StatusCode::kCorruptImage:
      case StatusCode::kUnsupportedFormat:
      case StatusCode::kLimitExceeded:
      case StatusCode::kMemoryLimit:
        return false;
      default:
        Complain(what_, status);
    }
  }

 private:
  const char* const what_;
  const uint64_t planned_bytes_;
  const bool salvages_;
  Salvage salvage_;
  const PollClock polls_;
  StopSource stop_;
  BufferPool pool_{0};
  Meter meter_{pool_};
  SerialParallel parallel_;
};

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

void FuzzRows(const Codec& codec, Bytes bytes, const ImageInfo& info, const DecodeOptions& options,
              const Trial& trial) {
  const ImageLayout layout = codec.decoded_layout(info, options);
  Attempt collecting("rows", trial, Image::MemoryBytes(layout));
  Attempt attempt("decode", trial, codec.decode_memory_bytes(info, options));
  auto rows = codec.decode(bytes, info, options, trial.limits, attempt.context());
  if (!attempt.IsOk(rows.status())) return;
  const ImageLayout& made = rows.value()->layout();
  if (made.width != layout.width || made.height != layout.height || made.color != layout.color) {
    Complain("decode yields another layout than it announced", Status());
  }
  const WorkContext context = attempt.context();
  const auto image = CollectRows(
      *rows.value(),
      {.meter = collecting.meter(), .stop = context.stop, .parallel = context.parallel});
  if (attempt.IsOk(image.status())) [[maybe_unused]]
    volatile uint64_t sum = SumOf(image.value());
}

void FuzzFrames(const Codec& codec, Bytes bytes, const ImageInfo& info, const Trial& trial) {
  if (info.frames < 2 || codec.open_frames == nullptr) return;
  Attempt attempt("frames", trial, codec.frames_memory_bytes(info));
  auto frames = codec.open_frames(bytes, info, trial.limits, attempt.context());
  if (!attempt.IsOk(frames.status())) return;
  for (uint32_t i = 0; i < info.frames; ++i) {
    Frame frame;
    if (!attempt.IsOk(frames.value()->Next(&frame)) || frame.canvas == nullptr) break;
    [[maybe_unused]] volatile uint64_t sum = SumOf(*frame.canvas);
  }
}

void FuzzTranscode(const Codec& codec, Bytes bytes, const ImageInfo& info, const Trial& trial) {
  EncodeOptions options;
  if (codec.transcode == nullptr || !codec.can_transcode(info, options)) return;
  Attempt attempt("transcode", trial, codec.transcode_memory_bytes(info, options));
  ByteChain out(attempt.meter());
  const auto done =
      codec.transcode(bytes, info, options, trial.limits, Metadata(), attempt.context(), &out);
  attempt.IsOk(done.status());
}

void FuzzRewrite(const Codec& codec, Bytes bytes, const Trial& trial) {
  for (const MetadataPolicy policy : {MetadataPolicy::kSafe, MetadataPolicy::kAll}) {
    Attempt attempt("rewrite", trial, 2 * bytes.size());
    ByteChain out(attempt.meter());
    attempt.IsOk(codec.rewrite(bytes, policy, trial.limits, attempt.context(), &out));
  }
}

uint32_t HashOf(Bytes bytes) {
  uint32_t hash = 2166136261u;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 16777619u;
  return hash ^ hash >> 16;
}

void FuzzParts(const Codec& codec, Bytes bytes, const Trial& trial) {
  const Attempt attempt("header", trial, 0);
  auto probed = codec.probe(bytes, bytes.size(), trial.limits);
  if (!attempt.IsOk(probed.status())) return;
  const ImageInfo& info = probed.value();
  if (info.needs_more_input) Complain("probe wants more than the whole input", Status());
  attempt.IsOk(codec.read_metadata(bytes, trial.limits).status());
  for (const bool salvages : {false, true}) {
    Trial rows = trial;
    rows.salvages = salvages;
    for (uint32_t scale = 1; scale <= codec.max_scale_denominator; scale *= 8) {
      const auto denominator = static_cast<uint8_t>(scale);
      FuzzRows(codec, bytes, info, {.planar = false, .scale_denominator = denominator}, rows);
      if (info.planar.plane_count == 0) continue;
      for (const bool evenly : {false, true}) {
        FuzzRows(codec, bytes, info,
                 {.planar = true, .scale_denominator = denominator, .scales_evenly = evenly}, rows);
      }
    }
    FuzzFrames(codec, bytes, info, rows);
  }
  FuzzTranscode(codec, bytes, info, trial);
  FuzzRewrite(codec, bytes, trial);
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
  const CpuClock cpu;
  Trial trial = {FuzzLimits(), &cpu, cpu.NowNs() + kInputDeadlineNs};
  const uint32_t hash = HashOf(bytes);
  if (hash % 16 == 0) {
    trial.clock = nullptr;
    trial.deadline_ns = (hash >> 8) % (1u << (hash >> 4) % 8);  // Most have a few polls only.
  } else if (hash % 64 == 1) {
    trial.limits.max_pixels = 1 << 24;
    trial.limits.max_total_pixels = 1 << 28;
  }
  FuzzParts(*codec, bytes, trial);
}

}  // namespace pixpress
