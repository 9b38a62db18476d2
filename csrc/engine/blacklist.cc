#include "engine/blacklist.h"

#include <algorithm>

namespace pixpress {

std::optional<Blacklist::Key> Blacklist::FileKey(const Source& source,
                                                 const std::optional<FileIdentity>& identity) {
  if (!identity.has_value()) return std::nullopt;
  return Key{.path = source.name,
             .size_bytes = identity->size_bytes,
             .mtime_ns = identity->mtime_ns,
             .digest = {}};
}

Blacklist::Key Blacklist::BytesKey(const Source& source) {
  Sha256 sha;
  sha.Update(source.bytes);
  return {.path = "", .size_bytes = source.bytes.size(), .mtime_ns = 0, .digest = sha.Finish()};
}

bool Blacklist::HasBytesOfLocked(uint64_t size_bytes) const {
  const auto first = entries_.lower_bound(Key{.path = "", .size_bytes = size_bytes});
  return first != entries_.end() && first->first.path.empty() &&
         first->first.size_bytes == size_bytes;
}

void Blacklist::Blame(const Source& source, const std::optional<FileIdentity>& identity,
                      const std::string& reason, uint32_t needed) {
  std::optional<Key> key;
  if (source.kind == Source::Kind::kFile) key = FileKey(source, identity);
  if (source.kind == Source::Kind::kBytes) key = BytesKey(source);
  if (!key.has_value()) return;
  const std::lock_guard lock(mutex_);
  if (needed > 1) {
    if (blames_.size() >= kMostEntries) blames_.clear();
    if (++blames_[*key] < needed) return;
  }
  blames_.erase(*key);
  const BlacklistEntry entry{.name = source.name, .size_bytes = key->size_bytes, .reason = reason};
  if (!entries_.emplace(*key, entry).second) return;
  order_.push_back(*std::move(key));
  if (order_.size() > kMostEntries) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  count_.store(entries_.size());
}

std::optional<std::string> Blacklist::Find(const Source& source) const {
  if (count_.load() == 0) return std::nullopt;
  std::optional<Key> key;
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
  if (found == entries_.end()) return std::nullopt;
  return found->second.reason;
}

std::vector<BlacklistEntry> Blacklist::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<BlacklistEntry> entries;
  for (const Key& key : order_) entries.push_back(entries_.at(key));
  return entries;
}

size_t Blacklist::Clear(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const size_t count = std::erase_if(
      entries_, [&](const auto& entry) { return name.empty() || entry.second.name == name; });
  std::erase_if(order_, [&](const Key& key) { return !entries_.contains(key); });
  count_.store(entries_.size());
  return count;
}

}  // namespace pixpress
