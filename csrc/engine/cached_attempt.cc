#include "engine/cached_attempt.h"

#include "base/clock.h"
#include "engine/job_cache.h"

namespace pixpress {
namespace {

// Nothing: there is no answer now, or none that this engine has room for.
std::optional<Attempt> Answer(Job& job, const AttemptContext& context) {
  const int64_t start_ns = Clock::System().NowNs();
  const auto answer_bytes = context.cache->AnswerBytes(job);
  if (!answer_bytes.has_value() || !CheckAdmissible(*answer_bytes, context).ok()) {
    return std::nullopt;
  }
  Attempt attempt{.needed_bytes = *answer_bytes};
  const auto reservation = context.budget.TryReserve(job.id, *answer_bytes);
  if (!reservation.has_value()) {
    attempt.outcome = AttemptOutcome::kBlocked;
    return attempt;
  }
  if (!context.cache->Answer(job)) return std::nullopt;
  job.is_from_cache = job.is_shared = true;
  job.result.estimated_memory_bytes = *answer_bytes;
  job.result.peak_memory_bytes = job.meter.peak_bytes();
  job.result.stage_ns[static_cast<size_t>(Stage::kRead)] = Clock::System().NowNs() - start_ns;
  if (context.journal != nullptr) attempt.status = context.journal->RecordStart(job);
  if (attempt.status.ok()) attempt.status = FinishJob(job, context, &attempt.output);
  return attempt;
}

}  // namespace

std::optional<Attempt> AttemptCached(Job& job, const AttemptContext& context) {
  job.is_from_cache = job.is_shared = false;
  if (StopToken(job.stop).stop_requested() || !context.cache->FindKey(job)) return std::nullopt;
  if (auto attempt = Answer(job, context)) return attempt;
  if (!context.join_flight(job)) return Attempt{.outcome = AttemptOutcome::kWaits};
  // Another may have ended since.
  if (auto attempt = Answer(job, context)) return attempt;
  if (context.known_bytes == 0) context.cache->CountMiss();  // The first time that it is to run.
  return std::nullopt;
}

}  // namespace pixpress
