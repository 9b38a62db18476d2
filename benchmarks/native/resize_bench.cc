// How many source megapixels per second one thread resizes: the kernel alone, plane in memory.
// `resize_bench RGB` runs only the cases whose name contains RGB.

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/resize.h"
#include "memory/buffer.h"
#include "memory/meter.h"

namespace {

constexpr uint32_t kWidth = 4000;
constexpr uint32_t kHeight = 3000;
constexpr int kRounds = 7;

struct Case {
  const char* name;
  uint32_t out_width, out_height;
  pixpress::ResizeOptions options;
  bool has_chroma = false;  // Two more planes of half the width and height.
};

// The plane's resizer stays in `resizer`, where there may be that of the plane before it.
bool ResizePlane(const Case& what, uint32_t part, const std::vector<uint8_t>& plane,
                 pixpress::Meter& meter, std::unique_ptr<pixpress::PlaneResizer>* resizer) {
  const uint32_t width = kWidth / part, height = kHeight / part;
  const uint32_t out_width = what.out_width / part, out_height = what.out_height / part;
  const size_t pixel_bytes = what.options.channels * (what.options.bits / 8u);
  const size_t row_bytes = width * pixel_bytes;
  std::vector<uint8_t> out(out_width * pixel_bytes);
  auto created = pixpress::PlaneResizer::Create(pixpress::ResizeAxis::Whole(width, out_width),
                                                pixpress::ResizeAxis::Whole(height, out_height),
                                                what.options, meter, resizer->get());
  if (!created.ok()) return false;
  *resizer = std::move(created).value();
  for (uint32_t y = 0; y < height; ++y) {
    (*resizer)->PushRow(plane.data() + y * row_bytes, y + 1 < height);
    while ((*resizer)->row_ready()) (*resizer)->PopRow(out.data());
  }
  return true;
}

// Seconds of CPU for all planes, or a negative number if the kernel refused.
double Pass(const Case& what, const std::vector<uint8_t>& plane, pixpress::Meter& meter) {
  const std::clock_t start = std::clock();
  std::unique_ptr<pixpress::PlaneResizer> resizer;
  if (!ResizePlane(what, 1, plane, meter, &resizer)) return -1;
  for (int i = 0; i < (what.has_chroma ? 2 : 0); ++i) {
    if (!ResizePlane(what, 2, plane, meter, &resizer)) return -1;
  }
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

int main(int argc, char** argv) {
  using pixpress::Filter;
  const std::array<Case, 9> cases = {{
      {"lanczos, 8 bit gray, to 1600", 1600, 1200, {.filter = Filter::kLanczos}},
      {"lanczos, 8 bit gray, to 256", 256, 192, {.filter = Filter::kLanczos}},
      {"bicubic, 8 bit gray, to 1600", 1600, 1200, {.filter = Filter::kBicubic}},
      {"box, 8 bit gray, to 1600", 1600, 1200, {.filter = Filter::kBox}},
      {"lanczos, 8 bit RGB, to 1600", 1600, 1200, {.filter = Filter::kLanczos, .channels = 3}},
      {"lanczos, 8 bit RGB, to 1000", 1000, 750, {.filter = Filter::kLanczos, .channels = 3}},
      {"lanczos, 4:2:0 YCbCr, to 1000", 1000, 750, {.filter = Filter::kLanczos}, true},
      {"lanczos, 16 bit gray, to 1600", 1600, 1200, {.filter = Filter::kLanczos, .bits = 16}},
      {"lanczos, 8 bit RGBA, to 1600",
       1600,
       1200,
       {.filter = Filter::kLanczos, .channels = 4, .has_alpha = true}},
  }};
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  pixpress::BufferPool buffers(size_t{1} << 30);
  pixpress::Meter meter(buffers);
  std::vector<uint8_t> plane(size_t{kWidth} * kHeight * 4);
  uint32_t state = 1;
  for (uint8_t& sample : plane) {
    state = state * 1664525 + 1013904223;
    sample = static_cast<uint8_t>(state >> 24);
  }
  std::array<std::vector<double>, cases.size()> seconds;
  for (int round = 0; round < kRounds; ++round) {  // In turns, as the Python benchmarks.
    for (size_t i = 0; i < cases.size(); ++i) {
      if (std::string_view(cases[i].name).find(wanted) == std::string_view::npos) continue;
      seconds[i].push_back(Pass(cases[i], plane, meter));
      if (seconds[i].back() < 0) return 1;
    }
  }
  for (size_t i = 0; i < cases.size(); ++i) {
    if (seconds[i].empty()) continue;
    std::nth_element(seconds[i].begin(), seconds[i].begin() + kRounds / 2, seconds[i].end());
    std::printf("resize, %-30s %7.0f MP/s\n", cases[i].name,
                1e-6 * kWidth * kHeight / seconds[i][kRounds / 2]);
  }
}
