#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/clock.h"

namespace pixpress {
namespace {

constexpr size_t kMostBytesPerCall = size_t{1} << 30;  // The kernel itself stops below 2 GiB.

FileIdentity IdentityOf(const struct stat& st) {
  return {.device = st.st_dev,
          .inode = st.st_ino,
          .size_bytes = static_cast<uint64_t>(st.st_size),
          .mtime_ns = st.st_mtim.tv_sec * kNsPerSecond + st.st_mtim.tv_nsec,
          .mode = st.st_mode};
}

Status CheckRegular(const struct stat& st, const std::string& path) {
  if (S_ISREG(st.st_mode)) return Status();
  if (S_ISDIR(st.st_mode)) return ErrnoStatus(StatusCode::kInput, path, EISDIR);
  return Status(StatusCode::kInput, path + ": not a regular file", EINVAL);
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) close(fd_);
}

Status FileDescriptor::Close(StatusCode code) {
  if (fd_ < 0) return Status();
  // Linux has released the descriptor even when close() was interrupted.
  if (close(std::exchange(fd_, -1)) == 0 || errno == EINTR) return Status();
  return ErrnoStatus(code, "close", errno);
}

std::string AbsolutePath(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::current_path(error);
  return error ? path : (folder / path).string();
}

Result<FileIdentity> IdentifyFile(const std::string& path) {
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return ErrnoStatus(StatusCode::kInput, path, errno);
  PIXPRESS_RETURN_IF_ERROR(CheckRegular(st, path));
  return IdentityOf(st);
}

Result<InputFile> InputFile::Open(const std::string& path) {
  // Looked at before it is opened: opening some devices has effects.
  const Result<FileIdentity> before = IdentifyFile(path);
  if (!before.ok()) return before.status();
  InputFile file;
  int fd;
  do {
    fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return ErrnoStatus(StatusCode::kInput, path, errno);
  file.fd_ = FileDescriptor(fd);
  struct stat st;
  if (fstat(fd, &st) != 0) return ErrnoStatus(StatusCode::kInput, path, errno);
  PIXPRESS_RETURN_IF_ERROR(CheckRegular(st, path));
  file.identity_ = IdentityOf(st);
  file.changed_ns_ = st.st_ctim.tv_sec * kNsPerSecond + st.st_ctim.tv_nsec;
  return file;
}

std::string InputFile::CanonicalPath(const std::string& path) const {
  std::error_code error;
  const auto link =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd_.get()), error);
  return error ? AbsolutePath(path) : link.string();
}

Status InputFile::ReadAt(uint64_t offset, std::span<uint8_t> out) const {
  while (!out.empty()) {
    const ssize_t got = pread(fd_.get(), out.data(), std::min(out.size(), kMostBytesPerCall),
                              static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(StatusCode::kInput, "read", errno);
    if (got == 0) {
      return Status(StatusCode::kInput,
                    "the file ends at byte " + std::to_string(offset) + ", " +
                        std::to_string(out.size()) + " bytes early",
                    EIO);
    }
    out = out.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
  return Status();
}

}  // namespace pixpress
