#pragma once
// Files as the engine uses them: descriptors with owners, and inputs opened once and checked.

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

// `path` with the working directory before it if it is relative; as it is without one.
std::string AbsolutePath(const std::string& path);

// kInput with errno if the path does not name a regular file.
Result<FileIdentity> IdentifyFile(const std::string& path);

// A regular file, opened once (never a FIFO, device or directory; never blocks on open).
class InputFile {
 public:
  static Result<InputFile> Open(const std::string& path);

  const FileIdentity& identity() const { return identity_; }
  // When its content, name or mode were changed last: unlike mtime_ns nobody can set this.
  int64_t changed_ns() const { return changed_ns_; }
  // Its path without links; `path` made absolute where the system does not say.
  std::string CanonicalPath(const std::string& path) const;
  // Fill `out` from `offset`. Short reads and EINTR are retried; a file that shrank is kInput.
  Status ReadAt(uint64_t offset, std::span<uint8_t> out) const;

 private:
  FileDescriptor fd_;
  FileIdentity identity_;
  int64_t changed_ns_ = 0;
};

}  // namespace pixpress
