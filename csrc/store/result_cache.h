#pragma once
// Results of earlier jobs on disk, shared by processes. It may forget, and never lies.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"
#include "memory/byte_chain.h"

namespace pixpress {

struct CacheLimits {
  uint64_t max_entries = 500;
  uint64_t max_bytes = uint64_t{1} << 30;  // Of files, headers included.
};

// Since the cache was opened, in this process.
struct CacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;       // Bad entries included.
  uint64_t bad_entries = 0;  // Deleted: damaged, or of another version.
  uint64_t stored = 0;
  uint64_t evicted = 0;
  uint64_t failures = 0;  // Entries that could not be read or stored: a full disk, say.
};

// Thread-safe. The folder is the index: one file per entry, its mtime the last use, so nothing can
// get out of step when processes die. Only files that it named itself are ever removed. Every call
// may block on the disk; none of their failures is one of the job's.
class ResultCache {
 public:
  // Make `folder` (0700) if it is missing, and its parents. kOutput with errno if it can never be
  // one: it is no folder, or belongs to somebody else. What may pass, such as a full disk, is in
  // `problem`; then every Store tries again.
  static Result<std::unique_ptr<ResultCache>> Open(const std::string& folder,
                                                   const CacheLimits& limits, Status* problem);

  // Bytes of the entry of `key`, an upper bound of its payload; nothing if there is none.
  std::optional<uint64_t> EntryBytes(const Sha256Digest& key) const;

  // A hit appends what was stored to `payload`, which is empty, and returns the description. A miss
  // leaves `payload` empty; so does any entry that is not, bit for bit, as it was stored: it is
  // deleted. Without memory for the payload it is a miss too.
  std::optional<std::string> Find(const Sha256Digest& key, ByteChain* payload);

  // Remember a result; `description` is the caller's own. First the least recently used entries go,
  // until this one fits, so that the limits hold at every moment, for all processes together.
  // kOutput with errno if it was not stored: ENOSPC, EFBIG if it is larger than all of the cache
  // (no failure), EAGAIN if another process kept the folder locked for 100 ms, or does so still.
  Status Store(const Sha256Digest& key, std::string_view description,
               std::span<const std::span<const uint8_t>> payload);

  // Delete an entry that its reader does not believe.
  void Remove(const Sha256Digest& key);

  CacheStats Stats() const;
  struct Usage {
    uint64_t entries = 0;
    uint64_t bytes = 0;
  };
  // What is in the folder now. Walks it.
  Result<Usage> Used() const;
  // Delete all entries.
  Status Clear();

  const std::string& folder() const { return folder_; }

 private:
  struct Entry {
    std::string name;
    uint64_t size_bytes = 0;
    int64_t used_ns = 0;
  };

  ResultCache(std::string folder, const CacheLimits& limits)
      : folder_(std::move(folder)), limits_(limits) {}
  std::string PathOf(const Sha256Digest& key) const;
  Status Prepare();
  Status StoreLocked(const Sha256Digest& key, std::string_view description,
                     std::span<const std::span<const uint8_t>> payload, uint64_t size_bytes);
  Status MakeRoom(const std::string& name, uint64_t size_bytes);
  // With the folder locked, also removes what killed processes left half-written.
  Result<std::vector<Entry>> Walk(bool is_locked) const;

  const std::string folder_;
  const CacheLimits limits_;
  std::atomic<bool> is_ready_{false};  // The folder is there, and ours.
  std::mutex write_mutex_;             // One writer per process; the lock file's flock is for all.
  int64_t held_up_ns_ = 0;  // Guarded by it: when somebody kept the folder locked for too long.
  std::atomic<uint64_t> hits_{0}, misses_{0}, bad_entries_{0}, stored_{0}, evicted_{0};
  std::atomic<uint64_t> failures_{0};
};

}  // namespace pixpress
