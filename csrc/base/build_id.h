#pragma once
// Which build of the code this is.

#include <string>

namespace pixpress {

// The linker's digest of the program or library that this code is in, in raw bytes: equal builds
// have equal ones. Empty if it was linked without one.
std::string BuildId();

}  // namespace pixpress
