#include "codecs/avif/box_cursor.h"

namespace pixpress {

std::optional<Box> NextBox(BoxCursor* cursor) {
  Box box;
  box.begin = cursor->at();
  if (cursor->end() - box.begin < 8) return std::nullopt;
  uint64_t size = cursor->Number(4);
  box.type = cursor->Type();
  if (size == 1) size = cursor->Number(8);
  if (size == 0) size = cursor->end() - box.begin;
  box.body = cursor->at();
  if (!cursor->is_valid() || size < box.body - box.begin || size > cursor->end() - box.begin) {
    return std::nullopt;
  }
  box.end = box.begin + static_cast<size_t>(size);
  cursor->SkipTo(box.end);
  return box;
}

Box WholeFile(Bytes file) { return {.type = {}, .end = file.size()}; }

std::optional<Box> FindBox(Bytes file, const Box& in, std::string_view type) {
  BoxCursor cursor = in.Children(file);
  while (const auto box = NextBox(&cursor)) {
    if (box->type == type) return box;
  }
  return std::nullopt;
}

std::optional<Box> FindBox(Bytes file, const Box& in, std::string_view outer,
                           std::string_view inner) {
  const auto box = FindBox(file, in, outer);
  return box.has_value() ? FindBox(file, *box, inner) : std::nullopt;
}

}  // namespace pixpress
