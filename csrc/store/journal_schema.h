#pragma once
// The journal as an SQLite file: how it is opened, marked, laid out and checked.

#include <string>

#include "base/status.h"
#include "store/sqlite.h"

namespace pixpress {

inline constexpr int kJournalApplicationId = 0x50697870;  // "Pixp"
inline constexpr int kJournalVersion = 1;

// Open or make the journal at `path`, whose lock the caller holds. EUCLEAN if it is damaged, is no
// journal, or was not read right; EEXIST if it is one of a newer version. Then it is not touched.
Result<Database> OpenJournalDatabase(const std::string& path, bool durable);

// kJournal with errno if a part of it cannot be read, whatever it holds. Reads all of it.
Status CheckJournalReadable(const std::string& path);

// Rename the database and what belongs to it to <path>.corrupt-<UTC time>. Returns that name.
Result<std::string> SetJournalAside(const std::string& path);

}  // namespace pixpress
