#include "store/journal_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string_view>
#include <vector>

#include "store/process_identity.h"

namespace pixpress {
namespace {

constexpr std::string_view kMark = "pixpress journal lock, owner ";

// A flock belongs to the open file, which fork() shares: a child that lives on would keep the
// journal of a parent that died. So children close the descriptors of all locks, here.
class HeldLocks {
 public:
  static HeldLocks& Get() {
    static HeldLocks* const held = new HeldLocks;  // Never destroyed: forks go on until the end.
    return *held;
  }
  void Add(int fd) {
    const std::lock_guard lock(mutex_);
    fds_.push_back(fd);
  }
  // Unlock and close `fd` unless this is a child, where that was done.
  void Close(int fd) {
    const std::lock_guard lock(mutex_);
    if (std::erase(fds_, fd) == 0) return;
    flock(fd, LOCK_UN);  // A child that was forked just now may not have closed its copy yet.
    close(fd);
  }

 private:
  HeldLocks() {
    pthread_atfork([] { Get().mutex_.lock(); }, [] { Get().mutex_.unlock(); },
                   [] {
                     for (const int fd : Get().fds_) close(fd);
                     Get().fds_.clear();
                     Get().mutex_.unlock();
                   });
  }

  std::mutex mutex_;  // Guards fds_, across forks too.
  std::vector<int> fds_;
};

std::string ReadStart(int fd) {
  char text[128];
  ssize_t got;
  do {
    got = pread(fd, text, sizeof(text), 0);
  } while (got < 0 && errno == EINTR);
  return std::string(text, got > 0 ? static_cast<size_t>(got) : 0);
}

Status WriteText(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = pwrite(fd, text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return ErrnoStatus(StatusCode::kJournal, "write", written < 0 ? errno : EIO);
    }
    at += static_cast<size_t>(written);
  }
  while (ftruncate(fd, static_cast<off_t>(text.size())) != 0) {
    if (errno != EINTR) return ErrnoStatus(StatusCode::kJournal, "ftruncate", errno);
  }
  return Status();
}

Status InUse(const std::string& journal_path, const std::string& lock_text) {
  std::string owner = "another process";
  if (lock_text.starts_with(kMark)) {
    const std::string rest = lock_text.substr(kMark.size());
    owner = "process " + rest.substr(0, rest.find('\n'));
  }
  return Status(StatusCode::kJournal, journal_path + ": the journal is in use by " + owner, EAGAIN);
}

}  // namespace

JournalLock::JournalLock(FileDescriptor fd, bool had_owner)
    : fd_(std::move(fd)), had_owner_(had_owner) {
  HeldLocks::Get().Add(fd_.get());
}

Result<JournalLock> JournalLock::Acquire(const std::string& journal_path) {
  const std::string path = journal_path + ".lock";
  FileDescriptor fd(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.is_open()) return ErrnoStatus(StatusCode::kJournal, path, errno);
  struct stat st;
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(StatusCode::kJournal, path, errno);
  if (!S_ISREG(st.st_mode)) {
    return Status(StatusCode::kJournal, path + ": not a regular file", EINVAL);
  }
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return InUse(journal_path, ReadStart(fd.get()));
    return ErrnoStatus(StatusCode::kJournal, path, errno);
  }
  const std::string before = ReadStart(fd.get());
  if (!before.empty() && !before.starts_with(kMark)) {
    return Status(StatusCode::kJournal, path + ": exists, and is not the lock of a journal",
                  EEXIST);
  }
  return JournalLock(std::move(fd), !before.empty());
}

Status JournalLock::WriteOwner() {
  return WriteText(fd_.get(), std::string(kMark) + std::to_string(getpid()) + "\n");
}

JournalLock::~JournalLock() {
  if (fd_.is_open()) HeldLocks::Get().Close(fd_.Release());
}

}  // namespace pixpress
