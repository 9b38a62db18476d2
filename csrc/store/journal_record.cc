#include "store/journal_record.h"

namespace pixpress {

std::string_view JournalStateName(JournalState state) {
  switch (state) {
    case JournalState::kQueued:
      return "queued";
    case JournalState::kStarted:
      return "started";
    case JournalState::kWriting:
      return "writing";
    case JournalState::kDone:
      return "done";
    case JournalState::kFailed:
      return "failed";
    case JournalState::kCancelled:
      return "cancelled";
    case JournalState::kBlacklisted:
      return "blacklisted";
  }
  return "";
}

}  // namespace pixpress
