#include "codecs/jpeg/extra_pictures.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pixpress {
namespace {

using namespace std::string_literals;

void Put(std::string& to, uint32_t value, int bytes, bool is_little) {
  for (int i = 0; i < bytes; ++i) {
    to.push_back(static_cast<char>(value >> (8 * (is_little ? i : bytes - 1 - i))));
  }
}

std::string Segment(char marker, const std::string& payload) {
  std::string made = "\xFF"s + marker;
  Put(made, static_cast<uint32_t>(payload.size() + 2), 2, false);
  return made + payload;
}

std::string Picture(const std::string& segments) {
  return "\xFF\xD8"s + segments + "\xFF\xDA\x00\x02scan\xFF\xD9"s;
}

// A main picture with an index, and the pictures that it leads to.
std::string Mpo(const std::vector<std::string>& others, bool is_little,
                const std::string& more = "") {
  const uint32_t count = static_cast<uint32_t>(others.size()) + 1;
  const size_t block_bytes = 8 + 2 + 12 + 4 + 16 * count;
  const std::string shape = Picture(more + Segment('\xE2', std::string(4 + block_bytes, ' ')));
  const size_t block_begin = 2 + more.size() + 4 + 4;
  std::string block = is_little ? "II*\0"s : "MM\0*"s;
  Put(block, 8, 4, is_little);
  Put(block, 1, 2, is_little);
  Put(block, 0xB002, 2, is_little);
  Put(block, 7, 2, is_little);
  Put(block, 16 * count, 4, is_little);
  Put(block, 26, 4, is_little);
  Put(block, 0, 4, is_little);
  size_t begin = 0;
  for (uint32_t i = 0; i < count; ++i) {
    block += "\0\0\0\0\0\0\0\0"s;
    Put(block, begin == 0 ? 0 : static_cast<uint32_t>(begin - block_begin), 4, is_little);
    block += "\0\0\0\0"s;
    begin = i == 0 ? shape.size() : begin + others[i - 1].size();
  }
  std::string file = Picture(more + Segment('\xE2', "MPF\0"s + block));
  for (const std::string& other : others) file += other;
  return file;
}

std::string Describe(const std::string& file) {
  return DescribeExtraPictures(Bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size()));
}

const std::string kGainMap = Picture(
    Segment('\xE1', "http://ns.adobe.com/xap/1.0/\0 http://ns.adobe.com/hdr-gain-map/1.0/"s));

TEST(JpegExtraPictures, PlainFilesHaveNone) {
  EXPECT_EQ(Describe(Picture("")), "");
  EXPECT_EQ(Describe(Picture("") + "trailing"), "");
  EXPECT_EQ(Describe(Mpo({}, true)), "");
}

TEST(JpegExtraPictures, OtherPicturesAreCounted) {
  for (const bool is_little : {false, true}) {
    EXPECT_EQ(Describe(Mpo({Picture("")}, is_little)), "the second picture of the file was");
    EXPECT_EQ(Describe(Mpo({Picture(""), Picture(""), Picture("")}, is_little)),
              "3 more pictures of the file were");
  }
}

TEST(JpegExtraPictures, GainMapsAreNamed) {
  EXPECT_EQ(Describe(Mpo({kGainMap}, true)), "the HDR gain map was");
  const std::string iso = Segment('\xE2', "urn:iso:std:iso:ts:21496:-1\0\0\0\0\0"s);
  EXPECT_EQ(Describe(Mpo({Picture("")}, false, iso)), "the HDR gain map was");
}

TEST(JpegExtraPictures, AnIndexThatLeadsNowhereCountsForNothing) {
  const std::string whole = Mpo({Picture("")}, true);
  EXPECT_EQ(Describe(whole.substr(0, whole.size() - Picture("").size())), "");
}

TEST(JpegExtraPictures, DamageNeverDoesMoreThanHidePictures) {
  std::mt19937 random(5);
  const std::string whole = Mpo({kGainMap, Picture("")}, true);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 3; ++i)
      damaged[2 + random() % (whole.size() - 2)] = static_cast<char>(random());
    if (round % 3 == 0) damaged.resize(random() % whole.size());
    const std::string found = Describe(damaged);
    EXPECT_LT(found.size(), 60u);
  }
}

}  // namespace
}  // namespace pixpress
