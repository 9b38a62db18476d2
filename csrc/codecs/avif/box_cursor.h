#pragma once
// Files that are trees of boxes (ISO/IEC 14496-12), as AVIF is.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codecs/codec.h"

namespace pixpress {

// A bounded walk over big-endian fields. Reads beyond the end give 0 and are remembered.
class BoxCursor {
 public:
  BoxCursor(Bytes file, size_t at, size_t end) : file_(file), at_(at), end_(end) {}

  uint64_t Number(size_t bytes) {
    if (bytes > end_ - at_) {
      is_valid_ = false;
      at_ = end_;
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) value = value << 8 | file_[at_++];
    return value;
  }
  std::string_view Type() {
    const size_t start = at_;
    Number(4);
    return is_valid_ ? std::string_view(reinterpret_cast<const char*>(file_.data()) + start, 4)
                     : std::string_view();
  }
  size_t at() const { return at_; }
  size_t end() const { return end_; }
  bool is_valid() const { return is_valid_; }
  bool is_at_end() const { return at_ == end_ || !is_valid_; }
  void SkipTo(size_t at) { at_ = std::min(at, end_); }

 private:
  Bytes file_;
  size_t at_;
  size_t end_;
  bool is_valid_ = true;
};

struct Box {
  std::string_view type;
  size_t begin = 0;
  size_t body = 0;
  size_t end = 0;

  BoxCursor Children(Bytes file) const { return {file, body, end}; }
};

// The next box at the cursor, which moves behind it; none at the end or where it makes no sense.
std::optional<Box> NextBox(BoxCursor* cursor);

Box WholeFile(Bytes file);
// The first child of that type, or the first one of type `inner` in the first `outer`.
std::optional<Box> FindBox(Bytes file, const Box& in, std::string_view type);
std::optional<Box> FindBox(Bytes file, const Box& in, std::string_view outer,
                           std::string_view inner);

}  // namespace pixpress
