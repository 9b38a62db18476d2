#include "isolation/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace pixpress {
namespace {

// Descriptors up to here get their final number in the child, in any order.
constexpr int kLeastFd = 10;

Status MemoryStatus(const char* what) { return ErrnoStatus(StatusCode::kMemoryLimit, what, errno); }

Status StartStatus() {
  return ErrnoStatus(StatusCode::kWorkerCrashed, "the worker process cannot start: memfd_create",
                     errno);
}

}  // namespace

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    Unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
  }
  return *this;
}

Result<Mapping> Mapping::Map(int fd, size_t size_bytes, bool is_writable) {
  Mapping mapping;
  if (size_bytes == 0) return mapping;
  const int protection = is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data = mmap(nullptr, size_bytes, protection, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return MemoryStatus("shared memory");
  mapping.data_ = static_cast<uint8_t*>(data);
  mapping.size_bytes_ = size_bytes;
  return mapping;
}

void Mapping::Unmap() {
  if (data_ != nullptr) munmap(data_, size_bytes_);
  data_ = nullptr;
  size_bytes_ = 0;
}

Result<SharedFile> SharedFile::Create(const char* name) {
  const FileDescriptor made(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.is_open()) return StartStatus();
  FileDescriptor high(fcntl(made.get(), F_DUPFD_CLOEXEC, kLeastFd));
  if (!high.is_open()) return StartStatus();
  return SharedFile(std::move(high));
}

Status SharedFile::Resize(uint64_t size_bytes) {
  int outcome;
  do {
    outcome = ftruncate(fd_.get(), static_cast<off_t>(size_bytes));
  } while (outcome != 0 && errno == EINTR);
  return outcome == 0 ? Status() : MemoryStatus("shared memory");
}

Status SharedFile::SealSize() {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  return fcntl(fd_.get(), F_ADD_SEALS, seals) == 0 ? Status() : MemoryStatus("shared memory");
}

Status SharedFile::WriteAt(uint64_t offset, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return MemoryStatus("shared memory");
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return Status();
}

Status SharedFile::ReadAt(uint64_t offset, std::span<uint8_t> out) const {
  while (!out.empty()) {
    const ssize_t read = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return ErrnoStatus(StatusCode::kWorkerCrashed, "shared memory", errno);
    if (read == 0) {
      return Status(StatusCode::kWorkerCrashed, "the worker process gave less than it said");
    }
    out = out.subspan(static_cast<size_t>(read));
    offset += static_cast<uint64_t>(read);
  }
  return Status();
}

}  // namespace pixpress
