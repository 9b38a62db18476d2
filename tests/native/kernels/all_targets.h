#pragma once
// Run a test on every SIMD target that this machine has and the library was built for.

#include <hwy/highway.h>

namespace pixpress {

// Calls body(name of the target) with only that target allowed; then all are allowed again.
template <typename Body>
void ForEachTarget(const Body& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    body(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace pixpress
