#pragma once
// The job that a worker process works on: probed, planned, run. Linked into that program only.

#include <memory>
#include <optional>

#include "base/status.h"
#include "isolation/control_page.h"
#include "isolation/message.h"
#include "isolation/shared_memory.h"
#include "memory/buffer.h"
#include "memory/meter.h"
#include "pipeline/plan.h"

namespace pixpress {

// One per process. Each call is the answer to a message.
class ChildJob {
 public:
  // `control` outlives this.
  ChildJob(SharedFile input, SharedFile output, ControlPage& control);

  // Planned; Done if it was to be run at once.
  Message Answer(const PlanRequest& request);
  Done Answer(const RunRequest& request);
  // Give memory back that the job before took.
  void Tidy();
  // Whether the parent finds that the next message is worth looking out for.
  bool lingers() const { return control_.lingers.load(std::memory_order_relaxed) != 0; }

 private:
  Status MapInput(uint64_t size_bytes);
  Status Prepare(const PlanRequest& request, Planned* planned);
  Status RunPlanned(Meter& meter, JobResult* result);
  Status PutOutput(const JobResult& result);

  SharedFile input_;
  SharedFile output_;
  ControlPage& control_;
  BufferPool buffers_;
  // Of the present job.
  Mapping mapping_;  // Stays for the next one while it is small.
  Bytes input_bytes_;
  JobSpec spec_;
  std::optional<Plan> plan_;
};

}  // namespace pixpress
