#include "engine/worker.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "base/atomic_file.h"
#include "base/checked_math.h"
#include "base/clock.h"
#include "base/file.h"
#include "engine/cached_attempt.h"
#include "engine/isolated_attempt.h"
#include "pipeline/probe.h"
#include "pipeline/run.h"

namespace pixpress {
namespace {

// Look into a source without reading all of it.
struct Opened {
  std::optional<InputFile> file;  // Of files.
  uint64_t input_bytes = 0;       // Of files: what reading will charge. Of imported pixels: theirs.
  ImageInfo info;
};

Result<Opened> OpenAndProbe(Job& job) {
  const Source& source = job.spec.source;
  const Limits& limits = job.spec.settings->limits;
  Opened opened;
  if (source.kind == Source::Kind::kPixels) {
    opened.info = PixelInfo(source);
    if (source.imported != nullptr) opened.input_bytes = source.bytes.size();
    PIXPRESS_RETURN_IF_ERROR(CheckDimensions(opened.info.width, opened.info.height, limits));
    return opened;
  }
  if (source.kind == Source::Kind::kBytes) {
    PIXPRESS_ASSIGN_OR_RETURN(opened.info, ProbeBytes(source.bytes, source.bytes.size(), limits));
    return opened;
  }
  PIXPRESS_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(source.name));
  opened.input_bytes = file.identity().size_bytes;
  PIXPRESS_RETURN_IF_ERROR(CheckInputBytes(opened.input_bytes, limits));
  const uint64_t head_bytes = std::min(opened.input_bytes, kProbeHeadBytes);
  PIXPRESS_ASSIGN_OR_RETURN(Buffer head, job.meter.Allocate(head_bytes));
  PIXPRESS_RETURN_IF_ERROR(file.ReadAt(0, head.span()));
  PIXPRESS_ASSIGN_OR_RETURN(opened.info, ProbeBytes(head.span(), opened.input_bytes, limits));
  if (opened.info.needs_more_input) {  // Metadata of more than the head: rare, and bounded.
    PIXPRESS_ASSIGN_OR_RETURN(Buffer all, job.meter.Allocate(opened.input_bytes));
    PIXPRESS_RETURN_IF_ERROR(file.ReadAt(0, all.span()));
    PIXPRESS_ASSIGN_OR_RETURN(opened.info, ProbeBytes(all.span(), opened.input_bytes, limits));
  }
  opened.file = std::move(file);
  return opened;
}

Status WriteOutput(Job& job, const AttemptContext& context, std::optional<PendingFile>* output) {
  AtomicFileOptions options;
  options.overwrite = job.spec.settings->overwrite;
  options.job_id = job.id;
  options.root = job.spec.output_root;
  const auto chunks = job.result.data->chunks();
  if (context.journal != nullptr) {
    PIXPRESS_RETURN_IF_ERROR(context.journal->RecordOutput(job, chunks));
  }
  auto file = PendingFile::Write(job.OutputPath(), chunks, options);
  Status status = file.status();
  if (status.ok() && context.durable) {
    output->emplace(std::move(file).value());
  } else if (status.ok()) {
    status = file.value().Publish();
  }
  return OutcomeOfWriting(job, std::move(status));
}

// From here on cancel() is too late, unless it came before.
Status Commit(Job& job) {
  PIXPRESS_RETURN_IF_ERROR(StopToken(job.stop).Poll());
  CommitState open = CommitState::kOpen;
  if (job.commit.compare_exchange_strong(open, CommitState::kCommitted)) return Status();
  return Status(StatusCode::kCancelled, "the job was cancelled");
}

// In pieces: the pages of a large buffer are made as they are filled, which idle workers help with.
Status ReadInput(const InputFile& file, const WorkContext& work, std::span<uint8_t> out) {
  constexpr size_t kPieceBytes = 1 << 20;
  return work.parallel.For(DivideRoundingUp(out.size(), kPieceBytes), [&](size_t i) {
    PIXPRESS_RETURN_IF_ERROR(work.stop.Poll());
    const size_t begin = i * kPieceBytes;
    return file.ReadAt(begin, out.subspan(begin, std::min(kPieceBytes, out.size() - begin)));
  });
}

Status RunReserved(Job& job, const Opened& opened, const Plan& plan, const AttemptContext& context,
                   std::optional<PendingFile>* output) {
  const Clock& clock = Clock::System();
  const WorkContext work{.meter = job.meter,
                         .stop = StopToken(job.stop),
                         .parallel = context.parallel,
                         .progress = context.progress};
  Buffer input;
  Bytes encoded = job.spec.source.bytes;
  const int64_t start_ns = clock.NowNs();
  if (opened.file.has_value()) {
    PIXPRESS_ASSIGN_OR_RETURN(input, job.meter.Allocate(opened.input_bytes));
    PIXPRESS_RETURN_IF_ERROR(ReadInput(*opened.file, work, input.span()).At(Stage::kRead));
    encoded = input.span();
  }
  job.result.stage_ns[static_cast<size_t>(Stage::kRead)] = clock.NowNs() - start_ns;
  PIXPRESS_RETURN_IF_ERROR(RunPlan(job.spec, plan, encoded, work, &job.result));
  job.result.peak_memory_bytes = job.meter.peak_bytes();
  return FinishJob(job, context, output);
}

Attempt AttemptHere(Job& job, const AttemptContext& context) {
  Attempt attempt;
  attempt.status = StopToken(job.stop).Poll();
  if (!attempt.status.ok()) return attempt;
  auto opened = OpenAndProbe(job);
  if (!opened.ok()) {
    attempt.status = std::move(opened).status().At(Stage::kProbe);
    return attempt;
  }
  auto plan = MakePlan(job.spec, opened.value().info, opened.value().input_bytes);
  if (!plan.ok()) {
    attempt.status = std::move(plan).status().At(Stage::kPlan);
    return attempt;
  }
  ChildRunner* const runner =
      plan.value().may_abort() && context.make_runner ? context.make_runner() : nullptr;
  if (runner != nullptr) {
    AttemptContext isolated = context;
    isolated.runner = runner;
    return AttemptIsolated(job, isolated);
  }
  attempt.status = CheckAdmissible(plan.value().memory_bytes, context);
  if (!attempt.status.ok()) return attempt;
  attempt.needed_bytes = plan.value().memory_bytes;
  const auto reservation = context.budget.TryReserve(job.id, attempt.needed_bytes);
  if (!reservation.has_value()) {
    attempt.outcome = AttemptOutcome::kBlocked;
    return attempt;
  }
  // From here on a crash is charged to this file.
  if (context.journal != nullptr) attempt.status = context.journal->RecordStart(job);
  if (attempt.status.ok()) {
    attempt.status = RunReserved(job, opened.value(), plan.value(), context, &attempt.output);
  }
  return attempt;
}

Attempt Try(Job& job, const AttemptContext& context) {
  std::optional<Attempt> cached;
  if (context.cache != nullptr) cached = AttemptCached(job, context);
  Attempt attempt = cached.has_value()          ? *std::move(cached)
                    : context.runner != nullptr ? AttemptIsolated(job, context)
                                                : AttemptHere(job, context);
  const bool is_journal_full =
      attempt.status.code() == StatusCode::kJournal && attempt.status.sys_errno() == ENOSPC;
  if (is_journal_full) {
    attempt.outcome = AttemptOutcome::kBlocked;
    job.result.data.reset();
  }
  return attempt;
}

Attempt Failed(Status status) {
  return {.outcome = AttemptOutcome::kEnded, .status = std::move(status), .needed_bytes = 0};
}

}  // namespace

