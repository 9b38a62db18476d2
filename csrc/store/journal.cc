#include "store/journal.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/journal_schema.h"

namespace pixpress {
namespace {

int64_t UnixNowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The lock goes by the name, so the file must have only one.
Result<std::string> RealPath(const std::string& path) {
  namespace fs = std::filesystem;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return Status(StatusCode::kJournal, "the journal's path is empty or has a NUL", EINVAL);
  }
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return ErrnoStatus(StatusCode::kJournal, path, error.value());
  return real.string();
}

// What a power loss must not take back. The others cost a repeated attempt at most, or an older
// priority: a job that was not seen to start or to go back starts again, and one that was seen to
// write is found done by its hash.
bool NeedsSync(const JournalRecord& record) {
  if (std::holds_alternative<JournalPriority>(record)) return false;
  const auto* change = std::get_if<JournalChange>(&record);
  if (change == nullptr) return true;
  return change->state == JournalState::kWriting ||
         (IsFinal(change->state) && change->state != JournalState::kDone);
}

Status ForkedStatus() {
  return Status(StatusCode::kForkedPool, "the journal belongs to the parent process");
}

bool HasBlacklistEntry(std::span<const JournalRecord> records) {
  return std::ranges::any_of(
      records, [](const auto& record) { return std::holds_alternative<BlacklistEntry>(record); });
}

}  // namespace

Journal::Journal(std::string path, JournalLock lock, bool durable)
    : path_(std::move(path)),
      durable_(durable),
      owner_(ThisProcess()),
      lock_(std::make_unique<JournalLock>(std::move(lock))),
      is_sync_full_(durable) {}

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& path,
                                               const JournalOptions& options) {
  PIXPRESS_ASSIGN_OR_RETURN(std::string real, RealPath(path));
  PIXPRESS_ASSIGN_OR_RETURN(JournalLock lock, JournalLock::Acquire(real));
  std::unique_ptr<Journal> journal(new Journal(std::move(real), std::move(lock), options.durable));
  PIXPRESS_RETURN_IF_ERROR(journal->Start());
  return journal;
}

Status Journal::Start() {
  const std::lock_guard lock(database_mutex_);
  const auto open = [this]() -> Status {
    table_.reset();
    PIXPRESS_ASSIGN_OR_RETURN(Database database, OpenJournalDatabase(path_, durable_));
    PIXPRESS_ASSIGN_OR_RETURN(table_, JournalTable::Create(std::move(database)));
    PIXPRESS_ASSIGN_OR_RETURN(recovery_, RecoverJournal(*table_, durable_));
    return LoadBlacklist();
  };
  Status status = open();
  if (IsDamage(status)) {
    // SQLite says the same of what the disk did not give: that passes, or shows by reading.
    table_.reset();
    PIXPRESS_RETURN_IF_ERROR(CheckJournalReadable(path_));
    status = open();
  }
  if (IsDamage(status) && !lock_->had_owner()) {
    status =
        Status(StatusCode::kJournal,
               status.message() + "; it is not a pixpress journal, and is left as it is", EEXIST);
  } else if (IsDamage(status)) {
    table_.reset();
    PIXPRESS_ASSIGN_OR_RETURN(const std::string aside, SetJournalAside(path_));
    notices_.push_back(status.message() + "; the damaged journal is now " + aside +
                       ", and an empty one takes its place: jobs that it held are not done");
    status = open();
  }
  if (status.ok()) return lock_->WriteOwner();
  table_.reset();
  return status;
}

Journal::~Journal() {
  if (IsForked()) {
    // Closing would drop the parent's locks and write to its file.
    (void)table_.release();
    return;
  }
  (void)Close();  // Nobody is left to hear of it.
}

bool Journal::IsForked() const { return getpid() != owner_.pid; }

Status Journal::Close() {
  if (IsForked()) return ForkedStatus();
  const std::lock_guard lock(database_mutex_);
  if (table_ == nullptr) return Status();
  const Status status = table_->Close();
  table_.reset();
  lock_.reset();
  return status;
}

Status Journal::CheckUsable() const {
  if (!failure_.ok()) return failure_;
  return table_ != nullptr ? Status() : Status(StatusCode::kPoolClosed, "the journal is closed");
}

Status Journal::Checked(Status status) {
  if (IsLastingFailure(status)) failure_ = status;
  return status;
}

Status Journal::Append(std::span<const JournalRecord> records) {
  // Before any mutex: in a child they may be held by threads that it does not have.
  if (IsForked()) return ForkedStatus();
  Request request{.records = records, .status = Status(), .is_done = false};
  std::unique_lock lock(queue_mutex_);
  pending_.push_back(&request);
  while (!request.is_done) {
    if (has_leader_) {
      group_done_.wait(lock);
      continue;
    }
    has_leader_ = true;
    const std::vector<Request*> group = std::exchange(pending_, {});
    lock.unlock();
    CommitGroup(group);
    lock.lock();
    has_leader_ = false;
    for (Request* member : group) member->is_done = true;
    group_done_.notify_all();
  }
  return std::move(request.status);
}

