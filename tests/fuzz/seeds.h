#pragma once
// Small images of every kind, made by our own encoders, to begin fuzzing with.

#include <cstdint>
#include <string_view>
#include <vector>

namespace pixpress {

// At most 64 x 64 pixels and 32 kB each; of the format of that name, or of every built-in one for
// "all".
std::vector<std::vector<uint8_t>> FuzzSeeds(std::string_view format_name);

}  // namespace pixpress
