#pragma once
// The journal as an SQLite file: how it is opened, marked, laid out and checked.

#include <string>

#include "base/status.h"
#include "store/sqlite.h"

namespace pixpress {

inline constexpr int kJournalApplicationId = 0x50697870;  // "Pixp"
inline constexpr int kJournalVersion = 1;

// Open or make the journal at `path`, whose lock the caller holds. EUCLEAN if it is a damaged
// journal; a file that no journal was ever seen at (`was_journal` false) and that is not one is
// EEXIST, as is one of a newer version: neither is touched.
Result<Database> OpenJournalDatabase(const std::string& path, bool durable, bool was_journal);

// Rename the database and what belongs to it to <path>.corrupt-<UTC time>. Returns that name.
Result<std::string> SetJournalAside(const std::string& path);

}  // namespace pixpress
