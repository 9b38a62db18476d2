#pragma once
// Everything about a job that can be decided from its header, before memory is reserved.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "codecs/codec.h"
#include "pipeline/geometry.h"
#include "pipeline/job_spec.h"
#include "pipeline/score_search.h"

namespace pixpress {

enum class StepKind : uint8_t {
  kOrient,    // Turn and mirror as `Plan::orientation` says. Holds the image.
  kResize,    // Geometry's crop and scale, and plane sampling.
  kColor,     // From the colors that the profile or PNG chunks say to sRGB.
  kConvert,   // Color model, alpha, depth.
  kPad,       // Onto the canvas of fit="contain".
  kQuantize,  // To a palette. Holds the image.
};

struct PlannedStep {
  StepKind kind;
  ImageLayout out;  // The layout that it yields.
};

struct Candidate;

struct Plan {
  ImageInfo info;
  const Codec* source_codec = nullptr;  // Null for pixels.
  const Codec* output_codec = nullptr;
  ImageLayout decoded;
  DecodeOptions decode;
  EncodeOptions encode;
  Geometry geometry;
  uint8_t orientation = 1;  // To apply; 1 is none.
  std::vector<PlannedStep> steps;
  // All frames go through the steps, one by one; else the first, or the only one.
  bool is_animated = false;
  AnimationInfo animation;  // Of the output.
  // Set if the coded data becomes the output without pixels; then the steps and `encode` are what
  // is done instead if the codec finds that this image needs pixels after all.
  std::optional<EncodeOptions> transcode;
  // If not 0, the quality is lowered until the output is not larger; then the image is held.
  uint64_t max_bytes = 0;
  // If it has scores, outputs are measured; then too the image is held, as RGB.
  ScoreGoal goal;
  // The same format, size and turn: the original image data is an answer too.
  bool may_keep_original = false;
  // The peak of buffers and modelled library memory, the encoded input of files included.
  uint64_t memory_bytes = 0;
  // format="auto": what may become the output. Then nothing above is set but the info, the source's
  // codec and the memory.
  std::vector<Candidate> candidates;

  bool obeys_quality() const {
    return output_codec->obeys_quality != nullptr && output_codec->obeys_quality(encode);
  }
  const ImageLayout& encoded_layout() const { return steps.empty() ? decoded : steps.back().out; }
  bool Has(StepKind kind) const;
  // Better run in a worker process: a library may end the one that it is in.
  bool may_abort() const;
  bool is_searched() const { return max_bytes != 0 || goal.has_scores(); }
};

// An output that format="auto" may try.
struct Candidate {
  Plan plan;
  std::shared_ptr<const Settings> settings;  // The job's, for this format.
  bool is_lossless = false;
};

// Pure. `input_bytes` is the size of an encoded file, 0 for memory that the caller owns.
// kOption, kEncoderUnavailable or kLimitExceeded if the job cannot be done.
Result<Plan> MakePlan(const JobSpec& spec, const ImageInfo& info, uint64_t input_bytes);

// The peak of what RunPlan holds: buffers, modelled library memory, and `input_bytes` of a file
// that is read. `encoded_bytes` is the size of the encoded source, wherever it lies.
uint64_t PlanMemoryBytes(const Plan& plan, const Settings& settings, uint64_t input_bytes,
                         uint64_t encoded_bytes);

// The info of a job whose source is pixels.
ImageInfo PixelInfo(const Source& source);

}  // namespace pixpress
