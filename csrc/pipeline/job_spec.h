#pragma once
// One job as the caller describes it, and what became of it.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/file.h"
#include "base/status.h"
#include "codecs/codec.h"
#include "image/limits.h"
#include "image/metadata.h"
#include "image/pixel_format.h"
#include "kernels/resize.h"
#include "memory/byte_chain.h"

namespace pixpress {

enum class Fit : uint8_t { kInside, kCover, kContain, kFill, kOutside };
enum class Subsampling : uint8_t { kAuto, k444, k422, k420 };
// Whether an animation stays one: kAuto keeps its frames where the output format has animations.
enum class Animated : uint8_t { kAuto, kOff, kOn };
// What to do with a damaged source: kSalvage goes on with what can be decoded.
enum class OnDamage : uint8_t { kError, kSalvage };
// Which part of the image kCover keeps and where kContain puts it: 0 is left or top, 1 right or
// bottom, 0.5 the center.
struct Position {
  float x = 0.5f;
  float y = 0.5f;
};

// The settings of DESIGN section 4 that are built, validated by Python and again by Plan.
struct Settings {
  Format format = Format::kUnknown;  // kUnknown: keep the source's.
  int quality = 80;
  int effort = 5;
  bool lossless = false;
  uint32_t width = 0;  // 0: follows from the height, or stays.
  uint32_t height = 0;
  Fit fit = Fit::kInside;
  Position position;
  Rgba background = {255, 255, 255, 255};
  Filter resample = Filter::kLanczos;
  bool upscale = false;
  bool linear = false;
  Progressive progressive = Progressive::kAuto;
  Subsampling subsampling = Subsampling::kAuto;
  uint32_t colors = 0;  // PNG: 2 to 256 for a palette; 0 keeps true color.
  float dither = 1.0f;
  // The least quality of a palette, or the least SSIMULACRA2 of a lossy output.
  std::optional<int> min_quality;
  float target_score = 0;  // The SSIMULACRA2 to aim at, instead of `quality`; 0: none.
  uint64_t max_bytes = 0;  // The largest output; 0: any. Lossy formats lower the quality for it.
  int near_lossless = 100;
  int alpha_quality = 100;
  MetadataPolicy metadata = MetadataPolicy::kSafe;
  bool auto_orient = true;
  Animated animated = Animated::kAuto;
  uint32_t max_frames = 0;  // Frames to keep, from the first on; 0: all.
  Overwrite overwrite = Overwrite::kAll;
  OnDamage on_damage = OnDamage::kError;
  bool post_process = false;  // Try to make the output smaller without loss, whatever the effort.
  ExpertOptions expert;
  Limits limits;
};

// What pixels had besides in the file that somebody else has decoded them from.
struct Imported {
  Metadata metadata;
  uint32_t frames = 1;         // Of the file; the pixels are the first one's.
  uint64_t encoded_bytes = 0;  // The size of the file.
};

// Where the image comes from. Exactly one kind.
struct Source {
  enum class Kind : uint8_t { kFile, kBytes, kPixels };
  Kind kind = Kind::kFile;
  std::string name;  // The path, or what messages call it ("<bytes>").
  // Borrowed; the caller keeps them alive until the job has ended. kBytes: the encoded image.
  // kPixels: rows of `layout` at `stride_bytes`.
  Bytes bytes;
  ImageLayout layout;
  size_t stride_bytes = 0;
  // kPixels: null for the caller's own. The pixels count as memory of the job, as files do.
  std::shared_ptr<const Imported> imported;
};

struct JobSpec {
  std::shared_ptr<const Settings> settings;  // Shared by the jobs of a batch.
  Source source;
  std::string output_path;  // Empty: the result is kept in memory. OutputName says which file.
  std::string output_root;  // Non-empty: output_path is below it and may not leave it.
  uint64_t batch = 0;       // Jobs of one batch (0: none) run by group, then by size.
  uint32_t group = 0;
  bool isolate = false;  // Run it in a worker process whatever the pool does with others.
  uint64_t tag = 0;      // The caller's own, to know the job by before it has an id.
};

enum class SkippedReason : uint8_t {
  kNone,
  kNotSmaller,       // The original image data was kept, since the new one was not smaller.
  kOutputNotLarger,  // overwrite="smaller", and the old output is at least as small.
};

inline constexpr size_t kStageCount = static_cast<size_t>(Stage::kWrite) + 1;

// What a job that succeeded made.
struct JobResult {
  std::optional<ByteChain> data;  // Unless written to a file.
  Format format = Format::kUnknown;
  uint32_t width = 0;
  uint32_t height = 0;
  uint64_t original_bytes = 0;
  uint64_t compressed_bytes = 0;
  uint64_t estimated_memory_bytes = 0;
  uint64_t peak_memory_bytes = 0;
  SkippedReason skipped_reason = SkippedReason::kNone;
  int quality = 0;             // That it was encoded with; 0 if none was or the original was kept.
  std::optional<float> score;  // The SSIMULACRA2 of a new output, if it was asked for.
  bool is_salvaged = false;    // From a damaged source: no answer for another job.
  std::vector<std::string> warnings;
  std::array<int64_t, kStageCount> stage_ns = {};  // Time per stage, by Stage.
};

}  // namespace pixpress
