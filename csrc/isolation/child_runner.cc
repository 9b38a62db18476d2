#include "isolation/child_runner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"
#include "memory/byte_chain.h"
#include "pipeline/probe.h"

namespace pixpress {
namespace {

constexpr uint64_t kCopyBytes = 256u << 10;
// The shared memory of an output up to here stays for the next one.
constexpr uint64_t kKeptOutputBytes = 512u << 10;

uint64_t InputBytes(const IsolatedJob& job) {
  return job.file != nullptr ? job.file->identity().size_bytes : job.spec.source.bytes.size();
}

StopReason ReasonOf(const Status& status) {
  return status.code() == StatusCode::kTaskTimeout ? StopReason::kTimedOut : StopReason::kCancelled;
}

// Only what an honest process can say.
bool IsPossible(const JobResult& result, uint64_t memory_bytes) {
  const bool has_times = std::ranges::all_of(result.stage_ns, [](int64_t ns) { return ns >= 0; });
  return has_times && result.format != Format::kUnknown && result.width > 0 && result.height > 0 &&
         result.quality >= 0 && result.quality <= 100 && !(result.score > 100) &&
         result.compressed_bytes > 0 && result.compressed_bytes <= memory_bytes &&
         result.skipped_reason != SkippedReason::kOutputNotLarger;
}

}  // namespace

Status ChildRunner::Start() {
  if (child_ != nullptr) return Status();
  PIXPRESS_ASSIGN_OR_RETURN(child_, ChildProcess::Start(program_));
  ++starts_;
  sent_bytes_ = 0;
  total_bytes_ = 0;
  shared_bytes_ = 0;
  return Status();
}

Status ChildRunner::ResizeInput(uint64_t size_bytes) {
  if (size_bytes == shared_bytes_) return Status();
  PIXPRESS_RETURN_IF_ERROR(child_->input().Resize(size_bytes));
  shared_bytes_ = size_bytes;
  return Status();
}

Status ChildRunner::SendInput(const IsolatedJob& job, uint64_t begin, uint64_t end) {
  SharedFile& input = child_->input();
  if (job.file == nullptr)
    return input.WriteAt(begin, job.spec.source.bytes.subspan(begin, end - begin));
  PIXPRESS_ASSIGN_OR_RETURN(Buffer part, job.meter.Allocate(std::min(kCopyBytes, end - begin)));
  for (uint64_t at = begin; at < end;) {
    PIXPRESS_RETURN_IF_ERROR(job.stop.Poll());
    const auto bytes = part.span().first(std::min<uint64_t>(part.size(), end - at));
    PIXPRESS_RETURN_IF_ERROR(job.file->ReadAt(at, bytes).At(Stage::kRead));
    PIXPRESS_RETURN_IF_ERROR(input.WriteAt(at, bytes));
    at += bytes.size();
  }
  return Status();
}

Result<ChildRunner::Outcome> ChildRunner::Plan(const IsolatedJob& job, uint64_t grant_bytes) {
  PIXPRESS_RETURN_IF_ERROR(Start());
  const uint64_t input_bytes = InputBytes(job);
  const bool is_pixels = job.spec.source.kind == Source::Kind::kPixels;
  // The plan of pixels needs none of them.
  const uint64_t head_bytes =
      is_pixels && input_bytes > grant_bytes ? 0 : std::min(input_bytes, kProbeHeadBytes);
  auto outcome = PlanWith(job, head_bytes, grant_bytes);
  if (outcome.ok() && !outcome.value().is_done && outcome.value().memory_bytes == 0) {
    outcome = PlanWith(job, input_bytes, grant_bytes);  // Metadata of more than the head: rare.
  }
  return outcome;
}

Result<ChildRunner::Outcome> ChildRunner::PlanWith(const IsolatedJob& job, uint64_t head_bytes,
                                                   uint64_t grant_bytes) {
  total_bytes_ = InputBytes(job);
  PIXPRESS_RETURN_IF_ERROR(ResizeInput(std::max(total_bytes_, kKeptInputBytes)));
  PIXPRESS_RETURN_IF_ERROR(SendInput(job, 0, head_bytes));
  sent_bytes_ = head_bytes;
  const Source& source = job.spec.source;
  PlanRequest request{.sequence = ++sequence_,
                      .settings = *job.spec.settings,
                      .is_pixels = source.kind == Source::Kind::kPixels,
                      .layout = source.layout,
                      .head_bytes = head_bytes,
                      .total_bytes = total_bytes_,
                      .grant_bytes = head_bytes == total_bytes_ ? grant_bytes : 0};
  PIXPRESS_ASSIGN_OR_RETURN(Message answer, Exchange(job, request, grant_bytes + total_bytes_));
  if (Done* done = std::get_if<Done>(&answer); done != nullptr && request.grant_bytes != 0) {
    PIXPRESS_RETURN_IF_ERROR(Take(job, std::move(*done), grant_bytes));
    return Outcome{.is_done = true, .memory_bytes = job.result->estimated_memory_bytes};
  }
  Planned* planned = std::get_if<Planned>(&answer);
  if (planned == nullptr) return Distrust();
  PIXPRESS_RETURN_IF_ERROR(std::move(planned->status));
  const bool has_all = head_bytes == total_bytes_;
  if (planned->needs_more_input ? has_all : planned->memory_bytes == 0) return Distrust();
  return Outcome{.is_done = false,
                 .memory_bytes = planned->needs_more_input ? 0 : planned->memory_bytes};
}

Status ChildRunner::Run(const IsolatedJob& job, uint64_t memory_bytes) {
  const Clock& clock = Clock::System();
  const int64_t start_ns = clock.NowNs();
  PIXPRESS_RETURN_IF_ERROR(SendInput(job, sent_bytes_, total_bytes_));
  sent_bytes_ = total_bytes_;
  const int64_t read_ns = clock.NowNs() - start_ns;
  PIXPRESS_ASSIGN_OR_RETURN(Message answer,
                            Exchange(job, RunRequest{.sequence = ++sequence_}, memory_bytes));
  Done* done = std::get_if<Done>(&answer);
  if (done == nullptr) return Distrust();
  PIXPRESS_RETURN_IF_ERROR(Take(job, std::move(*done), memory_bytes));
  job.result->stage_ns[static_cast<size_t>(Stage::kRead)] = read_ns;
  return Status();
}

// One request and its answer, which is to this request and nothing else.
Result<Message> ChildRunner::Exchange(const IsolatedJob& job, const Message& request,
                                      uint64_t memory_bytes) {
  ControlPage& control = child_->control();
  control.stop.store(StopReason::kNone);
  control.permille.store(0);
  control.lingers.store(job.has_spare_cpu ? 1 : 0);
  child_->Limit({.memory_bytes = memory_bytes,
                 .output_bytes = std::max<uint64_t>(memory_bytes, 1),
                 .cpu_ns = job.cpu_limit_ns});
  if (!child_->Send(WriteMessage(request))) return Lost(job);
  PIXPRESS_ASSIGN_OR_RETURN(const std::string bytes, Await(job));
  auto answer = ReadMessage(bytes);
  if (!answer.ok()) return Distrust();
  const Planned* planned = std::get_if<Planned>(&answer.value());
  const Done* done = std::get_if<Done>(&answer.value());
  const uint32_t sequence = planned != nullptr ? planned->sequence
                            : done != nullptr  ? done->sequence
                                               : sequence_ + 1;
  if (sequence != sequence_) return Distrust();
  return answer;
}

Result<std::string> ChildRunner::Await(const IsolatedJob& job) {
  const Clock& clock = Clock::System();
  std::string bytes;
  int64_t kill_ns = 0;  // 0: the job may go on.
  for (;;) {
    const auto received = child_->Receive(&bytes);
    if (received == ChildProcess::Received::kMessage) return bytes;
    if (received == ChildProcess::Received::kGone) return Lost(job);
    ReportProgress(job);
    Status stopped = job.stop.Poll();
    if (stopped.ok()) continue;
    const int64_t now_ns = clock.NowNs();
    if (kill_ns == 0) {
      child_->control().stop.store(ReasonOf(stopped));
      kill_ns = now_ns + kKillGraceNs;
    } else if (now_ns >= kill_ns) {
      child_.reset();
      return stopped;
    }
  }
}

// The process has said what no honest one says.
Status ChildRunner::Distrust() {
  child_.reset();
  return Status(StatusCode::kWorkerCrashed, "the worker process gave an answer that cannot be");
}

// The process has died.
Status ChildRunner::Lost(const IsolatedJob& job) {
  Status end = child_->Reap();
  child_.reset();
  PIXPRESS_RETURN_IF_ERROR(job.stop.Poll());
  return end;
}

void ChildRunner::ReportProgress(const IsolatedJob& job) {
  if (job.progress == nullptr) return;
  const ControlPage& control = child_->control();
  const uint32_t stage = control.stage.load(std::memory_order_relaxed);
  const uint32_t permille = control.permille.load(std::memory_order_relaxed);
  if (permille == 0 || permille > 1000 || stage > static_cast<uint32_t>(Stage::kWrite)) return;
  job.progress->Report(static_cast<Stage>(stage), permille / 1000.0);
}

// Check the answer, and copy the output out of the shared memory.
Status ChildRunner::Take(const IsolatedJob& job, Done done, uint64_t memory_bytes) {
  if (total_bytes_ > kKeptInputBytes) PIXPRESS_RETURN_IF_ERROR(ResizeInput(kKeptInputBytes));
  if (done.status.code() == StatusCode::kMemoryLimit) {
    // No errno: the limit is the job's own, so that trying again does not help.
    return Status(StatusCode::kMemoryLimit, "the job needs more memory than the " +
                                                std::to_string(memory_bytes) +
                                                " bytes reserved for it: " + done.status.message())
        .At(done.status.stage());
  }
  PIXPRESS_RETURN_IF_ERROR(std::move(done.status));
  const uint64_t size_bytes = done.result.compressed_bytes;
  if (!IsPossible(done.result, memory_bytes)) return Distrust();
  ByteChain data(job.meter);
  PIXPRESS_ASSIGN_OR_RETURN(const std::span<uint8_t> space, data.Reserve(size_bytes));
  PIXPRESS_RETURN_IF_ERROR(child_->output().ReadAt(0, space.first(size_bytes)));
  data.Commit(size_bytes);
  if (size_bytes > kKeptOutputBytes) PIXPRESS_RETURN_IF_ERROR(child_->output().Resize(0));
  *job.result = std::move(done.result);
  job.result->data = std::move(data);
  return Status();
}

}  // namespace pixpress
