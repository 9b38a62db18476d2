#pragma once
// What a dead owner left: which jobs are done all the same, which are to be done again.

#include <cstdint>

#include "base/status.h"
#include "store/journal_table.h"

namespace pixpress {

struct JournalRecovery {
  uint64_t completed = 0;  // Were about to end; their outputs are complete: now kDone.
  uint64_t requeued = 0;   // Were started or writing: now kQueued.
  uint64_t suspects = 0;   // Of those, ran when their process died: `crashes` is one more.
  uint64_t removed_temporaries = 0;  // Files of killed writes.
};

// For each kWriting row: is the announced content there under its name? Then it is kDone; with
// `durable`, after a sync of file and folder. All others are kQueued again. A kStarted row whose
// owner died in this boot of the machine, and did not go down with it, is charged with a crash.
// Only for the journal's owner, before its own jobs start; `table` is in no transaction. Blocks:
// reads outputs.
Result<JournalRecovery> RecoverJournal(JournalTable& table, bool durable);

}  // namespace pixpress
