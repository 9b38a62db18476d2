// JPEG of every kind that libjpeg writes, and one with a second picture.

#include <utility>

#include "codecs/jpeg/plain_jpeg.h"
#include "seeds.h"

namespace pixpress {
namespace {

// A JPEG after which another one follows, with the index (MPF) that says so.
std::vector<uint8_t> WithSecondPicture(const std::vector<uint8_t>& picture) {
  std::vector<uint8_t> index = {'M',  'P', 'F', 0,  'I', 'I', '*', 0,  8, 0, 0, 0, 1, 0, 0x02,
                                0xB0, 7,   0,   32, 0,   0,   0,   26, 0, 0, 0, 0, 0, 0, 0};
  index.resize(index.size() + 32);           // Two entries of attribute, size, place and two more.
  constexpr size_t kBlockPlace = 2 + 4 + 4;  // From where places are counted.
  constexpr size_t kSecondEntry = 30 + 16;
  const size_t first_bytes = picture.size() + 4 + index.size();
  for (size_t i = 0; i < 4; ++i) {
    index[kSecondEntry + 4 + i] = static_cast<uint8_t>(picture.size() >> 8 * i);
    index[kSecondEntry + 8 + i] = static_cast<uint8_t>((first_bytes - kBlockPlace) >> 8 * i);
  }
  std::vector<uint8_t> file = WithSegment(picture, 0xE2, index);
  file.insert(file.end(), picture.begin(), picture.end());
  return file;
}

JpegRecipe Small(std::array<Sampling, 4> sampling) {
  JpegRecipe recipe;
  recipe.width = 45;
  recipe.height = 33;
  recipe.quality = 70;
  recipe.noise = 20;
  recipe.sampling = sampling;
  return recipe;
}

}  // namespace

std::vector<Seed> PlainJpegSeeds() {
  const std::vector<std::pair<std::string, std::array<Sampling, 4>>> samplings = {
      {"4:4:4", {}},         {"4:2:2", {{{2, 1}}}},
      {"4:2:0", {{{2, 2}}}}, {"4:4:0", {{{1, 2}}}},
      {"4:1:1", {{{4, 1}}}}, {"fine chroma", {{{1, 1}, {2, 2}, {1, 2}}}},
      {"3:1:1", {{{3, 1}}}}, {"uneven chroma", {{{2, 2}, {1, 2}, {2, 1}}}},
  };
  std::vector<Seed> seeds;
  const auto add = [&](const std::string& name, const JpegRecipe& recipe) {
    seeds.push_back({"jpeg " + name, MakeJpeg(recipe)});
  };
  for (const auto& [name, sampling] : samplings) {
    JpegRecipe recipe = Small(sampling);
    add(name, recipe);
    recipe.is_progressive = true;
    recipe.restart_interval = 2;
    add("progressive " + name, recipe);
  }
  for (const auto& [name, space] : {std::pair{"gray", JCS_GRAYSCALE}, std::pair{"RGB", JCS_RGB},
                                    std::pair{"CMYK", JCS_CMYK}, std::pair{"YCCK", JCS_YCCK}}) {
    JpegRecipe recipe = Small({});
    recipe.stored = space;
    add(name, recipe);
    recipe.is_progressive = true;
    add(std::string("progressive ") + name, recipe);
  }
  JpegRecipe recipe = Small({{{2, 2}}});
  recipe.restart_interval = 1;
  recipe.is_optimized = true;
  add("restart markers", recipe);
  recipe.is_optimized = false;
  recipe.is_arithmetic = true;
  add("arithmetic", recipe);
  recipe.is_progressive = true;
  add("progressive arithmetic", recipe);
  seeds.push_back({"jpeg with a second picture", WithSecondPicture(MakeJpeg(Small({})))});
  return seeds;
}

}  // namespace pixpress
