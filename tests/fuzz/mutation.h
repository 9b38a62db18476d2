#pragma once
// Damaged images: seeds with a few bytes or a few parts changed.

#include <random>
#include <vector>

#include "container.h"

namespace pixpress {

// One of `seeds`, changed. The same state of `random` gives the same bytes on every machine. About
// half of the results (of PNG most) have right lengths and checksums, so that what is damaged lies
// behind the checks of the container.
FuzzInput Mutated(const std::vector<FuzzInput>& seeds, std::mt19937_64& random);

}  // namespace pixpress
