#pragma once
// The one way the core reports failure. No exception leaves a core function.

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pixpress {

// Each code has exactly one Python exception class (src/pixpress/errors.py).
enum class StatusCode : uint8_t {
  kOk = 0,
  kInput,               // The source cannot be opened or read; sys_errno() says why.
  kOutput,              // The output cannot be written; sys_errno() says why.
  kOutputExists,        // The output exists and may not be replaced.
  kUnidentifiedImage,   // No known format starts with these bytes.
  kCorruptImage,        // A known format, but damaged or truncated.
  kUnsupportedFormat,   // A valid image of a kind that is not supported.
  kEncoderUnavailable,  // This build has no encoder for the format.
  kLimitExceeded,       // A Limits field refuses the image.
  kOption,              // A setting is wrong or contradicts another.
  kMemoryLimit,         // The job can never fit the memory budget, or memory ran out.
  kTaskTimeout,
  kQueueTimeout,
  kQueueFull,
  kPoolClosed,
  kForkedPool,
  kJournal,  // The journal cannot be opened, read or written; sys_errno() says why.
  kCancelled,
  kInternal,         // A broken promise of our own; always a bug.
  kBlacklisted,      // The input is known to be bad.
  kJournalNotEmpty,  // The journal holds jobs that were not finished.
  kWorkerCrashed,    // A worker process died, broke its promises, or could not be started.
};

// The `code` of its Python exception: "CORRUPT_IMAGE" and the like.
std::string_view StatusCodeName(StatusCode code);

// Where in a job a failure happened. kNone outside of jobs.
enum class Stage : uint8_t {
  kNone,
  kQueue,
  kRead,
  kProbe,
  kPlan,
  kDecode,
  kResize,
  kQuantize,
  kEncode,
  kOptimize,
  kWrite,
};

std::string_view StageName(Stage stage);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message, int sys_errno = 0)
      : code_(code), sys_errno_(sys_errno), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  int sys_errno() const { return sys_errno_; }
  Stage stage() const { return stage_; }
  const std::string& message() const { return message_; }

  // Record where the failure happened unless an inner layer already did.
  Status At(Stage stage) && {
    if (stage_ == Stage::kNone) stage_ = stage;
    return std::move(*this);
  }
  // Put `prefix` and ": " before the message, usually the name of the source.
  Status WithPrefix(std::string_view prefix) &&;

 private:
  StatusCode code_ = StatusCode::kOk;
  Stage stage_ = Stage::kNone;
  int sys_errno_ = 0;
  std::string message_;
};

// A Status from errno: "<what>: <strerror>".
Status ErrnoStatus(StatusCode code, std::string_view what, int sys_errno);

// Either a value or the reason there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Status error) : state_(std::move(error)) { assert(!std::get<Status>(state_).ok()); }

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const& { return ok() ? Status() : std::get<Status>(state_); }
  Status status() && { return ok() ? Status() : std::get<Status>(std::move(state_)); }
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace pixpress

#define PIXPRESS_CONCAT_INNER(a, b) a##b
#define PIXPRESS_CONCAT(a, b) PIXPRESS_CONCAT_INNER(a, b)

// Leave the function with the status of `expr` unless it is OK.
#define PIXPRESS_RETURN_IF_ERROR(expr)               \
  do {                                               \
    ::pixpress::Status status_of_expr = (expr);      \
    if (!status_of_expr.ok()) return status_of_expr; \
  } while (false)

#define PIXPRESS_ASSIGN_OR_RETURN_INNER(temporary, lhs, expr) \
  auto temporary = (expr);                                    \
  if (!temporary.ok()) return std::move(temporary).status();  \
  lhs = std::move(temporary).value()

// Declare or assign `lhs` from the Result `expr`, or leave the function with its status.
#define PIXPRESS_ASSIGN_OR_RETURN(lhs, expr) \
  PIXPRESS_ASSIGN_OR_RETURN_INNER(PIXPRESS_CONCAT(result_of_expr_, __LINE__), lhs, expr)
