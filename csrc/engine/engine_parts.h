#pragma once
// What an engine gets from outside, so that tests can script it.

#include <functional>
#include <memory>

#include "base/clock.h"
#include "engine/job_cache.h"
#include "engine/job_journal.h"
#include "engine/worker.h"

namespace pixpress {

struct EngineParts {
  const Clock& clock = Clock::System();
  std::function<Attempt(Job&, const AttemptContext&)> attempt = AttemptJob;
  std::unique_ptr<JobJournal> journal = nullptr;
  std::unique_ptr<JobCache> cache = nullptr;
};

}  // namespace pixpress
