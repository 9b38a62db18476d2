#include "store/journal_table.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace pixpress {

struct JournalTable::Statements {
  std::optional<Statement> add_job, change_state, set_priority, requeue, rows, taken, counts,
      last_id, purge;
  std::optional<Statement> add_blacklisted, blacklist, remove_blacklisted, clear_blacklist;
};

namespace {

#define PIXPRESS_JOB_COLUMNS                                                                   \
  "id, source_path, device, inode, size_bytes, mtime_ns, output_path, output_root, settings, " \
  "priority, batch, created_ns, state, attempt, crashes, owner_pid, owner_boot, owner_ticks, " \
  "written_path, written_bytes, written_hash, code, message, changed_ns, retries"

constexpr char kAddJob[] = "INSERT INTO jobs (" PIXPRESS_JOB_COLUMNS
                           ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                           " 0, 0, 0, 0, x'', 0, NULL, NULL, NULL, '', '', ?13, 0)"
                           " ON CONFLICT (id) DO NOTHING";
// A value that a change does not have stays; the owner is that of the last start.
constexpr char kChangeState[] =
    "UPDATE jobs SET state = ?2, attempt = coalesce(?3, attempt),"
    " owner_pid = coalesce(?4, owner_pid), owner_boot = coalesce(?5, owner_boot),"
    " owner_ticks = coalesce(?6, owner_ticks), written_path = coalesce(?7, written_path),"
    " written_bytes = coalesce(?8, written_bytes), written_hash = coalesce(?9, written_hash),"
    " code = ?10, message = ?11, changed_ns = ?12, retries = coalesce(?13, retries)"
    " WHERE id = ?1 AND state < 3";
constexpr char kSetPriority[] = "UPDATE jobs SET priority = ?2 WHERE id = ?1 AND state < 3";
constexpr char kRequeue[] =
    "UPDATE jobs SET state = 0, crashes = ?2, changed_ns = ?3 WHERE id = ?1 AND state < 3";
// ?1 is the first state that is left out.
constexpr char kRows[] =
    "SELECT " PIXPRESS_JOB_COLUMNS " FROM jobs WHERE id > ?2 AND state < ?1 ORDER BY id";
constexpr char kTaken[] =
    "SELECT " PIXPRESS_JOB_COLUMNS " FROM jobs WHERE state BETWEEN 1 AND 2 ORDER BY id";
constexpr char kCounts[] = "SELECT state, count(*) FROM jobs GROUP BY state";
constexpr char kLastId[] = "SELECT coalesce(max(id), 0) FROM jobs";
constexpr char kPurge[] = "DELETE FROM jobs WHERE state >= 3 AND changed_ns < ?1";
constexpr char kAddBlacklisted[] =
    "INSERT INTO blacklist VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET"
    " reason = iif(is_damage < excluded.is_damage, reason, excluded.reason),"
    " is_damage = min(is_damage, excluded.is_damage), count = count + excluded.count,"
    " time_ns = excluded.time_ns";
constexpr char kBlacklist[] = "SELECT * FROM blacklist ORDER BY time_ns, path";
constexpr char kRemoveBlacklisted[] =
    "DELETE FROM blacklist WHERE path = ?1 AND size_bytes = ?2 AND mtime_ns = ?3"
    " AND content_hash = ?4";
constexpr char kClearBlacklist[] = "DELETE FROM blacklist";

#undef PIXPRESS_JOB_COLUMNS

std::string_view ViewOf(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

Sha256Digest DigestOf(std::string_view bytes) {
  Sha256Digest digest;
  const size_t kept = std::min(bytes.size(), digest.bytes.size());
  std::copy_n(bytes.begin(), kept, digest.bytes.begin());
  return digest;
}

JournalRow RowOf(const Statement& select) {
  JournalRow row;
  row.job.id = select.Unsigned(0);
  row.job.source_path = select.Bytes(1);
  row.job.source.device = select.Unsigned(2);
  row.job.source.inode = select.Unsigned(3);
  row.job.source.size_bytes = select.Unsigned(4);
  row.job.source.mtime_ns = select.Integer(5);
  row.job.output_path = select.Bytes(6);
  row.job.output_root = select.Bytes(7);
  row.job.settings = select.Bytes(8);
  row.job.priority = static_cast<int>(select.Integer(9));
  row.job.batch = select.Bytes(10);
  row.job.created_unix_ns = select.Integer(11);
  row.state = static_cast<JournalState>(select.Integer(12));
  row.attempt = static_cast<uint32_t>(select.Integer(13));
  row.crashes = static_cast<uint32_t>(select.Integer(14));
  row.owner.pid = static_cast<pid_t>(select.Integer(15));
  row.owner.boot_id = select.Bytes(16);
  row.owner.start_ticks = select.Unsigned(17);
  const std::string hash = select.Bytes(20);
  if (!hash.empty()) {
    row.output = JournalOutput{
        .path = select.Bytes(18), .size_bytes = select.Unsigned(19), .hash = DigestOf(hash)};
  }
  row.code = select.Bytes(21);
  row.message = select.Bytes(22);
  row.changed_unix_ns = select.Integer(23);
  row.retries = static_cast<uint32_t>(select.Integer(24));
  return row;
}

void BindKey(Statement& statement, const BlacklistKey& key) {
  statement.BindBytes(1, key.path)
      .BindUnsigned(2, key.size_bytes)
      .BindInteger(3, key.mtime_ns)
      .BindBytes(4, ViewOf(key.content_hash));
}

Status NoSuchJob(uint64_t id, std::string_view why) {
  return Status(StatusCode::kJournal, "journal: job " + std::to_string(id) + std::string(why));
}

}  // namespace

void JournalTable::StatementsDeleter::operator()(Statements* statements) const {
  delete statements;
}

Result<std::unique_ptr<JournalTable>> JournalTable::Create(Database database) {
  std::unique_ptr<JournalTable> table(new JournalTable(std::move(database)));
  PIXPRESS_RETURN_IF_ERROR(table->PrepareAll());
  return table;
}

Status JournalTable::PrepareAll() {
  statements_.reset(new Statements);
  Statements& all = *statements_;
  const std::pair<std::optional<Statement>*, const char*> sources[] = {
      {&all.add_job, kAddJob},
      {&all.change_state, kChangeState},
      {&all.set_priority, kSetPriority},
      {&all.requeue, kRequeue},
      {&all.rows, kRows},
      {&all.taken, kTaken},
      {&all.counts, kCounts},
      {&all.last_id, kLastId},
      {&all.purge, kPurge},
      {&all.blacklist, kBlacklist},
      {&all.add_blacklisted, kAddBlacklisted},
      {&all.clear_blacklist, kClearBlacklist},
      {&all.remove_blacklisted, kRemoveBlacklisted}};
  for (const auto& [statement, sql] : sources) {
    PIXPRESS_ASSIGN_OR_RETURN(*statement, database_.Prepare(sql));
  }
  return Status();
}

Status JournalTable::Apply(const JournalRecord& record, const ProcessIdentity& owner,
                           int64_t unix_ns) {
  if (const auto* job = std::get_if<JournalJob>(&record)) return AddJob(*job, unix_ns);
  if (const auto* change = std::get_if<JournalChange>(&record)) {
    return ChangeState(*change, owner, unix_ns);
  }
  if (const auto* priority = std::get_if<JournalPriority>(&record)) {
    Statement& statement = statements_->set_priority->Reset();
    return statement.BindUnsigned(1, priority->id).BindInteger(2, priority->priority).Run();
  }
  return AddBlacklisted(std::get<BlacklistEntry>(record), unix_ns);
}

Status JournalTable::AddJob(const JournalJob& job, int64_t unix_ns) {
  if (job.id == 0 || job.id > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return NoSuchJob(job.id, " has no valid id");
  }
  Statement& statement = statements_->add_job->Reset();
  statement.BindUnsigned(1, job.id)
      .BindBytes(2, job.source_path)
      .BindUnsigned(3, job.source.device)
      .BindUnsigned(4, job.source.inode)
      .BindUnsigned(5, job.source.size_bytes)
      .BindInteger(6, job.source.mtime_ns)
      .BindBytes(7, job.output_path)
      .BindBytes(8, job.output_root)
      .BindBytes(9, job.settings)
      .BindInteger(10, job.priority)
      .BindBytes(11, job.batch)
      .BindInteger(12, job.created_unix_ns)
      .BindInteger(13, unix_ns);
  PIXPRESS_RETURN_IF_ERROR(statement.Run());
  return database_.changed_rows() == 1 ? Status() : NoSuchJob(job.id, " exists already");
}

Status JournalTable::ChangeState(const JournalChange& change, const ProcessIdentity& owner,
                                 int64_t unix_ns) {
  Statement& statement = statements_->change_state->Reset();
  statement.BindUnsigned(1, change.id).BindInteger(2, static_cast<int64_t>(change.state));
  if (change.state == JournalState::kStarted) {
    statement.BindInteger(3, change.attempt)
        .BindInteger(4, owner.pid)
        .BindBytes(5, owner.boot_id)
        .BindUnsigned(6, owner.start_ticks);
  }
  if (change.state == JournalState::kQueued) statement.BindInteger(13, change.retries);
  if (change.output.has_value()) {
    statement.BindBytes(7, change.output->path)
        .BindUnsigned(8, change.output->size_bytes)
        .BindBytes(9, ViewOf(change.output->hash));
  }
  statement.BindText(10, change.code).BindText(11, change.message).BindInteger(12, unix_ns);
  PIXPRESS_RETURN_IF_ERROR(statement.Run());
  if (database_.changed_rows() == 1) return Status();
  return NoSuchJob(change.id, " is not there, or has ended already");
}

Status JournalTable::Requeue(uint64_t id, uint32_t crashes, int64_t unix_ns) {
  return statements_->requeue->Reset()
      .BindUnsigned(1, id)
      .BindInteger(2, crashes)
      .BindInteger(3, unix_ns)
      .Run();
}

Status JournalTable::AddBlacklisted(const BlacklistEntry& entry, int64_t unix_ns) {
  Statement& statement = statements_->add_blacklisted->Reset();
  BindKey(statement, entry.key);
  return statement.BindText(5, entry.reason)
      .BindInteger(6, entry.is_damage ? 1 : 0)
      .BindUnsigned(7, entry.count)
      .BindInteger(8, entry.unix_ns != 0 ? entry.unix_ns : unix_ns)
      .Run();
}

Result<std::vector<JournalRow>> JournalTable::ReadRows(Statement& select, size_t limit) {
  std::vector<JournalRow> rows;
  while (rows.size() < limit) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) break;
    rows.push_back(RowOf(select));
  }
  select.Reset();
  return rows;
}

