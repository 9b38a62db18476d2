// How fast is our own JPEG entropy coder next to libjpeg-turbo's? On one thread:
//
//   jpeg_entropy_bench [--rounds N] [--quality Q] FILE...
//
// "coefficients": our decoder into blocks against jpeg_read_coefficients. "re-encode": Transcode
// against decoding to raw planes and encoding them with bare libjpeg-turbo. Medians of interleaved
// rounds, in megapixels per second.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "codecs/jpeg/entropy_decoder.h"
#include "codecs/jpeg/transcode.h"

namespace pixpress {
namespace {

// Of this thread's processor time, which other processes disturb less than the clock's.
double Seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Bench {
  std::string name;
  std::function<size_t()> run;  // Returns the bytes that it made, if any.
  std::vector<double> seconds = {};
  size_t bytes = 0;

  void Round() {
    const double start = Seconds();
    bytes = run();
    seconds.push_back(Seconds() - start);
  }
  double Median() {
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
  }
};

size_t ReadOwnCoefficients(const JpegFrame& frame, Meter& meter) {
  JpegEntropyDecoder decoder;
  if (!decoder.Start(frame, meter).ok()) std::abort();
  std::vector<Buffer> rows;
  JpegBlockTargets blocks = {};
  for (size_t c = 0; c < frame.component_count; ++c) {
    rows.push_back(
        meter.Allocate(size_t{frame.block_columns(c)} * frame.components[c].v * 128).value());
    for (size_t y = 0; y < frame.components[c].v; ++y) {
      blocks[c][y] = rows.back().as<int16_t>() + y * frame.block_columns(c) * 64;
    }
  }
  for (uint32_t row = 0; row < frame.mcu_rows; ++row) {
    if (!decoder.ReadRow(blocks)) std::abort();
  }
  return 0;
}

size_t ReadLibraryCoefficients(Bytes jpeg) {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, jpeg.data(), jpeg.size());
  jpeg_read_header(&info, TRUE);
  jpeg_read_coefficients(&info);
  jpeg_destroy_decompress(&info);
  return 0;
}

// Raw planes from one libjpeg object into another, an MCU row at a time.
class LibraryReencoder {
 public:
  size_t Run(Bytes jpeg, int quality, bool optimizes) {
    Open(jpeg, quality, optimizes);
    const JDIMENSION rows = in_.max_v_samp_factor * 8;
    while (in_.output_scanline < in_.output_height) {
      jpeg_read_raw_data(&in_, arrays_, rows);
      jpeg_write_raw_data(&out_, arrays_, rows);
    }
    jpeg_finish_compress(&out_);
    jpeg_destroy_compress(&out_);
    jpeg_destroy_decompress(&in_);
    std::free(buffer_);
    return size_;
  }

 private:
  void Open(Bytes jpeg, int quality, bool optimizes) {
    in_ = {};
    out_ = {};
    buffer_ = nullptr;
    in_.err = out_.err = jpeg_std_error(&errors_);
    jpeg_create_decompress(&in_);
    jpeg_mem_src(&in_, jpeg.data(), jpeg.size());
    jpeg_read_header(&in_, TRUE);
    in_.raw_data_out = TRUE;
    in_.out_color_space = in_.jpeg_color_space;
    jpeg_start_decompress(&in_);
    jpeg_create_compress(&out_);
    jpeg_mem_dest(&out_, &buffer_, &size_);
    out_.image_width = in_.image_width;
    out_.image_height = in_.image_height;
    out_.input_components = in_.num_components;
    out_.in_color_space = in_.jpeg_color_space;
    jpeg_set_defaults(&out_);
    jpeg_set_quality(&out_, quality, TRUE);
    out_.raw_data_in = TRUE;
    out_.optimize_coding = optimizes ? TRUE : FALSE;
    for (int c = 0; c < in_.num_components; ++c) {
      const jpeg_component_info& from = in_.comp_info[c];
      out_.comp_info[c].h_samp_factor = from.h_samp_factor;
      out_.comp_info[c].v_samp_factor = from.v_samp_factor;
      const size_t stride = (size_t{from.width_in_blocks} + 4) * 8;
      band_[c].resize(stride * 32);
      for (size_t y = 0; y < 32; ++y) rows_[c][y] = band_[c].data() + y * stride;
      arrays_[c] = rows_[c];
    }
    jpeg_start_compress(&out_, TRUE);
  }

