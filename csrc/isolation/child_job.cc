#include "isolation/child_job.h"

#include <malloc.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "base/parallel.h"
#include "pipeline/probe.h"
#include "pipeline/run.h"

namespace pixpress {

#ifdef PIXPRESS_TEST_HOOKS
// Does what the image asks for, in test builds; see tests/native/isolation/test_hooks.cc.
Status RunTestHook(Bytes encoded);
#endif

namespace {

// What stays for the next job.
constexpr size_t kRetainedBytes = 1u << 20;
// A job from here on leaves a heap that is worth giving back.
constexpr uint64_t kLargeJobBytes = 8u << 20;

class SharedProgress final : public ProgressSink {
 public:
  explicit SharedProgress(ControlPage& control) : control_(control) {}
  void Report(Stage stage, double fraction) override {
    control_.stage.store(static_cast<uint32_t>(stage), std::memory_order_relaxed);
    const auto permille = static_cast<uint32_t>(1000.0 * std::clamp(fraction, 0.0, 1.0));
    control_.permille.store(permille, std::memory_order_relaxed);
  }

 private:
  ControlPage& control_;
};

// The exception fence of this process, as in engine/worker.cc.
template <typename Work>
Status Fenced(Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kMemoryLimit, "an allocation failed");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, error.what());
  }
}

}  // namespace

ChildJob::ChildJob(SharedFile input, SharedFile output, ControlPage& control)
    : input_(std::move(input)),
      output_(std::move(output)),
      control_(control),
      buffers_(std::numeric_limits<size_t>::max()) {}

Message ChildJob::Answer(const PlanRequest& request) {
  Planned planned;
  planned.sequence = request.sequence;
  planned.status = Fenced([&] { return Prepare(request, &planned); });
  if (!planned.status.ok() || planned.memory_bytes == 0 ||
      planned.memory_bytes > request.grant_bytes) {
    return planned;
  }
  return Answer(RunRequest{.sequence = request.sequence});
}

Status ChildJob::MapInput(uint64_t size_bytes) {
  const uint64_t wanted = std::max(size_bytes, kKeptInputBytes);
  if (mapping_.bytes().size() != wanted) {
    mapping_.Unmap();
    PIXPRESS_ASSIGN_OR_RETURN(mapping_, Mapping::Map(input_.fd(), wanted, false));
  }
  input_bytes_ = mapping_.bytes().first(size_bytes);
  return Status();
}

Status ChildJob::Prepare(const PlanRequest& request, Planned* planned) {
  plan_.reset();
  PIXPRESS_RETURN_IF_ERROR(MapInput(request.total_bytes));
  const Limits& limits = request.settings.limits;
  spec_ = JobSpec();
  spec_.settings = std::make_shared<const Settings>(request.settings);
  ImageInfo info;
  if (request.is_pixels) {
    spec_.source.kind = Source::Kind::kPixels;
    spec_.source.bytes = input_bytes_;
    spec_.source.layout = request.layout;
    spec_.source.stride_bytes = request.layout.row_bytes(0);
    info = PixelInfo(spec_.source);
    PIXPRESS_RETURN_IF_ERROR(CheckDimensions(info.width, info.height, limits).At(Stage::kProbe));
  } else {
    auto probed = ProbeBytes(input_bytes_.first(request.head_bytes), request.total_bytes, limits);
    if (!probed.ok()) return std::move(probed).status().At(Stage::kProbe);
    info = std::move(probed).value();
    planned->needs_more_input = info.needs_more_input;
    if (info.needs_more_input) return Status();
  }
  auto plan = MakePlan(spec_, info, request.total_bytes);
  if (!plan.ok()) return std::move(plan).status().At(Stage::kPlan);
  planned->memory_bytes = plan.value().memory_bytes;
  // What is kept of the job before counts as memory of this one.
  buffers_.SetLimit(planned->memory_bytes);
  plan_ = std::move(plan).value();
  return Status();
}

Done ChildJob::Answer(const RunRequest& request) {
  Meter meter(buffers_);
  Done done;
  done.sequence = request.sequence;
  done.status = plan_.has_value() ? Fenced([&] { return RunPlanned(meter, &done.result); })
                                  : Status(StatusCode::kInternal, "there is no plan to run");
  done.result.data.reset();  // Before its meter goes.
  input_bytes_ = Bytes();
  if (mapping_.bytes().size() > kKeptInputBytes) mapping_.Unmap();
  return done;
}

Status ChildJob::RunPlanned(Meter& meter, JobResult* result) {
  StopSource stop;
  stop.Watch(&control_.stop);
  SharedProgress progress(control_);
  SerialParallel serial;
  const WorkContext context{
      .meter = meter, .stop = StopToken(stop), .parallel = serial, .progress = &progress};
#ifdef PIXPRESS_TEST_HOOKS
  PIXPRESS_RETURN_IF_ERROR(RunTestHook(input_bytes_));
#endif
  PIXPRESS_RETURN_IF_ERROR(RunPlan(spec_, *plan_, input_bytes_, context, result));
  PIXPRESS_RETURN_IF_ERROR(PutOutput(*result));
  result->peak_memory_bytes = meter.peak_bytes() + input_bytes_.size();
  return Status();
}

Status ChildJob::PutOutput(const JobResult& result) {
  uint64_t offset = 0;
  for (const auto chunk : result.data->chunks()) {
    PIXPRESS_RETURN_IF_ERROR(output_.WriteAt(offset, chunk).At(Stage::kWrite));
    offset += chunk.size();
  }
  return Status();
}

void ChildJob::Tidy() {
  buffers_.Trim(kRetainedBytes);
  if (plan_.has_value() && plan_->memory_bytes >= kLargeJobBytes) malloc_trim(0);
}

}  // namespace pixpress
