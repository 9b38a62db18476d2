#pragma once
// Inputs that are known to be bad, so that they are not tried again and again.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "image/limits.h"
#include "pipeline/job_spec.h"
#include "store/journal_record.h"

namespace pixpress {

struct BlacklistedInput {
  std::string name = {};  // The path, or what messages call the bytes.
  uint64_t size_bytes = 0;
  std::string reason;
  bool is_damage = false;  // As of BlacklistEntry.
};

// Thread-safe. Files are known by path, size and modification time, so that a repaired one is tried
// again; bytes by their content. Holds at most kMostEntries, the newest.
class Blacklist {
 public:
  static constexpr size_t kMostEntries = 10'000;

  // `identity` is the file's; without one the source must be bytes. Pixels are never listed. The
  // key if that is new.
  std::optional<BlacklistKey> AddDamaged(const Source& source,
                                         const std::optional<FileIdentity>& identity,
                                         const std::string& reason) {
    return Add(source, identity, {.reason = reason, .is_damage = true}, 1);
  }
  // For the death or hang of a process: add the source the `needed`-th time that it is blamed. It
  // is worse than damage, whose entry it replaces.
  std::optional<BlacklistKey> Blame(const Source& source,
                                    const std::optional<FileIdentity>& identity,
                                    const std::string& reason, uint32_t needed) {
    return Add(source, identity, {.reason = reason}, needed);
  }
  // What a journal kept.
  void Restore(const BlacklistEntry& entry);
  // Why the source is listed, if it is. `salvages`: not for damage. Blocks on I/O, and reads bytes
  // of a listed size.
  std::optional<std::string> Find(const Source& source, bool salvages = false) const;
  std::vector<BlacklistedInput> List() const;
  // Forget the entries of this name, all if it is empty; returns their keys.
  std::vector<BlacklistKey> Clear(const std::string& name);

 private:
  std::optional<BlacklistKey> Add(const Source& source, const std::optional<FileIdentity>& identity,
                                  BlacklistedInput input, uint32_t needed);
  static std::optional<BlacklistKey> FileKey(const Source& source,
                                             const std::optional<FileIdentity>& identity);
  static BlacklistKey BytesKey(const Source& source);
  bool AddLocked(const BlacklistKey& key, BlacklistedInput input);
  bool HasBytesOfLocked(uint64_t size_bytes) const;

  std::atomic<size_t> count_{0};  // Nothing is read while there is none.
  mutable std::mutex mutex_;      // Guards all below.
  std::map<BlacklistKey, BlacklistedInput> entries_;
  std::deque<BlacklistKey> order_;  // Oldest first.
  // Of what is not listed yet; forgotten when there are too many.
  std::map<BlacklistKey, uint32_t> blames_;
};

}  // namespace pixpress
