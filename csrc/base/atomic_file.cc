#include "base/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/output_folder.h"

namespace pixpress {
namespace {

constexpr size_t kMostBytesPerCall = size_t{1} << 30;  // The kernel itself stops below 2 GiB.

Status WriteAll(int fd, std::span<const uint8_t> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), std::min(bytes.size(), kMostBytesPerCall));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return ErrnoStatus(StatusCode::kOutput, path, written < 0 ? errno : EIO);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return Status();
}

Status Sync(int fd, const std::string& path) {
  int outcome;
  do {
    outcome = fsync(fd);
  } while (outcome != 0 && errno == EINTR);
  return outcome == 0 ? Status() : ErrnoStatus(StatusCode::kOutput, path, errno);
}

// The folder itself, to list or to sync it.
FileDescriptor OpenReadable(const OutputFolder& folder) {
  int fd;
  do {
    fd = openat(folder.fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return FileDescriptor(fd);
}

constexpr std::string_view kTemporarySuffix = ".tmp";

// `.{name}.{pid}-{job_id}-`, shortened to what every file system takes.
std::string TemporaryPrefix(const std::string& name, pid_t pid, uint64_t job_id) {
  constexpr size_t kMostNameBytes = 160;
  size_t kept = std::min(name.size(), kMostNameBytes);
  // Cut between UTF-8 characters: some file systems refuse half of one.
  while (kept > 0 && kept < name.size() && (name[kept] & 0xC0) == 0x80) --kept;
  return "." + name.substr(0, kept) + "." + std::to_string(pid) + "-" + std::to_string(job_id) +
         "-";
}

// `.{name}.{pid}-{job_id}-{rand}.tmp`
std::string TemporaryName(const std::string& name, uint64_t job_id) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
    random = static_cast<uint64_t>(Clock::System().NowNs());
  }
  char digits[16];
  char* const end = std::to_chars(digits, digits + sizeof(digits), random, 16).ptr;
  return TemporaryPrefix(name, getpid(), job_id).append(digits, end).append(kTemporarySuffix);
}

// A file under a name of its own until Keep; removed otherwise.
class TemporaryFile {
 public:
  static Result<TemporaryFile> Create(const OutputFolder& folder, mode_t mode, uint64_t job_id,
                                      const std::string& path) {
    for (int attempt = 0;; ++attempt) {
      std::string name = TemporaryName(folder.name, job_id);
      const int fd = openat(folder.fd.get(), name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
      if (fd >= 0) return TemporaryFile(folder.fd.get(), FileDescriptor(fd), std::move(name));
      if ((errno != EEXIST && errno != EINTR) || attempt == 100) {
        return ErrnoStatus(StatusCode::kOutput, path, errno);
      }
    }
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : folder_(std::exchange(other.folder_, -1)),
        fd_(std::move(other.fd_)),
        name_(std::move(other.name_)) {}
  ~TemporaryFile() {
    while (folder_ >= 0 && unlinkat(folder_, name_.c_str(), 0) != 0 && errno == EINTR) {
    }
  }

  FileDescriptor& fd() { return fd_; }
  const std::string& name() const { return name_; }
  // Its name is gone: it was renamed.
  void Keep() { folder_ = -1; }

 private:
  TemporaryFile(int folder, FileDescriptor fd, std::string name)
      : folder_(folder), fd_(std::move(fd)), name_(std::move(name)) {}

  int folder_;  // Not owned. -1: nothing to remove.
  FileDescriptor fd_;
  std::string name_;
};

struct OldFile {
  std::optional<mode_t> mode;  // None: there is none, or it is a link, which has no mode.
};

Status ExistsStatus(const std::string& path, const char* why) {
  return Status(StatusCode::kOutputExists, path + ": " + why, EEXIST);
}

// May the name be taken, and with which mode? Links are replaced, never written through.
Result<OldFile> CheckOldFile(const OutputFolder& folder, Overwrite overwrite, uint64_t new_bytes,
                             const std::string& path) {
  struct stat st;
  if (fstatat(folder.fd.get(), folder.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return OldFile{};
    return ErrnoStatus(StatusCode::kOutput, path, errno);
  }
  if (overwrite == Overwrite::kNever) return ExistsStatus(path, "the output exists");
  if (S_ISDIR(st.st_mode)) return ErrnoStatus(StatusCode::kOutput, path, EISDIR);
  const bool is_link = S_ISLNK(st.st_mode);
  if (!is_link && !S_ISREG(st.st_mode)) {
    return Status(StatusCode::kOutput, path + ": not a regular file", EINVAL);
  }
  // What a link leads to is what a reader of this name has now.
  const bool has_size = !is_link || (fstatat(folder.fd.get(), folder.name.c_str(), &st, 0) == 0 &&
                                     S_ISREG(st.st_mode));
  if (overwrite == Overwrite::kSmaller && has_size &&
      static_cast<uint64_t>(st.st_size) <= new_bytes) {
    return ExistsStatus(path, "the output exists and is not larger");
  }
  return OldFile{is_link ? std::nullopt : std::optional<mode_t>(st.st_mode & 0777)};
}

// Give the temporary file its name, failing if the name is taken.
Status RenameToNew(const OutputFolder& folder, TemporaryFile* file, const std::string& path) {
  const int fd = folder.fd.get();
  const char* from = file->name().c_str();
  const char* to = folder.name.c_str();
  if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) == 0) {
    file->Keep();
    return Status();
  }
  if (errno == EEXIST) return ExistsStatus(path, "the output exists");
  if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus(StatusCode::kOutput, path, errno);
  // The file system lacks the flag; a hard link refuses taken names too, and `file` removes the
  // temporary name.
  if (linkat(fd, from, fd, to, 0) == 0) return Status();
  if (errno == EEXIST) return ExistsStatus(path, "the output exists");
  return ErrnoStatus(StatusCode::kOutput, path, errno);
}

Status RenameOver(const OutputFolder& folder, TemporaryFile* file, const std::string& path) {
  const int fd = folder.fd.get();
  if (renameat(fd, file->name().c_str(), fd, folder.name.c_str()) != 0) {
    return ErrnoStatus(StatusCode::kOutput, path, errno);
  }
  file->Keep();
  return Status();
}

}  // namespace

