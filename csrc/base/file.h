#pragma once
// Files as the engine uses them: inputs opened once and checked, outputs that appear complete.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/status.h"

namespace pixpress {

// Owns a descriptor; closes it when destroyed.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  // Give the descriptor to the caller, who closes it.
  int Release() { return std::exchange(fd_, -1); }
  // Close now and report what close() says; the destructor cannot.
  Status Close(StatusCode code);

 private:
  int fd_ = -1;
};

// What identifies the content of a file without reading it.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  mode_t mode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// kInput with errno if the path does not name a regular file.
Result<FileIdentity> IdentifyFile(const std::string& path);

// A regular file, opened once (never a FIFO, device or directory; never blocks on open).
class InputFile {
 public:
  static Result<InputFile> Open(const std::string& path);

  const FileIdentity& identity() const { return identity_; }
  // Fill `out` from `offset`. Short reads and EINTR are retried; a file that shrank is kInput.
  Status ReadAt(uint64_t offset, std::span<uint8_t> out) const;

 private:
  FileDescriptor fd_;
  FileIdentity identity_;
};

enum class Overwrite : uint8_t { kAll, kNever, kSmaller };

struct AtomicFileOptions {
  Overwrite overwrite = Overwrite::kAll;
  bool durable = false;  // fsync the file before and the directory after the rename.
  uint64_t job_id = 0;   // Part of the temporary file's name.
  // Non-empty: `path` is relative to this folder, missing folders below it are made, and neither
  // ".." nor a symbolic link may lead out of it (openat2 RESOLVE_BENEATH, or by components).
  std::string root;
};

// Make `path` hold exactly `chunks`, in order. The old file, nothing, or the complete new one is
// what others see, also after a crash. Writes a temporary file beside it (O_EXCL, O_NOFOLLOW),
// then renames; keeps the mode bits of a file that it replaces. Fails with kOutputExists by
// `overwrite` (kSmaller: the old file is not larger), with kOutput and errno otherwise; the
// temporary file is gone and the old file untouched then. Blocks on I/O.
Status WriteFileAtomically(const std::string& path,
                           std::span<const std::span<const uint8_t>> chunks,
                           const AtomicFileOptions& options);

// Remove what WriteFileAtomically left beside `path` when process `pid` was killed in it for job
// `job_id`. Returns how many files. The process must be gone. Blocks on I/O.
Result<size_t> RemoveTemporaryFiles(const std::string& path, const std::string& root, pid_t pid,
                                    uint64_t job_id);

}  // namespace pixpress
