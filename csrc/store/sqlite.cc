#include "store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace pixpress {
namespace {

int ErrnoOf(sqlite3* database, int code) {
  const int system_errno = database != nullptr ? sqlite3_system_errno(database) : 0;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return EBUSY;
    case SQLITE_NOMEM:
      return ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return EUCLEAN;
    case SQLITE_IOERR:
      return system_errno == ENOSPC || system_errno == EDQUOT ? ENOSPC : EIO;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return system_errno != 0 ? system_errno : EACCES;
    default:
      return 0;
  }
}

Status StatusOf(sqlite3* database, int code) {
  std::string text = "SQLite: ";
  text += database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  text.append(" (").append(std::to_string(code)).append(")");
  return Status(StatusCode::kJournal, std::move(text), ErrnoOf(database, code));
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Database::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Statement& Statement::Reset() {
  sqlite3_reset(statement_.get());  // Repeats the error of the last Step, which was reported.
  sqlite3_clear_bindings(statement_.get());
  bind_code_ = SQLITE_OK;
  return *this;
}

Statement& Statement::BindInteger(int index, int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index, value);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

Statement& Statement::BindBytes(int index, std::string_view bytes) {
  // A null pointer would bind NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

Statement& Statement::BindText(int index, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  const int code =
      sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
  return *this;
}

Result<bool> Statement::Step() {
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  if (bind_code_ != SQLITE_OK) return StatusOf(database, bind_code_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Status failure = StatusOf(database, code);
  sqlite3_reset(statement_.get());
  return failure;
}

Status Statement::Run() {
  const Result<bool> row = Step();
  Reset();
  if (!row.ok()) return row.status();
  return row.value() ? Status(StatusCode::kInternal, "a statement gave a row") : Status();
}

int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

Result<Database> Database::Open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  Database database;
  database.database_.reset(handle);  // Also of a failure.
  if (code != SQLITE_OK) return StatusOf(handle, code).WithPrefix(path);
  // What the file says must not be able to run anything.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  database.set_checkpoint_on_close(false);
  return database;
}

void Database::set_checkpoint_on_close(bool does_checkpoint) {
  const int is_off = does_checkpoint ? 0 : 1;
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_off, nullptr);
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : StatusOf(database_.get(), code);
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return StatusOf(database_.get(), code);
  return Statement(statement);
}

Result<int64_t> Database::ReadInteger(const char* sql) {
  PIXPRESS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, statement.Step());
  if (!has_row) return Status(StatusCode::kJournal, "SQLite has no answer to " + std::string(sql));
  return statement.Integer(0);
}

Result<std::string> Database::ReadText(const char* sql) {
  PIXPRESS_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  std::string text;
  while (true) {
    PIXPRESS_ASSIGN_OR_RETURN(const bool has_row, statement.Step());
    if (!has_row) return text;
    if (!text.empty()) text.push_back('\n');
    text += statement.Bytes(0);
  }
}

int64_t Database::changed_rows() const { return sqlite3_changes64(database_.get()); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

Status Database::Close() {
  const int code = sqlite3_close(database_.get());
  if (code != SQLITE_OK) return StatusOf(database_.get(), code);
  (void)database_.release();  // Closed; a failed close leaves it to the destructor.
  return Status();
}

bool IsDamage(const Status& status) { return status.sys_errno() == EUCLEAN; }

bool IsLastingFailure(const Status& status) {
  return status.sys_errno() == EUCLEAN || status.sys_errno() == EIO;
}

}  // namespace pixpress