struct PendingFile::State {
  std::string path;
  OutputFolder folder;
  Overwrite overwrite;
  uint64_t size_bytes;
  TemporaryFile file;                   // Removed before the folder is closed.
  FileDescriptor readable_folder = {};  // Once it is to be durable.
};

PendingFile::PendingFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PendingFile::PendingFile(PendingFile&&) noexcept = default;
PendingFile& PendingFile::operator=(PendingFile&&) noexcept = default;
PendingFile::~PendingFile() = default;

Result<PendingFile> PendingFile::Write(const std::string& path,
                                       std::span<const std::span<const uint8_t>> chunks,
                                       const AtomicFileOptions& options) {
  uint64_t size_bytes = 0;
  for (const std::span<const uint8_t> chunk : chunks) size_bytes += chunk.size();
  PIXPRESS_ASSIGN_OR_RETURN(OutputFolder folder, OpenOutputFolder(path, options.root));
  PIXPRESS_ASSIGN_OR_RETURN(const OldFile old,
                            CheckOldFile(folder, options.overwrite, size_bytes, path));
  // Private until complete if the old file's mode will replace it; else as the umask says.
  const mode_t mode = old.mode.has_value() ? 0600 : 0666;
  PIXPRESS_ASSIGN_OR_RETURN(TemporaryFile file,
                            TemporaryFile::Create(folder, mode, options.job_id, path));
  for (const std::span<const uint8_t> chunk : chunks) {
    PIXPRESS_RETURN_IF_ERROR(WriteAll(file.fd().get(), chunk, path));
  }
  // Only now, so that a read-only or write-only mode never hinders the writing.
  if (old.mode.has_value() && fchmod(file.fd().get(), *old.mode) != 0) {
    return ErrnoStatus(StatusCode::kOutput, path, errno);
  }
  return PendingFile(std::make_unique<State>(State{.path = path,
                                                   .folder = std::move(folder),
                                                   .overwrite = options.overwrite,
                                                   .size_bytes = size_bytes,
                                                   .file = std::move(file)}));
}

Status PendingFile::Sync() {
  State& state = *state_;
  // Not after the renaming: whoever tried again then would meet the output of this attempt.
  state.readable_folder = OpenReadable(state.folder);
  if (!state.readable_folder.is_open()) {
    return ErrnoStatus(StatusCode::kOutput, state.path, errno);
  }
  return pixpress::Sync(state.file.fd().get(), state.path);
}

Status PendingFile::Publish() {
  State& state = *state_;
  // Some file systems say only now that the writing failed.
  PIXPRESS_RETURN_IF_ERROR(state.file.fd().Close(StatusCode::kOutput).WithPrefix(state.path));
  if (state.overwrite == Overwrite::kNever) {
    return RenameToNew(state.folder, &state.file, state.path);
  }
  // Looked at again: the name may have been taken meanwhile.
  const Result<OldFile> now =
      CheckOldFile(state.folder, state.overwrite, state.size_bytes, state.path);
  if (!now.ok()) return now.status();
  return RenameOver(state.folder, &state.file, state.path);
}

Status PendingFile::SyncFolder() {
  return pixpress::Sync(state_->readable_folder.get(), state_->path);
}

std::pair<uint64_t, uint64_t> PendingFile::folder() const {
  struct stat st = {};
  // A folder that cannot be told from others is synced for this file alone.
  if (fstat(state_->folder.fd.get(), &st) != 0) return {0, reinterpret_cast<uintptr_t>(this)};
  return {st.st_dev, st.st_ino};
}

Status WriteFileAtomically(const std::string& path,
                           std::span<const std::span<const uint8_t>> chunks,
                           const AtomicFileOptions& options) {
  PIXPRESS_ASSIGN_OR_RETURN(PendingFile file, PendingFile::Write(path, chunks, options));
  if (options.durable) PIXPRESS_RETURN_IF_ERROR(file.Sync());
  PIXPRESS_RETURN_IF_ERROR(file.Publish());
  return options.durable ? file.SyncFolder() : Status();
}

Result<size_t> RemoveTemporaryFiles(const std::string& path, const std::string& root, pid_t pid,
                                    uint64_t job_id) {
  PIXPRESS_ASSIGN_OR_RETURN(const OutputFolder folder, OpenOutputFolder(path, root));
  FileDescriptor readable = OpenReadable(folder);
  DIR* const listing = readable.is_open() ? fdopendir(readable.get()) : nullptr;
  if (listing == nullptr) return ErrnoStatus(StatusCode::kOutput, path, errno);
  const int fd = readable.Release();  // The listing's.
  const std::string prefix = TemporaryPrefix(folder.name, pid, job_id);
  size_t removed = 0;
  while (const dirent* entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix) || !name.ends_with(kTemporarySuffix)) continue;
    removed += unlinkat(fd, entry->d_name, 0) == 0;
  }
  closedir(listing);
  return removed;
}

}  // namespace pixpress
