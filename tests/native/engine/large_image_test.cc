// One large image that all workers help with.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "engine/engine.h"

namespace pixpress {
namespace {

// Some edges, and noise on them.
std::vector<uint8_t> Pixels(const ImageLayout& layout) {
  std::vector<uint8_t> bytes(layout.total_bytes());
  uint32_t state = 12345;
  for (size_t i = 0; i < bytes.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = static_cast<uint8_t>(i / 5000 % 160 + (state >> 27));
  }
  return bytes;
}

// Run alone by an engine with so many workers.
std::vector<uint8_t> OutputOf(const Source& source, const Settings& settings, uint32_t workers) {
  EngineOptions options;
  options.max_workers = options.min_workers = workers;
  const EnginePtr engine = Engine::Create(options).value();
  JobSpec spec;
  spec.source = source;
  spec.settings = std::make_shared<const Settings>(settings);
  const auto job = engine->Submit(std::move(spec), Priority::kNormal, -1).value();
  EXPECT_TRUE(engine->WaitJob(*job, -1));
  EXPECT_EQ(job->state.load(), JobState::kDone) << job->status.message();
  EXPECT_LE(job->result.peak_memory_bytes, job->result.estimated_memory_bytes);
  std::vector<uint8_t> bytes(job->result.data->size_bytes());
  job->result.data->CopyTo(bytes.data());
  return bytes;
}

void ExpectTheSameOnAnyWorkers(const Source& source, const Settings& settings) {
  const std::vector<uint8_t> alone = OutputOf(source, settings, 1);
  for (const uint32_t workers : {2, 4}) {
    EXPECT_TRUE(OutputOf(source, settings, workers) == alone) << workers << " workers";
  }
}

class LargeImage : public testing::TestWithParam<int> {};

TEST_P(LargeImage, IsTheSameFileForAnyNumberOfWorkers) {
  Source pixels;
  pixels.kind = Source::Kind::kPixels;
  pixels.layout = ImageLayout::Interleaved(2203, 1711, ColorModel::kRgb, false);
  pixels.stride_bytes = pixels.layout.row_bytes(0);
  const std::vector<uint8_t> rows = Pixels(pixels.layout);
  pixels.bytes = rows;
  Settings settings;
  settings.format = Format::kJpeg;
  settings.effort = GetParam();
  settings.quality = 95;
  ExpectTheSameOnAnyWorkers(pixels, settings);
  const std::vector<uint8_t> jpeg = OutputOf(pixels, settings, 1);
  Source encoded;
  encoded.kind = Source::Kind::kBytes;
  encoded.bytes = jpeg;
  settings.quality = 70;
  ExpectTheSameOnAnyWorkers(encoded, settings);
  settings.width = 1500;
  ExpectTheSameOnAnyWorkers(encoded, settings);
}

TEST(LargeFile, IsReadAsItIsByAnyNumberOfWorkers) {
  // Some pieces and a bit, of noise that decodes to an image only if each is where it belongs.
  Source pixels;
  pixels.kind = Source::Kind::kPixels;
  pixels.layout = ImageLayout::Interleaved(1300, 1009, ColorModel::kRgb, false);
  pixels.stride_bytes = pixels.layout.row_bytes(0);
  std::vector<uint8_t> rows = Pixels(pixels.layout);
  uint32_t state = 1;
  for (uint8_t& sample : rows) sample = static_cast<uint8_t>((state = state * 1664525u + 7) >> 24);
  pixels.bytes = rows;
  Settings settings;
  settings.format = Format::kPng;
  settings.effort = 1;
  Source file;
  const std::vector<uint8_t> png = OutputOf(pixels, settings, 1);
  ASSERT_GT(png.size(), 3u << 20);
  file.kind = Source::Kind::kFile;
  file.name = testing::TempDir() + "large_image_test.png";
  std::ofstream(file.name, std::ios::binary)
      .write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
  settings.lossless = true;
  settings.effort = 2;
  Source encoded;
  encoded.kind = Source::Kind::kBytes;
  encoded.bytes = png;
  const std::vector<uint8_t> from_bytes = OutputOf(encoded, settings, 1);
  for (const uint32_t workers : {1, 2, 4}) {
    EXPECT_TRUE(OutputOf(file, settings, workers) == from_bytes) << workers << " workers";
  }
  std::remove(file.name.c_str());
}

INSTANTIATE_TEST_SUITE_P(Efforts, LargeImage, testing::Values(2, 5, 7, 9));

}  // namespace
}  // namespace pixpress
