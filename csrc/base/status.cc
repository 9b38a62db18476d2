#include "base/status.h"

#include <system_error>

namespace pixpress {

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
