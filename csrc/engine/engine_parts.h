#pragma once
// What an engine gets from outside, so that tests can script it.

#include <functional>

#include "base/clock.h"
#include "engine/worker.h"

namespace pixpress {

struct EngineParts {
  const Clock& clock = Clock::System();
  std::function<Attempt(Job&, const AttemptContext&)> attempt = AttemptJob;
};

}  // namespace pixpress
