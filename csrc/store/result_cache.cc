#include "store/result_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/checked_math.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/cache_entry.h"

namespace pixpress {
namespace {

constexpr std::string_view kSuffix = ".pxc";
constexpr size_t kHexDigits = 64;

bool IsEntryName(std::string_view name) {
  return name.size() == kHexDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         name.find_first_not_of("0123456789abcdef") == kHexDigits;
}

// Of base/atomic_file.h: `.{name}.{pid}-...tmp`.
bool IsTemporaryName(std::string_view name) {
  const size_t named = 1 + kHexDigits + kSuffix.size();
  return name.size() > named && name[0] == '.' && IsEntryName(name.substr(1, named - 1)) &&
         name.ends_with(".tmp");
}

// With its owner's rights only: whoever else could write there could put results of their own.
Status CheckOwner(const std::string& folder, struct stat* st) {
  if (lstat(folder.c_str(), st) != 0) return ErrnoStatus(StatusCode::kOutput, folder, errno);
  if (!S_ISDIR(st->st_mode)) return ErrnoStatus(StatusCode::kOutput, folder, ENOTDIR);
  if (st->st_uid == geteuid()) return Status();
  return Status(StatusCode::kOutput, folder + ": the cache folder belongs to another user", EPERM);
}

Status MakeFolder(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(folder).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return ErrnoStatus(StatusCode::kOutput, folder, error.value());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(StatusCode::kOutput, folder, errno);
  }
  struct stat st;
  PIXPRESS_RETURN_IF_ERROR(CheckOwner(folder, &st));
  if ((st.st_mode & 0077) != 0 && chmod(folder.c_str(), 0700) != 0) {
    return ErrnoStatus(StatusCode::kOutput, folder, errno);
  }
  return Status();
}

// Whether a folder that is not there, or not usable, will never be.
bool IsHopeless(int sys_errno) {
  return sys_errno == ENOTDIR || sys_errno == EPERM || sys_errno == ENAMETOOLONG;
}

// The right to add and remove entries, among all processes.
class FolderLock {
 public:
  // EAGAIN if whoever holds it keeps it for `patience_ns`: it may have been stopped.
  static Result<FolderLock> Take(const std::string& folder, int64_t patience_ns) {
    const std::string path = folder + "/lock";
    FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open()) return ErrnoStatus(StatusCode::kOutput, path, errno);
    const Clock& clock = Clock::System();
    const int64_t deadline_ns = clock.NowNs() + patience_ns;
    while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EINTR && (errno != EWOULDBLOCK || clock.NowNs() >= deadline_ns)) {
        return ErrnoStatus(StatusCode::kOutput, path, errno);
      }
      const timespec pause = {.tv_sec = 0, .tv_nsec = kNsPerMs};
      nanosleep(&pause, nullptr);
    }
    return FolderLock(std::move(fd));
  }
  FolderLock(FolderLock&&) noexcept = default;
  FolderLock& operator=(FolderLock&&) = delete;
  // Closing is not enough: a child forked meanwhile has the descriptor too.
  ~FolderLock() {
    if (fd_.is_open()) flock(fd_.get(), LOCK_UN);
  }

 private:
  explicit FolderLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

constexpr int64_t kPatienceNs = 100 * kNsPerMs;
// After that was in vain, nobody waits for so long.
constexpr int64_t kHeldUpNs = kNsPerSecond;

}  // namespace

Result<std::unique_ptr<ResultCache>> ResultCache::Open(const std::string& folder,
                                                       const CacheLimits& limits, Status* problem) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(folder, error).lexically_normal();
  if (folder.empty() || error) return ErrnoStatus(StatusCode::kOutput, folder, EINVAL);
  if (!path.has_filename()) path = path.parent_path();  // "folder/"
  std::unique_ptr<ResultCache> cache(new ResultCache(path.string(), limits));
  *problem = cache->Prepare();
  if (IsHopeless(problem->sys_errno())) return *problem;
  return cache;
}

Status ResultCache::Prepare() {
  PIXPRESS_RETURN_IF_ERROR(MakeFolder(folder_));
  is_ready_.store(true);
  return Status();
}

std::string ResultCache::PathOf(const Sha256Digest& key) const {
  return folder_ + "/" + key.Hex() + std::string(kSuffix);
}

std::optional<uint64_t> ResultCache::EntryBytes(const Sha256Digest& key) const {
  struct stat st;
  if (lstat(PathOf(key).c_str(), &st) != 0) return std::nullopt;
  return static_cast<uint64_t>(st.st_size);
}

std::optional<std::string> ResultCache::Find(const Sha256Digest& key, ByteChain* payload) {
  const std::string path = PathOf(key);
  struct stat st;
  Result<std::string> description = Status(StatusCode::kOutput, "", ENOENT);
  if (is_ready_.load() && CheckOwner(folder_, &st).ok()) {
    description = ReadCacheEntry(path, key, payload);
  }
  if (description.ok()) {
    ++hits_;
    return std::move(description).value();
  }
  ++misses_;
  const Status status = description.status();
  if (status.code() == StatusCode::kCorruptImage) {
    ++bad_entries_;
    unlink(path.c_str());
  } else if (status.sys_errno() != ENOENT) {
    ++failures_;
  }
  return std::nullopt;
}

