#pragma once
// Output files that appear complete or not at all.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/status.h"

namespace pixpress {

enum class Overwrite : uint8_t { kAll, kNever, kSmaller };

struct AtomicFileOptions {
  Overwrite overwrite = Overwrite::kAll;
  bool durable = false;  // fsync the file before and the directory after the rename.
  uint64_t job_id = 0;   // Part of the temporary file's name.
  // Non-empty: `path` is relative to this folder, missing folders below it are made, and neither
  // ".." nor a symbolic link may lead out of it (openat2 RESOLVE_BENEATH, or by components).
  std::string root;
};

// A file that is written, under a temporary name beside the one that it is to have (O_EXCL,
// O_NOFOLLOW). Removed when destroyed before it has got that name. Holds two descriptors, three
// from Sync on. Calls block on I/O, come from one thread at a time, and fail with kOutput and
// errno.
class PendingFile {
 public:
  // Write exactly `chunks`, in order. Keeps the mode bits of a file that is to be replaced. Fails
  // with kOutputExists by `overwrite` (kSmaller: the old file is not larger).
  static Result<PendingFile> Write(const std::string& path,
                                   std::span<const std::span<const uint8_t>> chunks,
                                   const AtomicFileOptions& options);
  PendingFile(PendingFile&&) noexcept;
  PendingFile& operator=(PendingFile&&) noexcept;
  ~PendingFile();

  // What was written is on the disk, and SyncFolder can be called.
  Status Sync();
  // Give it its name: others see the old file or nothing before, the complete new one after. Looks
  // at the old file again, and fails as Write does.
  Status Publish();
  // The name is on the disk.
  Status SyncFolder();
  // Device and inode of the folder: files of one folder need one SyncFolder.
  std::pair<uint64_t, uint64_t> folder() const;

 private:
  struct State;
  explicit PendingFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Make `path` hold exactly `chunks`, in order. The old file, nothing, or the complete new one is
// what others see, also after a crash. On failure, which is as of PendingFile, the temporary file
// is gone and the old file untouched. Blocks on I/O.
Status WriteFileAtomically(const std::string& path,
                           std::span<const std::span<const uint8_t>> chunks,
                           const AtomicFileOptions& options);

// Remove what was left beside `path` when process `pid` was killed while it wrote for job `job_id`.
// Returns how many files. The process must be gone. Blocks on I/O.
Result<size_t> RemoveTemporaryFiles(const std::string& path, const std::string& root, pid_t pid,
                                    uint64_t job_id);

}  // namespace pixpress
