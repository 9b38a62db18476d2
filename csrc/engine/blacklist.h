#pragma once
// Inputs that are known to be bad, so that they are not tried again and again.

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"
#include "image/limits.h"
#include "pipeline/job_spec.h"

namespace pixpress {

struct BlacklistEntry {
  std::string name;  // The path, or what messages call the bytes.
  uint64_t size_bytes = 0;
  std::string reason;
};

// Thread-safe. Files are known by path, size and modification time, so that a repaired one is tried
// again; bytes by their content. Holds at most kMostEntries, the newest.
class Blacklist {
 public:
  static constexpr size_t kMostEntries = 10'000;

  // `identity` is the file's; without one the source must be bytes. Pixels are never listed.
  void Add(const Source& source, const std::optional<FileIdentity>& identity,
           const std::string& reason) {
    Blame(source, identity, reason, 1);
  }
  // Add the source the `needed`-th time that it is blamed.
  void Blame(const Source& source, const std::optional<FileIdentity>& identity,
             const std::string& reason, uint32_t needed);
  // Why the source is listed, if it is. Blocks on I/O, and reads bytes of a listed size.
  std::optional<std::string> Find(const Source& source) const;
  std::vector<BlacklistEntry> List() const;
  // Forget the entries of this name, all if it is empty; returns how many.
  size_t Clear(const std::string& name);

 private:
  struct Key {
    std::string path = {};  // Of files.
    uint64_t size_bytes = 0;
    int64_t mtime_ns = 0;
    Sha256Digest digest = {};  // Of bytes.
    auto operator<=>(const Key&) const = default;
  };

  static std::optional<Key> FileKey(const Source& source,
                                    const std::optional<FileIdentity>& identity);
  static Key BytesKey(const Source& source);
  bool HasBytesOfLocked(uint64_t size_bytes) const;

  std::atomic<size_t> count_{0};  // Nothing is read while there is none.
  mutable std::mutex mutex_;      // Guards all below.
  std::map<Key, BlacklistEntry> entries_;
  std::deque<Key> order_;           // Oldest first.
  std::map<Key, uint32_t> blames_;  // Of what is not listed yet; forgotten when there are too many.
};

}  // namespace pixpress
