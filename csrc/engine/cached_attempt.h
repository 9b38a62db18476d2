#pragma once
// One attempt at a job whose result may be in the cache.

#include <optional>

#include "engine/worker.h"

namespace pixpress {

// Answer the job from `context.cache`: that takes the memory of its output only, and no worker
// process. Nothing: the job is to be run; then it has a key to keep its result under, or cannot be
// cached.
std::optional<Attempt> AttemptCached(Job& job, const AttemptContext& context);

}  // namespace pixpress
