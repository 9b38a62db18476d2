// The bare loop that any library on libjpeg-turbo stays below: JPEG to raw planes to JPEG of the
// same sampling, with the standard Huffman tables, on threads.
//
//   libjpeg_loop_bench QUALITY THREADS FILE...
//
// Prints seconds by the clock, seconds of processor time, and bytes made. bench_peers.py runs it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

namespace {

using Image = std::vector<uint8_t>;
constexpr int kMostComponents = 3;
constexpr JDIMENSION kMostRows = 32;

struct Planes {
  std::vector<uint8_t> samples[kMostComponents];
  JSAMPROW rows[kMostComponents][kMostRows];
  JSAMPARRAY arrays[kMostComponents];
};

void OpenInput(const Image& image, jpeg_decompress_struct* in) {
  jpeg_create_decompress(in);
  jpeg_mem_src(in, image.data(), image.size());
  jpeg_read_header(in, TRUE);
  if (in->num_components > kMostComponents) std::exit(1);
  in->raw_data_out = TRUE;
  in->out_color_space = in->jpeg_color_space;
  jpeg_start_decompress(in);
}

void OpenOutput(const jpeg_decompress_struct& in, int quality, jpeg_compress_struct* out,
                Planes* planes) {
  out->image_width = in.image_width;
  out->image_height = in.image_height;
  out->input_components = in.num_components;
  out->in_color_space = in.jpeg_color_space;
  jpeg_set_defaults(out);
  jpeg_set_quality(out, quality, TRUE);
  out->raw_data_in = TRUE;
  for (int c = 0; c < in.num_components; ++c) {
    const jpeg_component_info& from = in.comp_info[c];
    out->comp_info[c].h_samp_factor = from.h_samp_factor;
    out->comp_info[c].v_samp_factor = from.v_samp_factor;
    const size_t stride = (size_t{from.width_in_blocks} + 4) * 8;
    planes->samples[c].resize(stride * kMostRows);
    for (JDIMENSION y = 0; y < kMostRows; ++y) {
      planes->rows[c][y] = planes->samples[c].data() + y * stride;
    }
    planes->arrays[c] = planes->rows[c];
  }
  jpeg_start_compress(out, TRUE);
}

size_t Reencode(const Image& image, int quality) {
  jpeg_decompress_struct in = {};
  jpeg_compress_struct out = {};
  jpeg_error_mgr errors;
  in.err = out.err = jpeg_std_error(&errors);
  Planes planes;
  unsigned char* buffer = nullptr;
  unsigned long size_bytes = 0;
  OpenInput(image, &in);
  jpeg_create_compress(&out);
  jpeg_mem_dest(&out, &buffer, &size_bytes);
  OpenOutput(in, quality, &out, &planes);
  const auto rows = static_cast<JDIMENSION>(in.max_v_samp_factor * 8);
  while (in.output_scanline < in.output_height) {
    jpeg_read_raw_data(&in, planes.arrays, rows);
    jpeg_write_raw_data(&out, planes.arrays, rows);
  }
  jpeg_finish_compress(&out);
  jpeg_destroy_compress(&out);
  jpeg_destroy_decompress(&in);
  std::free(buffer);
  return size_bytes;
}

double ProcessorSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int quality = std::atoi(argv[1]);
  std::vector<Image> images;
  for (int i = 3; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    images.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::atomic<size_t> next = 0, made_bytes = 0;
  const double cpu_start = ProcessorSeconds();
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < images.size(); at = next++) {
        made_bytes += Reencode(images[at], quality);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %.6f %zu\n", wall.count(), ProcessorSeconds() - cpu_start, made_bytes.load());
  return 0;
}
