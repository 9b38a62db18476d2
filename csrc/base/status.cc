#include "base/status.h"

#include <system_error>

namespace pixpress {

std::string_view StatusCodeName(StatusCode code) {
  static constexpr std::string_view kNames[] = {"OK",
                                                "INPUT",
                                                "OUTPUT",
                                                "OUTPUT_EXISTS",
                                                "UNIDENTIFIED_IMAGE",
                                                "CORRUPT_IMAGE",
                                                "UNSUPPORTED_FORMAT",
                                                "ENCODER_UNAVAILABLE",
                                                "LIMIT_EXCEEDED",
                                                "OPTION",
                                                "MEMORY_LIMIT",
                                                "TASK_TIMEOUT",
                                                "QUEUE_TIMEOUT",
                                                "QUEUE_FULL",
                                                "POOL_CLOSED",
                                                "FORKED_POOL",
                                                "JOURNAL",
                                                "CANCELLED",
                                                "INTERNAL",
                                                "BLACKLISTED",
                                                "JOURNAL_NOT_EMPTY",
                                                "WORKER_CRASHED"};
  const auto place = static_cast<size_t>(code);
  return place < std::size(kNames) ? kNames[place] : "";
}

std::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kNone:
      return "";
    case Stage::kQueue:
      return "queue";
    case Stage::kRead:
      return "read";
    case Stage::kProbe:
      return "probe";
    case Stage::kPlan:
      return "plan";
    case Stage::kDecode:
      return "decode";
    case Stage::kResize:
      return "resize";
    case Stage::kQuantize:
      return "quantize";
    case Stage::kEncode:
      return "encode";
    case Stage::kOptimize:
      return "optimize";
    case Stage::kWrite:
      return "write";
  }
  return "";
}

Status Status::WithPrefix(std::string_view prefix) && {
  if (!ok()) {
    std::string text;
    text.reserve(prefix.size() + 2 + message_.size());
    text.append(prefix).append(": ").append(message_);
    message_ = std::move(text);
  }
  return std::move(*this);
}

Status ErrnoStatus(StatusCode code, std::string_view what, int sys_errno) {
  std::string text(what);
  text.append(": ").append(std::generic_category().message(sys_errno));
  return Status(code, std::move(text), sys_errno);
}

}  // namespace pixpress
