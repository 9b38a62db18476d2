#pragma once
// SQLite with owners and statuses. Errors are kJournal, and sys_errno() tells them apart: ENOSPC,
// EBUSY, ENOMEM, EIO for any other failure to read or write, EUCLEAN for a file that is no sound
// database, and the system's own errno for a file that cannot be opened.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pixpress {

// A prepared statement, used again and again. One thread at a time; gone before its Database.
class Statement {
 public:
  // Ready for new values. Also ends the read that a SELECT holds open.
  Statement& Reset();
  // Parameters count from 1. A failure is reported by the next Step.
  Statement& BindInteger(int index, int64_t value);
  Statement& BindUnsigned(int index, uint64_t value) {
    return BindInteger(index, static_cast<int64_t>(value));
  }
  // A BLOB: paths need not be UTF-8. The bytes must stay until Reset.
  Statement& BindBytes(int index, std::string_view bytes);
  Statement& BindText(int index, std::string_view text);

  // True: a row is there to read. False: the end.
  Result<bool> Step();
  // Step to the end of a statement without rows, and Reset.
  Status Run();

  int64_t Integer(int column) const;
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Integer(column)); }
  std::string Bytes(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bind_code_ = 0;  // The first failure of a Bind.
};

// A connection. One thread at a time; never used or destroyed by a forked child.
class Database {
 public:
  // Create the file if it is missing. Blocks on I/O, as do all statements.
  static Result<Database> Open(const std::string& path);

  Status Execute(const char* sql);
  Result<Statement> Prepare(const char* sql);
  // The one number of a query or pragma; kJournal if there is none.
  Result<int64_t> ReadInteger(const char* sql);
  // The rows of a query's first column, joined by new lines.
  Result<std::string> ReadText(const char* sql);

  // Rows that the last INSERT, UPDATE or DELETE touched.
  int64_t changed_rows() const;
  bool in_transaction() const;
  // Whether closing moves the WAL into the database. Not at first: what is not ours, or damaged, is
  // to be left as it was found.
  void set_checkpoint_on_close(bool does_checkpoint);
  // Close now and say whether the last checkpoint went well; the destructor cannot.
  Status Close();

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Closer> database_;
};

// True if the file is not, or no longer, a sound database.
bool IsDamage(const Status& status);
// True if what the connection holds in memory may differ from the file from now on.
bool IsLastingFailure(const Status& status);

}  // namespace pixpress
