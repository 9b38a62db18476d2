#pragma once
// Values as bytes, little-endian, for what leaves the process; reading is bounds checked.

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pixpress {

// The two sides have the same members, so that one function template can say what a record holds.
class RecordWriter {
 public:
  // Integers, bool and float.
  template <typename T>
  requires std::is_arithmetic_v<T>
  void Field(const T& value) {
    const auto bits = Bits(value);
    for (size_t i = 0; i < sizeof(bits); ++i) bytes_ += static_cast<char>(bits >> (8 * i));
  }
  template <typename T>
  void Field(const std::optional<T>& value) {
    Field(value.has_value());
    if (value.has_value()) Field(*value);
  }
  void Field(const std::string& text) {
    Field(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  template <typename E>
  void Enum(const E& value, E /*last*/) {
    Field(static_cast<uint8_t>(value));
  }
  // Call `each(*this, element)` for every element.
  template <typename T, typename Each>
  void List(const std::vector<T>& values, Each each) {
    Field(static_cast<uint32_t>(values.size()));
    for (const T& value : values) each(*this, value);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  template <typename T>
  static auto Bits(T value) {
    if constexpr (std::is_same_v<T, float>) {
      return std::bit_cast<uint32_t>(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      return static_cast<uint8_t>(value);
    } else {
      return static_cast<std::make_unsigned_t<T>>(value);
    }
  }

  std::string bytes_;
};

// Borrows the bytes. After the first value that is not there or not allowed, ok() is false and
// nothing is set any more.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_arithmetic_v<T>
  void Field(T& value) {
    if constexpr (std::is_same_v<T, float>) {
      if (const auto bits = Number<uint32_t>()) value = std::bit_cast<float>(*bits);
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto byte = Number<uint8_t>();
      if (byte.value_or(0) > 1) is_ok_ = false;
      if (is_ok_) value = *byte != 0;
    } else {
      const auto bits = Number<std::make_unsigned_t<T>>();
      if (bits.has_value()) value = static_cast<T>(*bits);
    }
  }
  template <typename T>
  void Field(std::optional<T>& value) {
    bool is_there = false;
    Field(is_there);
    if (is_there) Field(value.emplace());
  }
  void Field(std::string& text) {
    const auto size = Number<uint32_t>();
    if (!size.has_value()) return;
    if (*size > rest_.size()) {
      is_ok_ = false;
      return;
    }
    text = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
  }
  // `last` is the enum's largest value.
  template <typename E>
  void Enum(E& value, E last) {
    const auto byte = Number<uint8_t>();
    if (byte.has_value() && *byte > static_cast<uint8_t>(last)) is_ok_ = false;
    if (is_ok_) value = static_cast<E>(*byte);
  }
  template <typename T, typename Each>
  void List(std::vector<T>& values, Each each) {
    const uint32_t count = Number<uint32_t>().value_or(0);
    for (uint32_t i = 0; i < count && is_ok_; ++i) each(*this, values.emplace_back());
  }

  bool ok() const { return is_ok_; }
  void Fail() { is_ok_ = false; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  template <typename T>
  std::optional<T> Number() {
    if (rest_.size() < sizeof(T)) is_ok_ = false;
    if (!is_ok_) return std::nullopt;
    T bits = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      bits = static_cast<T>(
          bits | static_cast<T>(static_cast<T>(static_cast<uint8_t>(rest_[i])) << (8 * i)));
    }
    rest_.remove_prefix(sizeof(T));
    return bits;
  }

  std::string_view rest_;
  bool is_ok_ = true;
};

}  // namespace pixpress
