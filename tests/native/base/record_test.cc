#include "base/record.h"

#include <gtest/gtest.h>

#include <limits>

namespace pixpress {
namespace {

enum class Color : uint8_t { kRed, kGreen, kBlue };

template <typename T>
T Next(RecordReader& reader) {
  T value = {};
  reader.Field(value);
  return value;
}

TEST(Record, ValuesAreTheSameAfterwards) {
  RecordWriter writer;
  writer.Field(int64_t{-3});
  writer.Field(std::numeric_limits<uint64_t>::max());
  writer.Field(true);
  writer.Field(0.25f);
  writer.Field(std::string("a\0b", 3));
  writer.Field(std::optional<int>(7));
  writer.Field(std::optional<int>());
  writer.Enum(Color::kBlue, Color::kBlue);
  writer.List(std::vector<int>{4, 5}, [](auto& record, const int& n) { record.Field(n); });
  const std::string bytes = writer.Take();

  RecordReader reader(bytes);
  EXPECT_EQ(Next<int64_t>(reader), -3);
  EXPECT_EQ(Next<uint64_t>(reader), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(Next<bool>(reader));
  EXPECT_EQ(Next<float>(reader), 0.25f);
  EXPECT_EQ(Next<std::string>(reader), std::string("a\0b", 3));
  EXPECT_EQ(Next<std::optional<int>>(reader), 7);
  EXPECT_FALSE(Next<std::optional<int>>(reader).has_value());
  Color color = Color::kRed;
  reader.Enum(color, Color::kBlue);
  EXPECT_EQ(color, Color::kBlue);
  std::vector<int> list;
  reader.List(list, [](auto& record, int& n) { record.Field(n); });
  EXPECT_EQ(list, (std::vector<int>{4, 5}));
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.is_at_end());
}

TEST(Record, NumbersAreLittleEndian) {
  RecordWriter writer;
  writer.Field(uint32_t{0x01020304});
  EXPECT_EQ(writer.Take(), std::string("\x04\x03\x02\x01"));
}

TEST(Record, ReadingPastTheEndFailsAndSetsNothing) {
  RecordReader reader(std::string_view("\x01\x02", 2));
  uint32_t number = 9;
  reader.Field(number);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(number, 9u);
  uint8_t byte = 9;
  reader.Field(byte);
  EXPECT_EQ(byte, 9);  // Sticky, though a byte is there.
}

TEST(Record, ATextLongerThanTheRecordFails) {
  RecordReader reader(std::string_view("\xFF\xFF\xFF\xFFshort", 9));
  std::string text;
  reader.Field(text);
  EXPECT_FALSE(reader.ok());
}

TEST(Record, AListLongerThanTheRecordFailsWithoutAllocatingForIt) {
  RecordReader reader(std::string_view("\xFF\xFF\xFF\xFF\x01", 5));
  std::vector<uint8_t> list;
  reader.List(list, [](auto& record, uint8_t& n) { record.Field(n); });
  EXPECT_FALSE(reader.ok());
  EXPECT_LE(list.size(), 2u);
}

TEST(Record, ValuesThatATypeDoesNotHaveFail) {
  RecordReader colors(std::string_view("\x03", 1));
  Color color = Color::kRed;
  colors.Enum(color, Color::kBlue);
  EXPECT_FALSE(colors.ok());
  EXPECT_EQ(color, Color::kRed);
  RecordReader flags(std::string_view("\x02", 1));
  bool flag = false;
  flags.Field(flag);
  EXPECT_FALSE(flags.ok());
}

}  // namespace
}  // namespace pixpress