Status OutcomeOfWriting(Job& job, Status status) {
  if (status.code() != StatusCode::kOutputExists ||
      job.spec.settings->overwrite != Overwrite::kSmaller) {
    return status;
  }
  job.result.skipped_reason = SkippedReason::kOutputNotLarger;
  return Status();
}

Status CheckAdmissible(uint64_t needed_bytes, const AttemptContext& context) {
  const auto check = [&](size_t limit, const char* name) {
    if (needed_bytes <= limit) return Status();
    return Status(StatusCode::kMemoryLimit, "the job needs " + std::to_string(needed_bytes) +
                                                " bytes; " + name + " is " + std::to_string(limit))
        .At(Stage::kPlan);
  };
  PIXPRESS_RETURN_IF_ERROR(check(context.budget.limit_bytes(), "memory_limit"));
  if (context.worker_memory_limit_bytes == 0) return Status();
  return check(context.worker_memory_limit_bytes, "worker_memory_limit");
}

Status FinishJob(Job& job, const AttemptContext& context, std::optional<PendingFile>* output) {
  PIXPRESS_RETURN_IF_ERROR(Commit(job));
  const bool is_file = !job.spec.output_path.empty();
  Status status;
  if (is_file) {
    const Clock& clock = Clock::System();
    const int64_t start_ns = clock.NowNs();
    status = WriteOutput(job, context, output).At(Stage::kWrite);
    job.result.stage_ns[static_cast<size_t>(Stage::kWrite)] = clock.NowNs() - start_ns;
  }
  // An old output that was left says nothing about other jobs.
  const bool is_kept = status.ok() && context.cache != nullptr && job.cache_key.has_value() &&
                       !job.is_from_cache &&
                       job.result.skipped_reason != SkippedReason::kOutputNotLarger;
  if (is_kept) job.is_shared = context.cache->Keep(job);
  if (is_file) job.result.data.reset();
  return status;
}

Attempt AttemptJob(Job& job, const AttemptContext& context) noexcept {
  try {
    return Try(job, context);
  } catch (const std::bad_alloc&) {
    return Failed(
        Status(StatusCode::kMemoryLimit, "the operating system has no memory left", ENOMEM));
  } catch (const std::exception& error) {
    return Failed(Status(StatusCode::kInternal, error.what()));
  }
}

}  // namespace pixpress
