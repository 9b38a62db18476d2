#pragma once
// One attempt at one job on a worker thread: read, probe, plan, reserve, run, write.

#include <cstdint>
#include <functional>
#include <optional>

#include "base/atomic_file.h"
#include "base/status.h"
#include "engine/job.h"
#include "engine/job_cache.h"
#include "engine/job_journal.h"
#include "isolation/child_runner.h"
#include "memory/budget.h"
#include "pipeline/plan.h"

namespace pixpress {

struct AttemptContext {
  MemoryBudget& budget;
  Parallel& parallel;
  ProgressSink* progress = nullptr;
  size_t worker_memory_limit_bytes = 0;  // 0: none.
  bool durable = false;                  // Leave the output to the caller, for a sync.
  JobJournal* journal = nullptr;         // Of a job that it keeps.
  ChildRunner* runner = nullptr;         // Null: the job runs on this thread.
  // For a job of this thread that may end the process; null if there can be none.
  std::function<ChildRunner*()> make_runner = {};
  int64_t cpu_limit_ns = 0;    // For the process of `runner`; 0: none.
  bool has_spare_cpu = false;  // Not every CPU has a worker with a job.
  uint64_t known_bytes = 0;    // What the job needs, as a blocked attempt has found; 0: unknown.
  JobCache* cache = nullptr;
  // Whether the job, which has a key, is to run. If not, an identical one runs: the job waits for
  // that without a worker, and is no longer the caller's.
  std::function<bool(Job& job)> join_flight = {};
};

enum class AttemptOutcome : uint8_t {
  kEnded,    // job.result is filled, or the returned status says why not.
  kBlocked,  // `needed_bytes` are not free now, or the journal's disk is full; nothing has been
             // done.
  kWaits,    // See join_flight.
};

struct Attempt {
  AttemptOutcome outcome = AttemptOutcome::kEnded;
  Status status = {};
  uint64_t needed_bytes = 0;
  std::optional<PendingFile> output = {};
};

// What a status of writing the output is to the job: to have left a smaller old one is no failure.
Status OutcomeOfWriting(Job& job, Status status);

// Never throws: the one exception fence of the core is here. The caller is the only one who touches
// the job meanwhile, except for its atomics and stop source.
Attempt AttemptJob(Job& job, const AttemptContext& context) noexcept;

// What an attempt does whether a process of its own runs the job or not: refuse a job that can
// never fit, and make the output of job.result appear unless a cancel came first.
Status CheckAdmissible(uint64_t needed_bytes, const AttemptContext& context);
Status FinishJob(Job& job, const AttemptContext& context, std::optional<PendingFile>* output);

}  // namespace pixpress
