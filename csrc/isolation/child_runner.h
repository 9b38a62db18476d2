#pragma once
// Runs the dangerous half of jobs in a worker process: everything that looks at image bytes.

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/progress_sink.h"
#include "base/status.h"
#include "base/stop_token.h"
#include "isolation/child_process.h"
#include "isolation/message.h"
#include "memory/buffer.h"
#include "memory/meter.h"
#include "pipeline/job_spec.h"

namespace pixpress {

// A job on its way through a runner. Borrows everything.
struct IsolatedJob {
  const JobSpec& spec;
  const InputFile* file = nullptr;  // Null: spec.source.bytes.
  Meter& meter;                     // Is charged for the output.
  StopToken stop;
  ProgressSink* progress = nullptr;
  int64_t cpu_limit_ns = 0;  // 0: none.
  // A CPU would idle meanwhile: the process may look out for the next job without sleeping.
  bool has_spare_cpu = false;
  JobResult* result;
};

// Owns at most one process, which stays for the next job and is started again after its end. Owned
// and used by one thread, which ends after it. Blocks while the process works, and polls the job's
// stop token meanwhile: a process that does not obey it within kKillGraceNs is killed.
class ChildRunner {
 public:
  static constexpr int64_t kKillGraceNs = 200 * kNsPerMs;

  struct Outcome {
    bool is_done = false;  // The job has been run, and its result is filled.
    uint64_t memory_bytes = 0;
  };

  explicit ChildRunner(std::string program) : program_(std::move(program)) {}

  // Make sure that a process is there.
  Status Start();
  // Probe and plan; what needs at most `grant_bytes`, which the caller has reserved, is run at
  // once. Errors are the job's. kWorkerCrashed if the process died, kTaskTimeout or kCancelled if
  // it was killed: then it is gone.
  Result<Outcome> Plan(const IsolatedJob& job, uint64_t grant_bytes);
  // Run what Plan has planned last; the caller has reserved `memory_bytes`.
  Status Run(const IsolatedJob& job, uint64_t memory_bytes);

  // Of the process that is there now; 0 if none is.
  pid_t pid() const { return child_ == nullptr ? 0 : child_->pid(); }
  // Why the process has no system call filter; 0: it has one, or there is none.
  int filter_errno() const { return child_ == nullptr ? 0 : child_->filter_errno(); }
  uint64_t starts() const { return starts_; }

 private:
  Status ResizeInput(uint64_t size_bytes);
  Status SendInput(const IsolatedJob& job, uint64_t begin, uint64_t end);
  Result<Message> Exchange(const IsolatedJob& job, const Message& request, uint64_t memory_bytes);
  Result<std::string> Await(const IsolatedJob& job);
  Result<Outcome> PlanWith(const IsolatedJob& job, uint64_t head_bytes, uint64_t grant_bytes);
  Status Take(const IsolatedJob& job, Done done, uint64_t memory_bytes);
  Status Lost(const IsolatedJob& job);
  Status Distrust();
  void ReportProgress(const IsolatedJob& job);

  const std::string program_;
  std::unique_ptr<ChildProcess> child_;
  uint64_t starts_ = 0;
  uint32_t sequence_ = 0;
  uint64_t sent_bytes_ = 0;    // Of the input of the present job.
  uint64_t total_bytes_ = 0;   // Of it.
  uint64_t shared_bytes_ = 0;  // Of the shared memory that it lies in.
};

}  // namespace pixpress
