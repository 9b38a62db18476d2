#pragma once
// What the journal keeps: jobs, what became of them, and the blacklist. Values only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/file.h"
#include "base/sha256.h"
#include "store/process_identity.h"

namespace pixpress {

// Stored as numbers: never renumber.
enum class JournalState : uint8_t {
  kQueued = 0,
  kStarted = 1,  // An attempt runs: committed before the first byte is decoded.
  kWriting = 2,  // The output's bytes are known, and may appear: committed before the rename.
  kDone = 3,     // This and the rest are final.
  kFailed = 4,
  kCancelled = 5,
  kBlacklisted = 6,
};
inline constexpr size_t kJournalStateCount = 7;

constexpr bool IsFinal(JournalState state) { return state >= JournalState::kDone; }
std::string_view JournalStateName(JournalState state);

// A job as submitted.
struct JournalJob {
  uint64_t id = 0;  // The caller's, unique and rising: the order of submission. 1 to 2^63 - 1.
  std::string source_path;
  FileIdentity source;  // As at submission. `mode` is not kept.
  std::string output_path;
  std::string output_root;
  std::string settings;  // Opaque.
  int priority = 0;
  std::string batch;
  int64_t created_unix_ns = 0;
};

// An output file's content.
struct JournalOutput {
  std::string path;
  uint64_t size_bytes = 0;
  Sha256Digest hash;
};

// The next state of a job that is not in a final one.
struct JournalChange {
  uint64_t id = 0;
  JournalState state = JournalState::kQueued;
  uint32_t attempt = 0;                 // Of kStarted, from 1.
  uint32_t retries = 0;                 // Of kQueued.
  std::optional<JournalOutput> output;  // Of kWriting; of kDone unless known from kWriting.
  std::string code;                     // Of kFailed and kBlacklisted: the error's stable name.
  std::string message;

  // Back in the queue, for another attempt or because the pool ends before the job does. `retries`:
  // how many attempts after the first it has used up by failing.
  static JournalChange Queued(uint64_t id, uint32_t retries) {
    JournalChange change = Of(id, JournalState::kQueued);
    change.retries = retries;
    return change;
  }
  static JournalChange Started(uint64_t id, uint32_t attempt) {
    JournalChange change = Of(id, JournalState::kStarted);
    change.attempt = attempt;
    return change;
  }
  static JournalChange Writing(uint64_t id, JournalOutput output) {
    return With(Of(id, JournalState::kWriting), std::move(output));
  }
  // As announced by Writing, or without an output of its own (one that was not to be replaced).
  static JournalChange Done(uint64_t id) { return Of(id, JournalState::kDone); }
  static JournalChange Done(uint64_t id, JournalOutput output) {
    return With(Of(id, JournalState::kDone), std::move(output));
  }
  static JournalChange Failed(uint64_t id, std::string code, std::string message) {
    return Because(Of(id, JournalState::kFailed), std::move(code), std::move(message));
  }
  static JournalChange Cancelled(uint64_t id) { return Of(id, JournalState::kCancelled); }
  // Append it together with the BlacklistEntry.
  static JournalChange Blacklisted(uint64_t id, std::string code, std::string message) {
    return Because(Of(id, JournalState::kBlacklisted), std::move(code), std::move(message));
  }

 private:
  static JournalChange Of(uint64_t id, JournalState state) {
    JournalChange change;
    change.id = id;
    change.state = state;
    return change;
  }
  static JournalChange With(JournalChange change, JournalOutput output) {
    change.output = std::move(output);
    return change;
  }
  static JournalChange Because(JournalChange change, std::string code, std::string message) {
    change.code = std::move(code);
    change.message = std::move(message);
    return change;
  }
};

// Another priority of a job. That of one that has ended stays.
struct JournalPriority {
  uint64_t id = 0;
  int priority = 0;
};

// A job as the journal knows it.
struct JournalRow {
  JournalJob job;
  JournalState state = JournalState::kQueued;
  uint32_t attempt = 0;   // The last one started; 0 before.
  uint32_t retries = 0;   // As of the last kQueued.
  uint32_t crashes = 0;   // How many processes died while it ran.
  ProcessIdentity owner;  // That started it last.
  std::optional<JournalOutput> output;
  std::string code;
  std::string message;
  int64_t changed_unix_ns = 0;
};

// Content that is never tried again. A repaired file has another size or mtime and is not meant.
struct BlacklistKey {
  std::string path;  // Empty for bytes, which content_hash names.
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  Sha256Digest content_hash;
  auto operator<=>(const BlacklistKey&) const = default;
};

struct BlacklistEntry {
  BlacklistKey key;
  std::string reason;
  bool is_damage = false;  // Decoding fails, but no process died or hung, which would be worse.
  uint64_t count = 1;      // Adding an entry again adds up.
  int64_t unix_ns = 0;
};

using JournalRecord = std::variant<JournalJob, JournalChange, JournalPriority, BlacklistEntry>;

}  // namespace pixpress
