#pragma once
// A worker process as its parent sees it: started, limited, talked to, killed and reaped.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/status.h"
#include "isolation/control_page.h"
#include "isolation/shared_memory.h"

namespace pixpress {

// Of the job that runs next. The limits hold for the process, which cannot raise them.
struct ChildLimits {
  uint64_t memory_bytes = 0;  // Of new address space, on top of what the process has.
  uint64_t output_bytes = 0;  // The size of a file that it writes.
  int64_t cpu_ns = 0;         // From now on; 0: none.
};

// Owned and used by one thread, which is also the one that starts it: the system ends the process
// when that thread ends.
class ChildProcess {
 public:
  enum class Received : uint8_t { kMessage, kNothing, kGone };

  // Runs `program` with nothing of this process but four descriptors, and waits until it is ready.
  // kWorkerCrashed, with errno if a system call failed. Blocks for milliseconds.
  static Result<std::unique_ptr<ChildProcess>> Start(const std::string& program);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();  // Kills and reaps. Blocks until the process is gone.

  // False if the process is gone.
  bool Send(std::string_view message);
  // Wait up to kPatienceMs for a message. What is too long for one counts as gone.
  Received Receive(std::string* message);
  static constexpr int kPatienceMs = 10;
  // Keep it to these limits, or a little more, from now on.
  void Limit(const ChildLimits& limits);
  // Kill it, wait, and say in words how it had ended; kTaskTimeout if for its CPU time.
  Status Reap();

  pid_t pid() const { return pid_; }
  int filter_errno() const { return filter_errno_; }  // 0: it has a system call filter.
  SharedFile& input() { return input_; }
  SharedFile& output() { return output_; }
  ControlPage& control() { return *reinterpret_cast<ControlPage*>(control_.data()); }

 private:
  ChildProcess() = default;
  Status Open(const std::string& program);
  Status Spawn(const std::string& program, int child_socket, int child_control);
  Status AwaitHello();

  pid_t pid_ = -1;  // -1: reaped.
  FileDescriptor socket_;
  SharedFile input_;
  SharedFile output_;
  Mapping control_;
  int filter_errno_ = 0;
  uint64_t own_address_space_bytes_ = 0;  // When it was ready.
  // Set last.
  ChildLimits limits_;
  int64_t cpu_limited_ns_ = 0;  // When.
};

}  // namespace pixpress
