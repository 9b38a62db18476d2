#pragma once
// The worker processes of an engine: at most one for each of its worker threads.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "isolation/child_runner.h"

namespace pixpress {

struct RunnerCounts {
  uint32_t processes = 0;
  uint32_t unfiltered = 0;    // Of these, without a system call filter.
  uint64_t starts = 0;        // Since the engine began.
  int last_filter_errno = 0;  // Why there was no filter, the last time that there was none.
};

// Thread-safe. A runner itself belongs to its worker's thread.
class Runners {
 public:
  // The runner of this worker; made, without a process yet, when there is none. Valid until End.
  ChildRunner& Of(uint32_t worker_id, const std::string& program);
  // The runner has worked: count what it has now. Suspects of crashes are rare, so that a pool of
  // threads keeps no process for the next one.
  void Note(uint32_t worker_id, bool keeps_process);
  // End the process of this worker, on the worker's thread. Blocks until it is gone.
  void End(uint32_t worker_id);
  RunnerCounts Counts() const;

 private:
  struct Place {
    std::unique_ptr<ChildRunner> runner;
    // As of the last Note.
    bool has_process = false;
    bool is_unfiltered = false;
    uint64_t starts = 0;
  };

  mutable std::mutex mutex_;  // Guards all below, but not what runners do.
  std::map<uint32_t, Place> places_;
  uint64_t ended_starts_ = 0;  // Of the runners that are gone.
  int last_filter_errno_ = 0;
};

}  // namespace pixpress
