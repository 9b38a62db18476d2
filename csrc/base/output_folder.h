#pragma once
// The folder that an output goes into, held open so that renamed parents cannot redirect it.

#include <string>

#include "base/file.h"
#include "base/status.h"

namespace pixpress {

struct OutputFolder {
  FileDescriptor fd;  // O_PATH; good for *at() calls only.
  std::string name;   // The output's own name: one component, never "." or "..".
};

enum class Confinement : uint8_t {
  kKernel,      // openat2; falls back to components where the kernel lacks it.
  kComponents,  // One O_NOFOLLOW open per component: refuses every "..", and every link.
};

// Open the folder of `path`. With a non-empty `root`, `path` is relative to it, cannot lead out of
// it, and missing folders below it are made. kOutput with errno otherwise.
Result<OutputFolder> OpenOutputFolder(const std::string& path, const std::string& root,
                                      Confinement confinement = Confinement::kKernel);

}  // namespace pixpress
