#pragma once
// Memory that a worker process and its parent both have: memfds, and mappings of them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/file.h"
#include "base/status.h"

namespace pixpress {

// Owns an address range of a shared file; unmaps it when destroyed.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { Unmap(); }

  // `size_bytes` of 0 is an empty mapping. kMemoryLimit if the system refuses.
  static Result<Mapping> Map(int fd, size_t size_bytes, bool is_writable);
  std::span<const uint8_t> bytes() const { return {data_, size_bytes_}; }
  uint8_t* data() { return data_; }
  void Unmap();

 private:
  uint8_t* data_ = nullptr;
  size_t size_bytes_ = 0;
};

// A file in memory. Whoever has the descriptor can shrink it, so the parent, who must not depend on
// the child's good behavior, never maps it but copies: a read past the end is an error, and no
// signal.
class SharedFile {
 public:
  SharedFile() = default;
  // Takes over the descriptor.
  explicit SharedFile(FileDescriptor fd) : fd_(std::move(fd)) {}
  // `name` is for /proc/<pid>/fd only. kWorkerCrashed with errno if the system refuses.
  static Result<SharedFile> Create(const char* name);

  int fd() const { return fd_.get(); }
  Status Resize(uint64_t size_bytes);
  // No later Resize, by anybody: then it is safe to map.
  Status SealSize();
  Status WriteAt(uint64_t offset, std::span<const uint8_t> bytes);
  // kWorkerCrashed if there is less than that.
  Status ReadAt(uint64_t offset, std::span<uint8_t> out) const;

 private:
  FileDescriptor fd_;
};

}  // namespace pixpress