  jpeg_decompress_struct in_;
  jpeg_compress_struct out_;
  jpeg_error_mgr errors_;
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
  std::vector<uint8_t> band_[3];
  JSAMPROW rows_[3][32];
  JSAMPARRAY arrays_[3];
};

// With the sampling kept, or to 4:2:0.
size_t Transcode(Bytes jpeg, int quality, int effort, bool keeps, const WorkContext& context) {
  const Limits limits;
  const ImageInfo info = kJpegCodec.probe(jpeg, jpeg.size(), limits).value();
  EncodeOptions options;
  options.quality = quality;
  options.effort = effort;
  if (keeps && info.planar.plane_count == 3) {
    options.chroma_h = info.planar.planes[0].h_samples;
    options.chroma_v = info.planar.planes[0].v_samples;
  }
  ByteChain out(context.meter);
  const auto done = TranscodeJpeg(jpeg, info, options, limits, Metadata(), context, &out);
  if (!done.ok() || !done.value()) std::abort();
  return out.size_bytes();
}

void Measure(const char* path, int rounds, int quality) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> jpeg{std::istreambuf_iterator<char>(file), {}};
  const auto frame = ParseJpegFrame(jpeg);
  if (!frame.ok()) {
    std::printf("%s: %s\n", path, frame.status().message().c_str());
    return;
  }
  BufferPool pool(1 << 30);
  Meter meter(pool);
  SerialParallel parallel;
  const WorkContext context{meter, {}, parallel};
  LibraryReencoder library;
  std::vector<Bench> benches = {
      {"coefficients, libjpeg-turbo", [&] { return ReadLibraryCoefficients(jpeg); }},
      {"coefficients, own", [&] { return ReadOwnCoefficients(frame.value(), meter); }},
      {"re-encode, libjpeg-turbo", [&] { return library.Run(jpeg, quality, false); }},
      {"re-encode, own, effort 1", [&] { return Transcode(jpeg, quality, 1, true, context); }},
      {"re-encode, own, effort 2", [&] { return Transcode(jpeg, quality, 2, true, context); }},
      {"re-encode, own, 4:2:0 out", [&] { return Transcode(jpeg, quality, 2, false, context); }},
  };
  for (int round = 0; round < rounds; ++round) {
    for (Bench& bench : benches) bench.Round();
  }
  const double megapixels = 1e-6 * frame.value().width * frame.value().height;
  std::printf("%s: %.1f MP, %zu bytes, %.2f bits per pixel\n", path, megapixels, jpeg.size(),
              jpeg.size() * 8e-6 / megapixels);
  const double base[] = {benches[0].Median(), benches[2].Median()};
  for (size_t i = 0; i < benches.size(); ++i) {
    const double median = benches[i].Median();
    std::printf("  %-28s %7.1f MP/s  %5.2fx  %9zu bytes\n", benches[i].name.c_str(),
                megapixels / median, base[i >= 2] / median, benches[i].bytes);
  }
}

}  // namespace
}  // namespace pixpress

int main(int argc, char** argv) {
  int rounds = 5, quality = 80, next = 1;
  for (; next + 1 < argc; next += 2) {
    const std::string option = argv[next];
    if (option == "--rounds") {
      rounds = std::atoi(argv[next + 1]);
    } else if (option == "--quality") {
      quality = std::atoi(argv[next + 1]);
    } else {
      break;
    }
  }
  for (; next < argc; ++next) pixpress::Measure(argv[next], rounds, quality);
}
