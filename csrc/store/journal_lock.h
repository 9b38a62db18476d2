#pragma once
// One owner per journal: a flock on <journal>.lock, held for life.

#include <string>

#include "base/file.h"
#include "base/status.h"

namespace pixpress {

// Not a lock of SQLite's: those are per process and die with any close() of the file. The file
// stays when its owner ends; removing it would let two processes hold two locks of one name. A
// forked child does not keep its parent's lock.
class JournalLock {
 public:
  // Does not wait. kJournal with EAGAIN and the owner's pid in the message if another holds it, be
  // it in this process; kJournal with errno if the file cannot be made or does not look like a
  // lock.
  static Result<JournalLock> Acquire(const std::string& journal_path);

  JournalLock(JournalLock&&) noexcept = default;
  JournalLock& operator=(JournalLock&&) = delete;
  ~JournalLock();

  // Name this process in the lock's file, for those who are refused, and record that a journal is
  // here.
  Status WriteOwner();
  // True if a journal was here before, so that a damaged file is known to have been one.
  bool had_owner() const { return had_owner_; }

 private:
  JournalLock(FileDescriptor fd, bool had_owner);

  FileDescriptor fd_;
  bool had_owner_;
};

}  // namespace pixpress