void ResultCache::Remove(const Sha256Digest& key) { unlink(PathOf(key).c_str()); }

Status ResultCache::Store(const Sha256Digest& key, std::string_view description,
                          std::span<const std::span<const uint8_t>> payload) {
  uint64_t payload_bytes = 0;
  for (const auto chunk : payload) payload_bytes = SaturatingAdd(payload_bytes, chunk.size());
  const uint64_t size_bytes = CacheEntryBytes(description, payload_bytes);
  if (size_bytes > limits_.max_bytes || limits_.max_entries == 0) {
    return Status(StatusCode::kOutput, PathOf(key) + ": an entry larger than the cache", EFBIG);
  }
  Status status = StoreLocked(key, description, payload, size_bytes);
  ++(status.ok() ? stored_ : failures_);
  return status;
}

Status ResultCache::StoreLocked(const Sha256Digest& key, std::string_view description,
                                std::span<const std::span<const uint8_t>> payload,
                                uint64_t size_bytes) {
  const std::string path = PathOf(key);
  const std::lock_guard lock(write_mutex_);
  struct stat st;
  if (!is_ready_.load() || !CheckOwner(folder_, &st).ok()) {
    PIXPRESS_RETURN_IF_ERROR(Prepare());  // Somebody has cleaned up, or it was not possible before.
  }
  const int64_t now_ns = Clock::System().NowNs();
  const bool is_held_up = held_up_ns_ != 0 && now_ns - held_up_ns_ < kHeldUpNs;
  const Result<FolderLock> folder_lock = FolderLock::Take(folder_, is_held_up ? 0 : kPatienceNs);
  if (folder_lock.status().sys_errno() == EAGAIN && !is_held_up) held_up_ns_ = now_ns;
  if (!folder_lock.ok()) return folder_lock.status();
  PIXPRESS_RETURN_IF_ERROR(MakeRoom(path.substr(folder_.size() + 1), size_bytes));
  return WriteCacheEntry(path, key, description, payload);
}

Status ResultCache::MakeRoom(const std::string& name, uint64_t size_bytes) {
  PIXPRESS_ASSIGN_OR_RETURN(std::vector<Entry> entries, Walk(true));
  std::ranges::sort(entries, {}, &Entry::used_ns);
  uint64_t count = entries.size() + 1;
  uint64_t bytes = size_bytes;
  for (const Entry& entry : entries) bytes = SaturatingAdd(bytes, entry.size_bytes);
  for (const Entry& entry : entries) {
    const bool is_replaced = entry.name == name;
    if (!is_replaced && count <= limits_.max_entries && bytes <= limits_.max_bytes) continue;
    if (unlink((folder_ + "/" + entry.name).c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(StatusCode::kOutput, folder_ + "/" + entry.name, errno);
    }
    --count;
    bytes -= entry.size_bytes;
    if (!is_replaced) ++evicted_;
  }
  return Status();
}

Result<std::vector<ResultCache::Entry>> ResultCache::Walk(bool is_locked) const {
  DIR* const listing = opendir(folder_.c_str());
  if (listing == nullptr) return ErrnoStatus(StatusCode::kOutput, folder_, errno);
  std::vector<Entry> entries;
  while (const dirent* item = readdir(listing)) {
    if (is_locked && IsTemporaryName(item->d_name)) unlinkat(dirfd(listing), item->d_name, 0);
    struct stat st;
    if (!IsEntryName(item->d_name) ||
        fstatat(dirfd(listing), item->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    entries.push_back({.name = item->d_name,
                       .size_bytes = static_cast<uint64_t>(st.st_size),
                       .used_ns = st.st_mtim.tv_sec * kNsPerSecond + st.st_mtim.tv_nsec});
  }
  closedir(listing);
  return entries;
}

CacheStats ResultCache::Stats() const {
  return {.hits = hits_,
          .misses = misses_,
          .bad_entries = bad_entries_,
          .stored = stored_,
          .evicted = evicted_,
          .failures = failures_};
}

Result<ResultCache::Usage> ResultCache::Used() const {
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Walk(false));
  Usage used = {.entries = entries.size(), .bytes = 0};
  for (const Entry& entry : entries) used.bytes += entry.size_bytes;
  return used;
}

Status ResultCache::Clear() {
  const std::lock_guard lock(write_mutex_);
  PIXPRESS_ASSIGN_OR_RETURN(const FolderLock folder_lock, FolderLock::Take(folder_, kPatienceNs));
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Walk(true));
  for (const Entry& entry : entries) {
    if (unlink((folder_ + "/" + entry.name).c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(StatusCode::kOutput, folder_ + "/" + entry.name, errno);
    }
  }
  return Status();
}

}  // namespace pixpress
