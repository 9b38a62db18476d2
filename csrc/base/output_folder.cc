#include "base/output_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

namespace pixpress {
namespace {

constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr mode_t kFolderMode = 0777;  // Less the umask.

Status OutputError(std::string_view path, int sys_errno) {
  return ErrnoStatus(StatusCode::kOutput, path, sys_errno);
}

int OpenAt(int folder, const char* path, int flags) {
  int fd;
  do {
    fd = openat(folder, path, flags);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int OpenBeneath(int root, const char* path) {
  open_how how = {};
  how.flags = kFolderFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: a rename somewhere else raced with the check of "..".
  for (int attempt = 0;; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN) || attempt == 100) {
      return static_cast<int>(fd);
    }
  }
}

bool KernelConfines(int root) {
  const FileDescriptor probe(OpenBeneath(root, "."));
  return probe.is_open() || (errno != ENOSYS && errno != EPERM && errno != EINVAL);
}

std::vector<std::string> Components(std::string_view folder) {
  std::vector<std::string> components;
  while (!folder.empty()) {
    const size_t slash = folder.find('/');
    const std::string_view first = folder.substr(0, slash);
    if (!first.empty() && first != ".") components.emplace_back(first);
    folder.remove_prefix(slash == std::string_view::npos ? folder.size() : slash + 1);
  }
  return components;
}

// Opens each prefix from the root again, since only the root bounds "..".
Result<FileDescriptor> DescendBeneath(FileDescriptor root, const std::vector<std::string>& parts,
                                      const std::string& path) {
  FileDescriptor parent(OpenBeneath(root.get(), "."));
  if (!parent.is_open()) return OutputError(path, errno);
  std::string prefix;
  for (const std::string& part : parts) {
    if (!prefix.empty()) prefix += '/';
    prefix += part;
    FileDescriptor next(OpenBeneath(root.get(), prefix.c_str()));
    if (!next.is_open() && errno == ENOENT) {
      if (mkdirat(parent.get(), part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return OutputError(path, errno);
      }
      next = FileDescriptor(OpenBeneath(root.get(), prefix.c_str()));
    }
    if (!next.is_open()) return OutputError(path, errno);
    parent = std::move(next);
  }
  return parent;
}

Result<FileDescriptor> DescendByComponents(FileDescriptor folder,
                                           const std::vector<std::string>& parts,
                                           const std::string& path) {
  for (const std::string& part : parts) {
    if (part == "..") return OutputError(path, EXDEV);
    FileDescriptor next(OpenAt(folder.get(), part.c_str(), kFolderFlags | O_NOFOLLOW));
    if (!next.is_open() && errno == ENOENT) {
      if (mkdirat(folder.get(), part.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return OutputError(path, errno);
      }
      next = FileDescriptor(OpenAt(folder.get(), part.c_str(), kFolderFlags | O_NOFOLLOW));
    }
    if (!next.is_open()) return OutputError(path, errno);
    folder = std::move(next);
  }
  return folder;
}

Result<FileDescriptor> OpenConfined(const std::string& folder, const std::string& root_path,
                                    Confinement confinement, const std::string& path) {
  if (folder.starts_with('/')) return OutputError(path, EXDEV);
  FileDescriptor root(OpenAt(AT_FDCWD, root_path.c_str(), kFolderFlags));
  if (!root.is_open()) return OutputError(root_path, errno);
  const std::vector<std::string> parts = Components(folder);
  if (confinement == Confinement::kKernel && KernelConfines(root.get())) {
    return DescendBeneath(std::move(root), parts, path);
  }
  return DescendByComponents(std::move(root), parts, path);
}

}  // namespace

Result<OutputFolder> OpenOutputFolder(const std::string& path, const std::string& root,
                                      Confinement confinement) {
  // A path cut short at a NUL would name another file.
  if (path.find('\0') != std::string::npos) return OutputError("output path", EINVAL);
  const size_t slash = path.rfind('/');
  OutputFolder output;
  output.name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (output.name.empty() || output.name == "." || output.name == "..") {
    return OutputError(path, path.empty() ? ENOENT : EISDIR);
  }
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (!root.empty()) {
    PIXPRESS_ASSIGN_OR_RETURN(output.fd, OpenConfined(folder, root, confinement, path));
    return output;
  }
  output.fd = FileDescriptor(OpenAt(AT_FDCWD, folder.c_str(), kFolderFlags));
  if (!output.fd.is_open()) return OutputError(path, errno);
  return output;
}

}  // namespace pixpress
