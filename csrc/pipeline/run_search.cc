#include "pipeline/run_search.h"

#include <memory>
#include <utility>

#include "base/clock.h"
#include "image/image.h"
#include "pipeline/encode_options.h"
#include "pipeline/open_steps.h"
#include "pipeline/score.h"
#include "pipeline/score_search.h"
#include "pipeline/search.h"
#include "pipeline/step_mirror.h"
#include "pipeline/timed_source.h"

namespace pixpress {
namespace {

using OpenRows = std::function<Result<std::unique_ptr<RowSource>>()>;

// Nobody hears of the progress of what is only looked at, and damage there is ours.
WorkContext Looking(const WorkContext& context) {
  WorkContext looking = context;
  looking.progress = nullptr;
  looking.salvage = nullptr;
  return looking;
}

// What we made and cannot read again is a fault of ours: nothing is wrong with the source.
Status OwnFault(Status status) {
  switch (status.code()) {
    case StatusCode::kUnidentifiedImage:
    case StatusCode::kCorruptImage:
    case StatusCode::kUnsupportedFormat:
    case StatusCode::kLimitExceeded:
      return Status(StatusCode::kInternal,
                    "the output cannot be decoded again: " + status.message())
          .At(Stage::kEncode);
    default:
      return status;
  }
}

// The rows of an output, with errors that are ours.
class OwnRows final : public RowSource {
 public:
  explicit OwnRows(std::unique_ptr<RowSource> rows) : rows_(std::move(rows)) {}
  const ImageLayout& layout() const override { return rows_->layout(); }
  Status Next(Stripe* stripe) override { return OwnFault(rows_->Next(stripe)); }

 private:
  const std::unique_ptr<RowSource> rows_;
};

Result<std::unique_ptr<RowSource>> DecodeOwn(const Codec& codec, Bytes output,
                                             const WorkContext& context) {
  const auto info = codec.probe(output, output.size(), kNoLimits);
  if (!info.ok()) return OwnFault(info.status());
  auto rows = codec.decode(output, info.value(), {}, kNoLimits, context);
  if (!rows.ok()) return OwnFault(std::move(rows).status());
  return std::unique_ptr<RowSource>(std::make_unique<OwnRows>(std::move(rows).value()));
}

// The score of an output against rows that are opened anew for each.
Result<double> ScoreOutput(const Plan& plan, const OpenRows& open_reference,
                           const ByteChain& output, const WorkContext& context) {
  PIXPRESS_ASSIGN_OR_RETURN(Buffer copy, context.meter.Allocate(output.size_bytes()));
  output.CopyTo(copy.data());
  PIXPRESS_ASSIGN_OR_RETURN(auto distorted, DecodeOwn(*plan.output_codec, copy.span(), context));
  PIXPRESS_ASSIGN_OR_RETURN(auto reference, open_reference());
  const uint32_t side = plan.goal.least_side;
  PIXPRESS_ASSIGN_OR_RETURN(distorted, MakeMirrorStep(std::move(distorted), side, context));
  PIXPRESS_ASSIGN_OR_RETURN(reference, MakeMirrorStep(std::move(reference), side, context));
  return ScoreRows(std::move(reference), std::move(distorted), context);
}

// `prior` is what the source is, if the output is made of its coded data.
Result<SearchResult> Search(const SearchedJob& job, const EncodeAt& encode,
                            const OpenRows& open_reference, int quality, SizeTrial prior) {
  Meter& meter = job.context.meter;
  if (!job.plan.goal.has_scores()) {
    const SizeGoal goal = {.format = job.plan.output_codec->format,
                           .quality = quality,
                           .max_bytes = job.max_bytes,
                           .too_large = {},
                           .known = {},
                           .prior = prior};
    return SearchQuality(encode, goal, meter);
  }
  ScoreGoal goal = job.plan.goal;
  goal.max_bytes = job.max_bytes;
  goal.source_quality = prior.quality;
  const WorkContext looking = Looking(job.context);
  const auto score = [&](const ByteChain& output) {
    return ScoreOutput(job.plan, open_reference, output, looking);
  };
  return SearchScore(encode, score, goal, meter);
}

void Take(SearchResult found, JobResult* result) {
  result->quality = found.quality;
  if (found.score.has_value()) result->score = static_cast<float>(*found.score);
  result->data = std::move(found.data);
}

}  // namespace

Status EncodeSearched(const SearchedJob& job, JobResult* result) {
  const Clock& clock = Clock::System();
  const Plan& plan = job.plan;
  const WorkContext& context = job.context;
  const int64_t start_ns = clock.NowNs();
  int64_t decode_ns = 0;
  Image image;
  {
    auto source = OpenSource(job.spec, plan, job.encoded, context);
    if (!source.ok()) return std::move(source).status().At(Stage::kDecode);
    auto rows =
        MakeTimedSource(std::move(source).value(), Stage::kDecode, context.progress, &decode_ns);
    PIXPRESS_ASSIGN_OR_RETURN(
        rows, OpenSteps(std::move(rows), plan, *job.spec.settings, job.color, context));
    PIXPRESS_ASSIGN_OR_RETURN(image, CollectRows(*rows, context));
  }
  const int64_t collected_ns = clock.NowNs();
  const auto encode_at = [&](int quality, ByteChain* out) {
    const EncodeOptions options = WithQuality(plan.encode, quality, *job.spec.settings, plan.info);
    const auto rows = MakeImageView(image, context.stop);
    return plan.output_codec->encode(*rows, options, job.metadata, context, out);
  };
  const auto reference = [&]() -> Result<std::unique_ptr<RowSource>> {
    return MakeImageView(image, context.stop);
  };
  auto found = Search(job, encode_at, reference, plan.encode.quality, SizeTrial());
  if (!found.ok()) return std::move(found).status().At(Stage::kEncode);
  auto& stage_ns = result->stage_ns;
  stage_ns[static_cast<size_t>(Stage::kDecode)] = decode_ns;
  stage_ns[static_cast<size_t>(Stage::kResize)] = collected_ns - start_ns - decode_ns;
  stage_ns[static_cast<size_t>(Stage::kEncode)] = clock.NowNs() - collected_ns;
  Take(std::move(found).value(), result);
  return Status();
}

Result<bool> TranscodeSearched(const SearchedJob& job, JobResult* result) {
  const Clock& clock = Clock::System();
  const Plan& plan = job.plan;
  const Limits& limits = job.spec.settings->limits;
  const int64_t start_ns = clock.NowNs();
  bool is_done = true;
  const auto encode_at = [&](int quality, ByteChain* out) -> Status {
    const EncodeOptions options =
        WithQuality(*plan.transcode, quality, *job.spec.settings, plan.info);
    PIXPRESS_ASSIGN_OR_RETURN(const bool is_possible,
                              plan.source_codec->transcode(job.encoded, plan.info, options, limits,
                                                           job.metadata, job.context, out));
    if (is_possible) return Status();
    is_done = false;
    return Status(StatusCode::kInternal, "the image needs pixels");
  };
  const WorkContext looking = Looking(job.context);
  const auto reference = [&] {
    return plan.source_codec->decode(job.encoded, plan.info, {}, limits, looking);
  };
  const SizeTrial source = {plan.info.estimated_quality, job.encoded.size()};
  auto found = Search(job, encode_at, reference, plan.transcode->quality, source);
  result->stage_ns[static_cast<size_t>(Stage::kEncode)] = clock.NowNs() - start_ns;
  if (!is_done) return false;
  if (!found.ok()) return std::move(found).status();
  Take(std::move(found).value(), result);
  return true;
}

}  // namespace pixpress
