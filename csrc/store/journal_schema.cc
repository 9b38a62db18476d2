#include "store/journal_schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "base/file.h"

namespace pixpress {
namespace {

// No index but the keys: a quick_check sees all damage then, and a commit writes fewer pages.
constexpr char kJobs[] =
    "CREATE TABLE jobs ("
    "id INTEGER PRIMARY KEY, source_path BLOB NOT NULL, device INTEGER NOT NULL,"
    " inode INTEGER NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " output_path BLOB NOT NULL, output_root BLOB NOT NULL, settings BLOB NOT NULL,"
    " priority INTEGER NOT NULL, batch BLOB NOT NULL, created_ns INTEGER NOT NULL,"
    " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6), attempt INTEGER NOT NULL,"
    " crashes INTEGER NOT NULL, owner_pid INTEGER NOT NULL, owner_boot BLOB NOT NULL,"
    " owner_ticks INTEGER NOT NULL, written_path BLOB, written_bytes INTEGER, written_hash BLOB"
    " CHECK (length(written_hash) = 32), code TEXT NOT NULL, message TEXT NOT NULL,"
    " changed_ns INTEGER NOT NULL, retries INTEGER NOT NULL) STRICT";
constexpr char kBlacklist[] =
    "CREATE TABLE blacklist ("
    "path BLOB NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " content_hash BLOB NOT NULL CHECK (length(content_hash) = 32), reason TEXT NOT NULL,"
    " is_damage INTEGER NOT NULL, count INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
    " PRIMARY KEY (path, size_bytes, mtime_ns, content_hash)) STRICT, WITHOUT ROWID";

Status Damaged(std::string what) { return Status(StatusCode::kJournal, std::move(what), EUCLEAN); }

Status Configure(Database& database, bool durable) {
  PIXPRESS_RETURN_IF_ERROR(
      database.Execute("PRAGMA cell_size_check = ON;"
                       "PRAGMA mmap_size = 0;"
                       "PRAGMA temp_store = MEMORY;"
                       // Only a file without pages takes this.
                       "PRAGMA auto_vacuum = INCREMENTAL"));
  PIXPRESS_ASSIGN_OR_RETURN(const std::string mode, database.ReadText("PRAGMA journal_mode = WAL"));
  if (mode != "wal") {
    return Status(StatusCode::kJournal,
                  "this file system cannot hold a journal (mode " + mode + ")", ENOTSUP);
  }
  PIXPRESS_RETURN_IF_ERROR(database.Execute("PRAGMA journal_size_limit = 16777216"));
  return database.Execute(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

Status CreateTables(Database& database) {
  const std::string sql = std::string("BEGIN IMMEDIATE;") + kJobs + ";" + kBlacklist +
                          "; PRAGMA application_id = " + std::to_string(kJournalApplicationId) +
                          "; PRAGMA user_version = " + std::to_string(kJournalVersion) + "; COMMIT";
  return database.Execute(sql.c_str());
}

Status CheckContent(Database& database) {
  PIXPRESS_ASSIGN_OR_RETURN(const std::string tables,
                            database.ReadText("SELECT sql FROM sqlite_schema ORDER BY rowid"));
  if (tables != std::string(kJobs) + "\n" + kBlacklist) {
    return Damaged("its tables are not those of a journal");
  }
  PIXPRESS_ASSIGN_OR_RETURN(const std::string verdict, database.ReadText("PRAGMA quick_check(1)"));
  return verdict == "ok" ? Status() : Damaged("quick_check: " + verdict);
}

// A file that is no journal may be anything of the user's; only what was one is called damaged.
Status CheckKind(Database& database, bool* is_empty) {
  PIXPRESS_ASSIGN_OR_RETURN(const int64_t kind, database.ReadInteger("PRAGMA application_id"));
  PIXPRESS_ASSIGN_OR_RETURN(const int64_t version, database.ReadInteger("PRAGMA user_version"));
  PIXPRESS_ASSIGN_OR_RETURN(const int64_t tables,
                            database.ReadInteger("SELECT count(*) FROM sqlite_schema"));
  *is_empty = kind == 0 && version == 0 && tables == 0;
  if (*is_empty) return Status();
  if (kind != kJournalApplicationId) return Damaged("it does not have a journal's application_id");
  // A number that no version will have for long is damage instead.
  if (version > kJournalVersion && version < 1000) {
    return Status(StatusCode::kJournal, "it was written by a newer version of pixpress", EEXIST);
  }
  return version == kJournalVersion ? Status()
                                    : Damaged("its version is " + std::to_string(version));
}

// With the mode that SQLite gives its other files too: paths are nobody else's business.
Status CreateFile(const std::string& path) {
  const FileDescriptor fd(
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.is_open()) return ErrnoStatus(StatusCode::kJournal, path, errno);
  struct stat st;
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus(StatusCode::kJournal, path, errno);
  if (!S_ISREG(st.st_mode))
    return Status(StatusCode::kJournal, path + ": not a regular file", EINVAL);
  // The lock goes by the name.
  if (st.st_nlink > 1) return Status(StatusCode::kJournal, path + ": has a second name", EMLINK);
  return Status();
}

// kInput if any of it cannot be read.
Status ReadThrough(const std::string& path) {
  PIXPRESS_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  std::vector<uint8_t> piece(size_t{1} << 20);
  const uint64_t size_bytes = file.identity().size_bytes;
  for (uint64_t at = 0; at < size_bytes; at += piece.size()) {
    const size_t part = std::min<uint64_t>(piece.size(), size_bytes - at);
    PIXPRESS_RETURN_IF_ERROR(file.ReadAt(at, std::span(piece).first(part)).WithPrefix(path));
  }
  return Status();
}

Result<Database> OpenAndCheck(const std::string& path, bool durable) {
  PIXPRESS_ASSIGN_OR_RETURN(Database database, Database::Open(path));
  bool is_empty = false;
  // The owner never gives it up, so the index of the WAL is in its memory: no -shm file, and other
  // programs are kept out. Said before the first read.
  PIXPRESS_RETURN_IF_ERROR(
      database.Execute("PRAGMA busy_timeout = 5000; PRAGMA locking_mode = EXCLUSIVE"));
  PIXPRESS_RETURN_IF_ERROR(CheckKind(database, &is_empty));
  PIXPRESS_RETURN_IF_ERROR(Configure(database, durable));
  if (is_empty) PIXPRESS_RETURN_IF_ERROR(CreateTables(database));
  PIXPRESS_RETURN_IF_ERROR(CheckContent(database));
  database.set_checkpoint_on_close(true);
  return database;
}

}  // namespace

Result<Database> OpenJournalDatabase(const std::string& path, bool durable) {
  PIXPRESS_RETURN_IF_ERROR(CreateFile(path));
  Result<Database> database = OpenAndCheck(path, durable);
  if (database.ok()) return database;
  return database.status().WithPrefix(path);
}

Status CheckJournalReadable(const std::string& path) {
  for (const char* part : {"", "-wal"}) {
    const Status status = ReadThrough(path + part);
    if (!status.ok() && status.sys_errno() != ENOENT) {
      return Status(StatusCode::kJournal, status.message(), status.sys_errno());
    }
  }
  return Status();
}

Result<std::string> SetJournalAside(const std::string& path) {
  char stamp[32];
  const time_t now = time(nullptr);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
  const std::string first = path + ".corrupt-" + stamp;
  std::string aside = first;
  struct stat st;
  for (int number = 2; lstat(aside.c_str(), &st) == 0; ++number) {
    aside = first + "-" + std::to_string(number);
  }
  // The database last: killed in between, the next owner finds it damaged still. Under its new name
  // SQLite still finds its WAL.
  for (const char* part : {"-wal", "-shm", "-journal", ""}) {
    if (rename((path + part).c_str(), (aside + part).c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus(StatusCode::kJournal, path + part, errno);
    }
  }
  return aside;
}

}  // namespace pixpress
