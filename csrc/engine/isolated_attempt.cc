#include "engine/isolated_attempt.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file.h"
#include "isolation/child_runner.h"
#include "pipeline/probe.h"

namespace pixpress {
namespace {

// Reserved unseen for a small input, so that a small job takes one exchange instead of two: what
// most inputs of that size need, but no more than this part of all memory.
constexpr size_t kGrantBytes = 12u << 20;
constexpr size_t kGrantShare = 16;

// The file of the source, if it is one. Looks at no byte of it.
Result<std::optional<InputFile>> OpenInput(const Job& job) {
  const Source& source = job.spec.source;
  if (source.imported != nullptr) {
    return Status(StatusCode::kOption,
                  "inputs that Pillow decodes cannot be isolated; use isolation=\"thread\"");
  }
  std::optional<InputFile> file;
  if (source.kind == Source::Kind::kFile) {
    PIXPRESS_ASSIGN_OR_RETURN(file, InputFile::Open(source.name));
    PIXPRESS_RETURN_IF_ERROR(
        CheckInputBytes(file->identity().size_bytes, job.spec.settings->limits));
  }
  return file;
}

std::optional<Reservation> TakeGrant(const IsolatedJob& isolated, const Job& job,
                                     const AttemptContext& context) {
  // What has waited for its bytes knows how many, and may have a claim on them.
  if (context.known_bytes != 0) return std::nullopt;
  const uint64_t input_bytes = isolated.file != nullptr ? isolated.file->identity().size_bytes
                                                        : isolated.spec.source.bytes.size();
  if (input_bytes > kProbeHeadBytes) return std::nullopt;
  size_t grant_bytes = std::min(kGrantBytes, context.budget.limit_bytes() / kGrantShare);
  const size_t limit_bytes = context.worker_memory_limit_bytes;
  if (limit_bytes != 0) grant_bytes = std::min(grant_bytes, limit_bytes);
  return context.budget.TryReserve(job.id, grant_bytes);
}

IsolatedJob AsIsolated(Job& job, const std::optional<InputFile>& file,
                       const AttemptContext& context) {
  return {.spec = job.spec,
          .file = file.has_value() ? &*file : nullptr,
          .meter = job.meter,
          .stop = StopToken(job.stop),
          .progress = context.progress,
          .cpu_limit_ns = context.cpu_limit_ns,
          .has_spare_cpu = context.has_spare_cpu,
          .result = &job.result};
}

}  // namespace

bool CanIsolate(const JobSpec& spec, const std::string& worker_program) {
  return spec.source.imported == nullptr && access(worker_program.c_str(), X_OK) == 0;
}

Attempt AttemptIsolated(Job& job, const AttemptContext& context) {
  Attempt attempt;
  attempt.status = StopToken(job.stop).Poll();
  if (!attempt.status.ok()) return attempt;
  auto file = OpenInput(job);
  if (!file.ok()) {
    attempt.status = std::move(file).status().At(Stage::kProbe);
    return attempt;
  }
  const IsolatedJob isolated = AsIsolated(job, file.value(), context);
  auto reservation = TakeGrant(isolated, job, context);
  auto planned = context.runner->Plan(isolated, reservation.has_value() ? reservation->bytes() : 0);
  if (!planned.ok()) {
    attempt.status = std::move(planned).status().At(Stage::kProbe);
    return attempt;
  }
  if (!planned.value().is_done) {
    reservation.reset();
    attempt.needed_bytes = planned.value().memory_bytes;
    attempt.status = CheckAdmissible(attempt.needed_bytes, context);
    if (!attempt.status.ok()) return attempt;
    reservation = context.budget.TryReserve(job.id, attempt.needed_bytes);
    if (!reservation.has_value()) {
      attempt.outcome = AttemptOutcome::kBlocked;
      return attempt;
    }
    attempt.status = context.runner->Run(isolated, attempt.needed_bytes).At(Stage::kDecode);
    if (!attempt.status.ok()) return attempt;
  }
  // Not before: no crash of the image's making ends this process, so none is charged to the file.
  if (context.journal != nullptr) attempt.status = context.journal->RecordStart(job);
  if (attempt.status.ok()) attempt.status = FinishJob(job, context, &attempt.output);
  return attempt;
}

}  // namespace pixpress