Result<std::vector<JournalRow>> JournalTable::Rows(JournalRows which, uint64_t after_id,
                                                   size_t limit) {
  const int end =
      which == JournalRows::kAll ? kJournalStateCount : static_cast<int>(JournalState::kDone);
  Statement& select = statements_->rows->Reset();
  select.BindInteger(1, end).BindUnsigned(2, after_id);
  return ReadRows(select, limit);
}

Result<std::vector<JournalRow>> JournalTable::Taken() {
  return ReadRows(statements_->taken->Reset(), std::numeric_limits<size_t>::max());
}

Result<std::array<uint64_t, kJournalStateCount>> JournalTable::Counts() {
  std::array<uint64_t, kJournalStateCount> counts = {};
  Statement& select = statements_->counts->Reset();
  while (true) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) return counts;
    const uint64_t state = select.Unsigned(0);
    if (state < counts.size()) counts[state] = select.Unsigned(1);
  }
}

Result<uint64_t> JournalTable::LastId() {
  Statement& select = statements_->last_id->Reset();
  PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, select.Step());
  const uint64_t id = has_row ? select.Unsigned(0) : 0;
  select.Reset();
  return id;
}

Result<uint64_t> JournalTable::PurgeFinished(int64_t before_unix_ns) {
  PIXPRESS_RETURN_IF_ERROR(statements_->purge->Reset().BindInteger(1, before_unix_ns).Run());
  const auto purged = static_cast<uint64_t>(database_.changed_rows());
  PIXPRESS_RETURN_IF_ERROR(database_.Execute("PRAGMA incremental_vacuum"));
  return purged;
}

Result<std::vector<BlacklistEntry>> JournalTable::Blacklist() {
  std::vector<BlacklistEntry> entries;
  Statement& select = statements_->blacklist->Reset();
  while (true) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) return entries;
    entries.push_back({.key = {.path = select.Bytes(0),
                               .size_bytes = select.Unsigned(1),
                               .mtime_ns = select.Integer(2),
                               .content_hash = DigestOf(select.Bytes(3))},
                       .reason = select.Bytes(4),
                       .is_damage = select.Integer(5) != 0,
                       .count = select.Unsigned(6),
                       .unix_ns = select.Integer(7)});
  }
}

Result<bool> JournalTable::RemoveBlacklisted(const BlacklistKey& key) {
  Statement& statement = statements_->remove_blacklisted->Reset();
  BindKey(statement, key);
  PIXPRESS_RETURN_IF_ERROR(statement.Run());
  return database_.changed_rows() > 0;
}

Result<uint64_t> JournalTable::ClearBlacklist() {
  PIXPRESS_RETURN_IF_ERROR(statements_->clear_blacklist->Reset().Run());
  return static_cast<uint64_t>(database_.changed_rows());
}

Status JournalTable::Close() {
  statements_.reset();
  return database_.Close();
}

}  // namespace pixpress
