// How fast are the planes of JPEG images by our own entropy decoder next to libjpeg-turbo's? On one
// thread, at every scale:
//
//   jpeg_planes_bench [--rounds N] FILE...
//
// Medians of interleaved rounds, in megapixels of the whole image per second.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "codecs/jpeg/decode.h"
#include "codecs/jpeg/plane_source.h"

namespace pixpress {
namespace {

// Of this thread's processor time, which other processes disturb less than the clock's.
double Seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Image {
  std::vector<uint8_t> file;
  ImageInfo info;
};

void ReadAll(RowSource& source) {
  const ImageLayout& layout = source.layout();
  uint32_t rows[3] = {};
  for (bool has_more = true; has_more;) {
    Stripe stripe;
    if (!source.Next(&stripe).ok()) std::abort();
    has_more = false;
    for (size_t p = 0; p < layout.plane_count; ++p) {
      rows[p] += stripe.planes[p].rows;
      has_more |= rows[p] < layout.planes[p].height;
    }
  }
}

double SecondsOf(const Image& image, uint8_t scale, bool is_own, const WorkContext& context) {
  const DecodeOptions options{.planar = true, .scale_denominator = scale};
  const double start = Seconds();
  if (is_own) {
    JpegPlaneSource source(image.info, options, context);
    if (!source.Start(image.file).value()) std::abort();
    ReadAll(source);
  } else {
    ReadAll(*DecodeJpegByLibrary(image.file, image.info, options, context).value());
  }
  return Seconds() - start;
}

double Median(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

void Run(const std::vector<Image>& images, int rounds) {
  BufferPool pool(1 << 28);
  Meter meter(pool);
  SerialParallel parallel;
  const WorkContext context{meter, {}, parallel};
  double pixels = 0;
  for (const Image& image : images) pixels += double{1} * image.info.width * image.info.height;
  for (const uint8_t scale : {1, 2, 4, 8}) {
    double own = 0, library = 0;
    for (const Image& image : images) {
      std::vector<double> own_rounds, library_rounds;
      for (int round = 0; round < rounds; ++round) {
        own_rounds.push_back(SecondsOf(image, scale, true, context));
        library_rounds.push_back(SecondsOf(image, scale, false, context));
      }
      own += Median(own_rounds);
      library += Median(library_rounds);
    }
    std::printf("1/%d  own %7.1f MP/s  libjpeg %7.1f MP/s  %.2fx\n", scale, pixels / own * 1e-6,
                pixels / library * 1e-6, library / own);
  }
}

int Main(int count, char** arguments) {
  int rounds = 5;
  std::vector<Image> images;
  for (int i = 1; i < count; ++i) {
    if (std::string(arguments[i]) == "--rounds" && i + 1 < count) {
      rounds = std::atoi(arguments[++i]);
      continue;
    }
    std::ifstream in(arguments[i], std::ios::binary);
    Image image{{std::istreambuf_iterator<char>(in), {}}, {}};
    Result<ImageInfo> info = ProbeJpeg(image.file, image.file.size(), Limits());
    if (!info.ok() || info.value().planar.plane_count == 0 || info.value().is_progressive) {
      std::printf("left out: %s\n", arguments[i]);
      continue;
    }
    image.info = std::move(info).value();
    images.push_back(std::move(image));
  }
  if (images.empty() || rounds < 1) {
    std::fprintf(stderr, "usage: jpeg_planes_bench [--rounds N] FILE...\n");
    return 2;
  }
  Run(images, rounds);
  return 0;
}

}  // namespace
}  // namespace pixpress

int main(int count, char** arguments) { return pixpress::Main(count, arguments); }
