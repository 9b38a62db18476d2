#include "store/journal_recovery.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/file.h"

namespace pixpress {
namespace {

std::string FullPath(const JournalRow& row) {
  const std::string& root = row.job.output_root;
  return root.empty() ? row.output->path : root + "/" + row.output->path;
}

// kInput if the file cannot be read.
Result<Sha256Digest> HashFile(const std::string& path, uint64_t size_bytes) {
  PIXPRESS_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  if (file.identity().size_bytes != size_bytes) {
    return Status(StatusCode::kInput, path + ": has another size");
  }
  std::vector<uint8_t> piece(std::min<uint64_t>(size_bytes, uint64_t{1} << 20));
  Sha256 hash;
  for (uint64_t at = 0; at < size_bytes;) {
    const std::span<uint8_t> part(piece.data(), std::min<uint64_t>(piece.size(), size_bytes - at));
    PIXPRESS_RETURN_IF_ERROR(file.ReadAt(at, part));
    hash.Update(part);
    at += part.size();
  }
  return hash.Finish();
}

Status SyncPath(const std::string& path, int flags) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
  if (!fd.is_open() || fsync(fd.get()) != 0) {
    return ErrnoStatus(StatusCode::kOutput, path, errno);
  }
  return Status();
}

// The rename may not be on the disk yet: the owner died before it could say so.
Status SyncOutput(const std::string& path) {
  PIXPRESS_RETURN_IF_ERROR(SyncPath(path, 0));
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return SyncPath(folder, O_DIRECTORY);
}

bool IsWritten(const JournalRow& row, bool durable) {
  if (row.state != JournalState::kWriting || !row.output.has_value()) return false;
  const std::string path = FullPath(row);
  // A file that cannot be read is written anew, and the error shows then.
  const Result<Sha256Digest> hash = HashFile(path, row.output->size_bytes);
  if (!hash.ok() || hash.value() != row.output->hash) return false;
  return !durable || SyncOutput(path).ok();
}

// Its folder may be gone, and with it the file. None was made before the output was announced.
uint64_t RemoveTemporaries(const JournalRow& row) {
  if (!row.output.has_value() || row.output->path.empty() || IsRunning(row.owner)) return 0;
  const Result<size_t> removed =
      RemoveTemporaryFiles(row.output->path, row.job.output_root, row.owner.pid, row.job.id);
  return removed.ok() ? removed.value() : 0;
}

Status Settle(JournalTable& table, const JournalRow& row, bool durable, int64_t unix_ns,
              JournalRecovery* recovery) {
  recovery->removed_temporaries += RemoveTemporaries(row);
  if (IsWritten(row, durable)) {
    ++recovery->completed;
    return table.Apply(JournalChange::Done(row.job.id), row.owner, unix_ns);
  }
  const bool is_suspect =
      row.state == JournalState::kStarted && IsOfThisBoot(row.owner) && !IsRunning(row.owner);
  ++recovery->requeued;
  recovery->suspects += is_suspect;
  return table.Requeue(row.job.id, row.crashes + (is_suspect ? 1 : 0), unix_ns);
}

}  // namespace

Result<JournalRecovery> RecoverJournal(JournalTable& table, bool durable) {
  JournalRecovery recovery;
  PIXPRESS_ASSIGN_OR_RETURN(const std::vector<JournalRow> rows, table.Taken());
  if (rows.empty()) return recovery;
  const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  // All or nothing: a death in here must not charge half of the suspects twice.
  PIXPRESS_RETURN_IF_ERROR(table.database().Execute("BEGIN IMMEDIATE"));
  for (const JournalRow& row : rows) {
    PIXPRESS_RETURN_IF_ERROR(Settle(table, row, durable, now_ns, &recovery));
  }
  PIXPRESS_RETURN_IF_ERROR(table.database().Execute("COMMIT"));
  return recovery;
}

}  // namespace pixpress
