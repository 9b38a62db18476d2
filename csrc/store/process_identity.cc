#include "store/process_identity.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace pixpress {
namespace {

std::string BootId() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

// Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets.
uint64_t StartTicks(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(in, line)) return 0;
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

}  // namespace

ProcessIdentity ThisProcess() {
  const pid_t pid = getpid();
  return {.pid = pid, .boot_id = BootId(), .start_ticks = StartTicks(pid)};
}

bool IsRunning(const ProcessIdentity& process) {
  if (process.pid <= 0 || !IsOfThisBoot(process)) return false;
  if (kill(process.pid, 0) != 0 && errno == ESRCH) return false;
  return StartTicks(process.pid) == process.start_ticks;
}

bool IsOfThisBoot(const ProcessIdentity& process) { return process.boot_id == BootId(); }

}  // namespace pixpress
