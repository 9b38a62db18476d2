#pragma once
// Which process: a pid alone is given out again.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pixpress {

struct ProcessIdentity {
  pid_t pid = 0;
  std::string boot_id;       // Of the running kernel; empty where /proc does not tell.
  uint64_t start_ticks = 0;  // Clock ticks from the boot to the process's start; 0 if not known.
  bool operator==(const ProcessIdentity&) const = default;
};

ProcessIdentity ThisProcess();
// True if that very process runs now, on this machine and in this boot.
bool IsRunning(const ProcessIdentity& process);
// True if it ran in the boot that is now: what ended it was not the machine going down.
bool IsOfThisBoot(const ProcessIdentity& process);

}  // namespace pixpress
