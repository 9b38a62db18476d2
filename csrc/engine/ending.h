#pragma once
// The end of an attempt on its way to the caller: what is still to be done for it to count.

#include <memory>
#include <optional>
#include <vector>

#include "base/atomic_file.h"
#include "base/status.h"
#include "engine/config.h"
#include "engine/job.h"
#include "store/journal_record.h"

namespace pixpress {

// A job that a worker has taken, with the options of that moment.
struct Taken {
  std::shared_ptr<Job> job;
  EngineOptions options;
};

struct Ending {
  std::shared_ptr<Job> job;
  Status status = {};
  JobState state = JobState::kDone;
  bool has_run = false;
  bool is_second = false;                   // Of an abandoned job whose worker has returned.
  std::vector<JournalRecord> records = {};  // To be committed before anyone hears of the end.
  // Of an attempt that ended well, when outputs are durable: to be synced and named first. What
  // stands above is decided after that.
  std::optional<PendingFile> output = {};
  EngineOptions options = {};
};

// What the journal is to know of it. With the engine's lock held.
std::vector<JournalRecord> RecordsOf(const Ending& ending);

}  // namespace pixpress
