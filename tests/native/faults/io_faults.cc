#include "faults/io_faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

// Defined here for everyone, libraries included.
#define PIXPRESS_REPLACE extern "C" __attribute__((visibility("default")))
// The function that this one stands before.
#define PIXPRESS_REAL(name)                                                                 \
  ([] {                                                                                     \
    static auto* const real = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name)); \
    return real;                                                                            \
  }())

namespace {

constexpr int kMostFds = 4096;

// What a call does, which decides how it may fail.
enum class Call { kOpen, kMake, kLook, kName, kRead, kWrite, kSync, kClose, kLock, kMap };

struct Faults {
  std::atomic<bool> is_armed{false};
  std::atomic<long> calls{0};
  std::atomic<const char*> failed{""};
  std::atomic<bool> is_renamed{false}, was_renamed{false};
  long nth = 0;
  int error = 0;
  bool is_lasting = false;
  std::array<char, PATH_MAX> folder{};
  std::array<std::atomic<bool>, kMostFds> is_watched{};
};
Faults faults;

bool MayFail(Call call, int error) {
  switch (error) {
    case kIoFaultShort:
      return call == Call::kRead || call == Call::kWrite;
    case EINTR:
      return call != Call::kLook && call != Call::kName && call != Call::kMap;
    case EMFILE:
      return call == Call::kOpen || call == Call::kMake;
    case EACCES:
      return call == Call::kOpen || call == Call::kMake || call == Call::kLook ||
             call == Call::kName;
    case ENOSPC:
      return call == Call::kMake || call == Call::kName || call == Call::kWrite ||
             call == Call::kSync || call == Call::kClose;
    case ENOMEM:
      return call == Call::kMap;
    default:
      return call != Call::kMap;
  }
}

bool IsWatchedFd(int fd) { return fd >= 0 && fd < kMostFds && faults.is_watched[fd].load(); }

bool IsWatched(int folder, const char* path) {
  if (path != nullptr && path[0] == '/') {
    return strncmp(path, faults.folder.data(), strlen(faults.folder.data())) == 0;
  }
  return IsWatchedFd(folder);
}

int Watch(int fd, bool is_watched) {
  if (fd >= 0 && fd < kMostFds) faults.is_watched[fd].store(is_watched);
  return fd;
}

// True if this call is to fail.
bool Fails(Call call, const char* name) {
  if (!faults.is_armed.load() || !MayFail(call, faults.error)) return false;
  const long number = faults.calls.fetch_add(1) + 1;
  if (number < faults.nth || (number > faults.nth && !faults.is_lasting)) return false;
  if (number == faults.nth) {
    faults.failed.store(name);
    faults.was_renamed.store(faults.is_renamed.load());
  }
  errno = faults.error;
  return true;
}

// Whether the call makes a file, which needs space.
bool Makes(int folder, const char* path, int flags) {
  return (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
}

template <typename Real>
int Open(const char* name, int folder, const char* path, int flags, Real real) {
  const bool is_watched = IsWatched(folder, path);
  if ((flags & O_EXCL) != 0) faults.is_renamed.store(false);  // Another output begins.
  if (is_watched && Fails(Makes(folder, path, flags) ? Call::kMake : Call::kOpen, name)) return -1;
  return Watch(real(), is_watched);
}

// Reads and writes: they fail, or do half.
template <typename Real>
ssize_t Transfer(Call call, const char* name, int fd, size_t size, Real real) {
  if (!IsWatchedFd(fd)) return real(size);
  if (faults.error == kIoFaultShort && size < 2) return real(size);
  if (!Fails(call, name)) return real(size);
  return faults.error == kIoFaultShort ? real(size / 2) : -1;
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

template <typename Real>
int Rename(const char* name, int folder, const char* path, Real real) {
  const bool is_watched = IsWatched(folder, path);
  if (is_watched && Fails(Call::kName, name)) return -1;
  const int outcome = real();
  if (is_watched && outcome == 0) faults.is_renamed.store(true);
  return outcome;
}

}  // namespace

PIXPRESS_REPLACE void io_faults_arm(const char* folder, long nth, int error, bool is_lasting) {
  faults.is_armed.store(false);
  snprintf(faults.folder.data(), faults.folder.size(), "%s", folder);
  faults.nth = nth;
  faults.error = error;
  faults.is_lasting = is_lasting;
  faults.calls.store(0);
  faults.failed.store("");
  faults.is_renamed.store(false);
  faults.was_renamed.store(false);
  for (auto& is_watched : faults.is_watched) is_watched.store(false);
  faults.is_armed.store(true);
}

PIXPRESS_REPLACE long io_faults_disarm() {
  faults.is_armed.store(false);
  return faults.calls.load();
}

PIXPRESS_REPLACE const char* io_faults_failed() { return faults.failed.load(); }

PIXPRESS_REPLACE bool io_faults_was_renamed() { return faults.was_renamed.load(); }

#define PIXPRESS_REPLACE_OPEN(name)                                      \
  PIXPRESS_REPLACE int name(const char* path, int flags, ...) {          \
    va_list arguments;                                                   \
    va_start(arguments, flags);                                          \
    const mode_t mode = ModeOf(flags, arguments);                        \
    va_end(arguments);                                                   \
    return Open(#name, AT_FDCWD, path, flags,                            \
                [&] { return PIXPRESS_REAL(name)(path, flags, mode); }); \
  }
#define PIXPRESS_REPLACE_OPENAT(name)                                            \
  PIXPRESS_REPLACE int name(int folder, const char* path, int flags, ...) {      \
    va_list arguments;                                                           \
    va_start(arguments, flags);                                                  \
    const mode_t mode = ModeOf(flags, arguments);                                \
    va_end(arguments);                                                           \
    return Open(#name, folder, path, flags,                                      \
                [&] { return PIXPRESS_REAL(name)(folder, path, flags, mode); }); \
  }
PIXPRESS_REPLACE_OPEN(open)
PIXPRESS_REPLACE_OPEN(open64)
PIXPRESS_REPLACE_OPENAT(openat)
PIXPRESS_REPLACE_OPENAT(openat64)

// What the hardened headers call.
PIXPRESS_REPLACE int __open_2(const char* path, int flags) { return open(path, flags); }
PIXPRESS_REPLACE int __open64_2(const char* path, int flags) { return open64(path, flags); }
PIXPRESS_REPLACE int __openat_2(int folder, const char* path, int flags) {
  return openat(folder, path, flags);
}
PIXPRESS_REPLACE int __openat64_2(int folder, const char* path, int flags) {
  return openat64(folder, path, flags);
}

PIXPRESS_REPLACE long syscall(long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  std::array<long, 6> values{};
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  const auto real = [&] {
    return PIXPRESS_REAL(syscall)(number, values[0], values[1], values[2], values[3], values[4],
                                  values[5]);
  };
  if (number != SYS_openat2) return real();
  const auto* path = reinterpret_cast<const char*>(values[1]);
  return Open("openat2", static_cast<int>(values[0]), path, O_PATH,
              [&] { return static_cast<int>(real()); });
}

#define PIXPRESS_REPLACE_FCNTL(name)                                               \
  PIXPRESS_REPLACE int name(int fd, int command, ...) {                            \
    va_list arguments;                                                             \
    va_start(arguments, command);                                                  \
    void* const argument = va_arg(arguments, void*);                               \
    va_end(arguments);                                                             \
    const bool copies = command == F_DUPFD_CLOEXEC || command == F_DUPFD;          \
    const bool is_watched = IsWatchedFd(fd);                                       \
    if (is_watched && Fails(copies ? Call::kOpen : Call::kLock, #name)) return -1; \
    const int outcome = PIXPRESS_REAL(name)(fd, command, argument);                \
    return copies ? Watch(outcome, is_watched) : outcome;                          \
  }
PIXPRESS_REPLACE_FCNTL(fcntl)
PIXPRESS_REPLACE_FCNTL(fcntl64)

PIXPRESS_REPLACE int memfd_create(const char* name, unsigned flags) noexcept {
  if (Fails(Call::kMake, "memfd_create")) return -1;
  return Watch(PIXPRESS_REAL(memfd_create)(name, flags), true);
}

// The descriptor is gone either way.
PIXPRESS_REPLACE int close(int fd) {
  const bool is_watched = IsWatchedFd(fd);
  Watch(fd, false);
  const bool fails = is_watched && Fails(Call::kClose, "close");
  const int outcome = PIXPRESS_REAL(close)(fd);
  if (!fails) return outcome;
  errno = faults.error;
  return -1;
}

// Closes its descriptor within libc.
PIXPRESS_REPLACE int closedir(DIR* listing) {
  Watch(dirfd(listing), false);
  return PIXPRESS_REAL(closedir)(listing);
}

PIXPRESS_REPLACE ssize_t read(int fd, void* out, size_t size) {
  return Transfer(Call::kRead, "read", fd, size,
                  [&](size_t part) { return PIXPRESS_REAL(read)(fd, out, part); });
}
PIXPRESS_REPLACE ssize_t write(int fd, const void* bytes, size_t size) {
  return Transfer(Call::kWrite, "write", fd, size,
                  [&](size_t part) { return PIXPRESS_REAL(write)(fd, bytes, part); });
}
#define PIXPRESS_REPLACE_TRANSFER_AT(name, call, pointer, offset_type)                          \
  PIXPRESS_REPLACE ssize_t name(int fd, pointer bytes, size_t size, offset_type offset) {       \
    return Transfer(call, #name, fd, size,                                                      \
                    [&](size_t part) { return PIXPRESS_REAL(name)(fd, bytes, part, offset); }); \
  }
PIXPRESS_REPLACE_TRANSFER_AT(pread, Call::kRead, void*, off_t)
PIXPRESS_REPLACE_TRANSFER_AT(pread64, Call::kRead, void*, off64_t)
PIXPRESS_REPLACE_TRANSFER_AT(pwrite, Call::kWrite, const void*, off_t)
PIXPRESS_REPLACE_TRANSFER_AT(pwrite64, Call::kWrite, const void*, off64_t)

#define PIXPRESS_REPLACE_FD(call, name, parameters, arguments) \
  PIXPRESS_REPLACE int name parameters {                       \
    if (IsWatchedFd(fd) && Fails(call, #name)) return -1;      \
    return PIXPRESS_REAL(name) arguments;                      \
  }
PIXPRESS_REPLACE_FD(Call::kSync, fsync, (int fd), (fd))
PIXPRESS_REPLACE_FD(Call::kSync, fdatasync, (int fd), (fd))
PIXPRESS_REPLACE_FD(Call::kSync, ftruncate, (int fd, off_t size) noexcept, (fd, size))
PIXPRESS_REPLACE_FD(Call::kSync, ftruncate64, (int fd, off64_t size) noexcept, (fd, size))
PIXPRESS_REPLACE_FD(Call::kLook, fstat, (int fd, struct stat* st) noexcept, (fd, st))
PIXPRESS_REPLACE_FD(Call::kLook, fstat64, (int fd, struct stat64* st) noexcept, (fd, st))
PIXPRESS_REPLACE_FD(Call::kName, fchmod, (int fd, mode_t mode) noexcept, (fd, mode))
PIXPRESS_REPLACE_FD(Call::kLock, flock, (int fd, int how) noexcept, (fd, how))

#define PIXPRESS_REPLACE_PATH(call, name, parameters, folder, arguments) \
  PIXPRESS_REPLACE int name parameters {                                 \
    if (IsWatched(folder, path) && Fails(call, #name)) return -1;        \
    return PIXPRESS_REAL(name) arguments;                                \
  }
PIXPRESS_REPLACE_PATH(Call::kLook, stat, (const char* path, struct stat* st) noexcept, AT_FDCWD,
                      (path, st))
PIXPRESS_REPLACE_PATH(Call::kLook, stat64, (const char* path, struct stat64* st) noexcept, AT_FDCWD,
                      (path, st))
PIXPRESS_REPLACE_PATH(Call::kLook, lstat, (const char* path, struct stat* st) noexcept, AT_FDCWD,
                      (path, st))
PIXPRESS_REPLACE_PATH(Call::kLook, lstat64, (const char* path, struct stat64* st) noexcept,
                      AT_FDCWD, (path, st))
PIXPRESS_REPLACE_PATH(Call::kLook, fstatat,
                      (int folder, const char* path, struct stat* st, int flags) noexcept, folder,
                      (folder, path, st, flags))
PIXPRESS_REPLACE_PATH(Call::kName, mkdirat, (int folder, const char* path, mode_t mode) noexcept,
                      folder, (folder, path, mode))
PIXPRESS_REPLACE_PATH(Call::kName, unlinkat, (int folder, const char* path, int flags) noexcept,
                      folder, (folder, path, flags))
PIXPRESS_REPLACE_PATH(Call::kName, unlink, (const char* path) noexcept, AT_FDCWD, (path))

PIXPRESS_REPLACE int renameat(int from_folder, const char* from, int folder,
                              const char* to) noexcept {
  return Rename("renameat", folder, to,
                [&] { return PIXPRESS_REAL(renameat)(from_folder, from, folder, to); });
}
PIXPRESS_REPLACE int renameat2(int from_folder, const char* from, int folder, const char* to,
                               unsigned flags) noexcept {
  return Rename("renameat2", folder, to,
                [&] { return PIXPRESS_REAL(renameat2)(from_folder, from, folder, to, flags); });
}
PIXPRESS_REPLACE int linkat(int from_folder, const char* from, int folder, const char* to,
                            int flags) noexcept {
  return Rename("linkat", folder, to,
                [&] { return PIXPRESS_REAL(linkat)(from_folder, from, folder, to, flags); });
}

PIXPRESS_REPLACE void* mmap(void* address, size_t size, int protection, int flags, int fd,
                            off_t offset) noexcept {
  // Not those of the loader and of thread stacks: they come from within libc.
  if (Fails(Call::kMap, "mmap")) return MAP_FAILED;
  return PIXPRESS_REAL(mmap)(address, size, protection, flags, fd, offset);
}
