#pragma once
// One thread that makes ends of jobs durable, in groups, while workers go on.

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/ending.h"

namespace pixpress {

// Thread-safe. `commit` gets what has come meanwhile, in order; it may block on the disk, and must
// not call back.
class CommitThread {
 public:
  using Commit = std::function<void(std::vector<Ending> group)>;
  explicit CommitThread(Commit commit);
  ~CommitThread();  // Stop, for as long as it takes.
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // One with an output blocks while kMostOutputs wait, since each holds two descriptors.
  void Push(Ending ending);
  // Call `commit` with nothing, should nothing come.
  void Wake();
  // Commit what is there, and end the thread. False if that takes longer than `timeout_ns`; then
  // the thread goes on, and uses this.
  bool Stop(int64_t timeout_ns);

 private:
  static constexpr size_t kMostOutputs = 64;
  void Loop();

  const Commit commit_;
  std::mutex mutex_;  // Guards all below but the thread.
  std::condition_variable came_;
  std::condition_variable left_;
  std::vector<Ending> waiting_;
  size_t outputs_ = 0;  // Waiting and under way.
  bool is_woken_ = false;
  bool is_stopped_ = false;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace pixpress
