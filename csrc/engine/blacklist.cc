#include "engine/blacklist.h"

#include <algorithm>

namespace pixpress {

std::optional<BlacklistKey> Blacklist::FileKey(const Source& source,
                                               const std::optional<FileIdentity>& identity) {
  if (!identity.has_value()) return std::nullopt;
  return BlacklistKey{.path = AbsolutePath(source.name),
                      .size_bytes = identity->size_bytes,
                      .mtime_ns = identity->mtime_ns,
                      .content_hash = {}};
}

BlacklistKey Blacklist::BytesKey(const Source& source) {
  Sha256 sha;
  sha.Update(source.bytes);
  return {
      .path = "", .size_bytes = source.bytes.size(), .mtime_ns = 0, .content_hash = sha.Finish()};
}

bool Blacklist::HasBytesOfLocked(uint64_t size_bytes) const {
  const auto first = entries_.lower_bound(
      BlacklistKey{.path = "", .size_bytes = size_bytes, .mtime_ns = 0, .content_hash = {}});
  return first != entries_.end() && first->first.path.empty() &&
         first->first.size_bytes == size_bytes;
}

std::optional<BlacklistKey> Blacklist::Add(const Source& source,
                                           const std::optional<FileIdentity>& identity,
                                           BlacklistedInput input, uint32_t needed) {
  std::optional<BlacklistKey> key;
  if (source.kind == Source::Kind::kFile) key = FileKey(source, identity);
  if (source.kind == Source::Kind::kBytes) key = BytesKey(source);
  if (!key.has_value()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (needed > 1) {
    if (blames_.size() >= kMostEntries) blames_.clear();
    if (++blames_[*key] < needed) return std::nullopt;
  }
  blames_.erase(*key);
  input.name = source.name;
  input.size_bytes = key->size_bytes;
  return AddLocked(*key, std::move(input)) ? key : std::nullopt;
}

void Blacklist::Restore(const BlacklistEntry& entry) {
  const std::lock_guard lock(mutex_);
  const std::string name = entry.key.path.empty() ? "<bytes>" : entry.key.path;
  AddLocked(entry.key, {.name = name,
                        .size_bytes = entry.key.size_bytes,
                        .reason = entry.reason,
                        .is_damage = entry.is_damage});
}

bool Blacklist::AddLocked(const BlacklistKey& key, BlacklistedInput input) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    const bool is_worse = found->second.is_damage && !input.is_damage;
    if (is_worse) found->second = std::move(input);
    return is_worse;
  }
  entries_.emplace(key, std::move(input));
  order_.push_back(key);
  if (order_.size() > kMostEntries) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  count_.store(entries_.size());
  return true;
}

std::optional<std::string> Blacklist::Find(const Source& source, bool salvages) const {
  if (count_.load() == 0) return std::nullopt;
  std::optional<BlacklistKey> key;
  if (source.kind == Source::Kind::kFile) {
    const auto identity = IdentifyFile(source.name);
    if (identity.ok()) key = FileKey(source, identity.value());
  } else if (source.kind == Source::Kind::kBytes) {
    std::unique_lock lock(mutex_);
    const bool may_be_listed = HasBytesOfLocked(source.bytes.size());
    lock.unlock();
    if (may_be_listed) key = BytesKey(source);
  }
  if (!key.has_value()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(*key);
  if (found == entries_.end() || (salvages && found->second.is_damage)) return std::nullopt;
  return found->second.reason;
}

std::vector<BlacklistedInput> Blacklist::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<BlacklistedInput> entries;
  for (const BlacklistKey& key : order_) entries.push_back(entries_.at(key));
  return entries;
}

std::vector<BlacklistKey> Blacklist::Clear(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::vector<BlacklistKey> cleared;
  std::erase_if(order_, [&](const BlacklistKey& key) {
    if (!name.empty() && entries_.at(key).name != name) return false;
    cleared.push_back(key);
    return true;
  });
  for (const BlacklistKey& key : cleared) entries_.erase(key);
  count_.store(entries_.size());
  return cleared;
}

}  // namespace pixpress
