#pragma once
// What could be got out of damaged image data.

#include <cstdint>
#include <string>

namespace pixpress {

// Given to decoders that are to go on in spite of damage: they fill what they cannot decode and say
// here how far they came. They still fail where there is nothing to show. Used by one thread at a
// time.
class Salvage {
 public:
  // `unit` is in the plural: "rows". Nothing to note if all were decoded.
  void Note(uint32_t decoded, uint32_t all, const char* unit) {
    if (decoded == all) return;
    Note(std::to_string(decoded) + " of " + std::to_string(all) + " " + unit + " were decoded");
  }
  void Note(const std::string& text) { text_ += (text_.empty() ? "" : ", ") + text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace pixpress