void Journal::CommitGroup(std::span<Request* const> group) {
  const std::lock_guard lock(database_mutex_);
  Status status = CheckUsable();
  if (status.ok()) status = Checked(RunTransaction(group));
  if (status.ok()) return;
  if (table_ != nullptr && table_->database().in_transaction()) {
    (void)Checked(table_->database().Execute("ROLLBACK"));  // `status` is what went wrong first.
  }
  status = std::move(status).WithPrefix(path_);
  for (Request* request : group) request->status = status;
}

Status Journal::RunTransaction(std::span<Request* const> group) {
  const auto needs_sync = [](const Request* request) {
    return std::ranges::any_of(request->records, NeedsSync);
  };
  PIXPRESS_RETURN_IF_ERROR(SetSync(durable_ && std::ranges::any_of(group, needs_sync)));
  Database& database = table_->database();
  PIXPRESS_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  const int64_t now_ns = UnixNowNs();
  bool has_blacklisted = false;
  for (Request* request : group) {
    PIXPRESS_RETURN_IF_ERROR(ApplyRequest(request, now_ns));
    has_blacklisted |= request->status.ok() && HasBlacklistEntry(request->records);
  }
  PIXPRESS_RETURN_IF_ERROR(database.Execute("COMMIT"));
  return has_blacklisted ? LoadBlacklist() : Status();
}

// What is wrong with the records is for the request alone; what is returned is for the whole group.
Status Journal::ApplyRequest(Request* request, int64_t unix_ns) {
  Database& database = table_->database();
  const bool is_one = request->records.size() == 1;  // A refused record changes nothing.
  if (!is_one) PIXPRESS_RETURN_IF_ERROR(database.Execute("SAVEPOINT request"));
  for (const JournalRecord& record : request->records) {
    request->status = table_->Apply(record, owner_, unix_ns);
    if (request->status.ok()) continue;
    if (request->status.sys_errno() != 0 || !database.in_transaction()) return request->status;
    if (!is_one) PIXPRESS_RETURN_IF_ERROR(database.Execute("ROLLBACK TO request"));
    break;
  }
  return is_one ? Status() : database.Execute("RELEASE request");
}

Status Journal::SetSync(bool is_full) {
  if (is_full == is_sync_full_) return Status();
  PIXPRESS_RETURN_IF_ERROR(table_->database().Execute(is_full ? "PRAGMA synchronous = FULL"
                                                              : "PRAGMA synchronous = NORMAL"));
  is_sync_full_ = is_full;
  return Status();
}

Status Journal::LoadBlacklist() {
  PIXPRESS_ASSIGN_OR_RETURN(std::vector<BlacklistEntry> entries, table_->Blacklist());
  const std::lock_guard lock(blacklist_mutex_);
  blacklist_.clear();
  for (BlacklistEntry& entry : entries) {
    BlacklistKey key = entry.key;
    blacklist_.emplace(std::move(key), std::move(entry));
  }
  return Status();
}

template <typename Ask>
auto Journal::WithTable(Ask ask) -> decltype(ask(std::declval<JournalTable&>())) {
  if (IsForked()) return ForkedStatus();
  const std::lock_guard lock(database_mutex_);
  PIXPRESS_RETURN_IF_ERROR(CheckUsable());
  PIXPRESS_RETURN_IF_ERROR(Checked(SetSync(durable_)));
  auto answer = ask(*table_);
  if (!answer.ok()) return Checked(answer.status()).WithPrefix(path_);
  return answer;
}

Result<std::vector<JournalRow>> Journal::Rows(JournalRows which, uint64_t after_id, size_t limit) {
  return WithTable([&](JournalTable& table) { return table.Rows(which, after_id, limit); });
}

Result<std::array<uint64_t, kJournalStateCount>> Journal::Counts() {
  return WithTable([](JournalTable& table) { return table.Counts(); });
}

Result<uint64_t> Journal::NextId() {
  return WithTable([](JournalTable& table) -> Result<uint64_t> {
    PIXPRESS_ASSIGN_OR_RETURN(const uint64_t last, table.LastId());
    return last + 1;
  });
}

Result<uint64_t> Journal::PurgeFinished(int64_t before_unix_ns) {
  return WithTable([&](JournalTable& table) { return table.PurgeFinished(before_unix_ns); });
}

bool Journal::IsBlacklisted(const BlacklistKey& key) const {
  const std::lock_guard lock(blacklist_mutex_);
  return blacklist_.contains(key);
}

std::vector<BlacklistEntry> Journal::Blacklist() const {
  const std::lock_guard lock(blacklist_mutex_);
  std::vector<BlacklistEntry> entries;
  entries.reserve(blacklist_.size());
  for (const auto& [key, entry] : blacklist_) entries.push_back(entry);
  return entries;
}

Result<bool> Journal::RemoveBlacklisted(const BlacklistKey& key) {
  return WithTable([&](JournalTable& table) -> Result<bool> {
    PIXPRESS_ASSIGN_OR_RETURN(const bool was_there, table.RemoveBlacklisted(key));
    PIXPRESS_RETURN_IF_ERROR(LoadBlacklist());
    return was_there;
  });
}

Result<uint64_t> Journal::ClearBlacklist() {
  return WithTable([&](JournalTable& table) -> Result<uint64_t> {
    PIXPRESS_ASSIGN_OR_RETURN(const uint64_t cleared, table.ClearBlacklist());
    PIXPRESS_RETURN_IF_ERROR(LoadBlacklist());
    return cleared;
  });
}

}  // namespace pixpress
