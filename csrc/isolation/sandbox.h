#pragma once
// What a worker process gives up before it looks at the first image. Linked into that program only.

#include <sys/types.h>

#include "base/status.h"

namespace pixpress {

// Close what was inherited, drop the working folder, end with `parent`, and forbid core dumps, new
// descriptors, processes and privileges. For ever.
Status EnterSandbox(pid_t parent);

// Leave only the system calls that decoding needs; the rest fails with EPERM. 0, or errno where the
// system refuses: then the process works without.
int FilterSystemCalls();

}  // namespace pixpress
