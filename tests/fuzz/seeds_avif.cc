// AVIF that our own encoder does not write: sequences, turned and cut images, all samplings.

#include <cstdlib>

#include "codecs/avif/library.h"
#include "seeds.h"

namespace pixpress {
namespace {

constexpr uint32_t kSide = 40;

void Must(avifResult result) {
  if (result != AVIF_RESULT_OK) std::abort();
}

void FillPlane(uint8_t* plane, size_t stride_bytes, size_t bytes, uint32_t rows, uint32_t frame) {
  for (uint32_t y = 0; y < rows; ++y) {
    for (size_t i = 0; i < bytes; ++i) {
      plane[y * stride_bytes + i] = static_cast<uint8_t>(i < 20 ? i * 5 + y + 9 * frame : i * y);
    }
  }
}

AvifImage Picture(avifPixelFormat format, bool has_alpha, uint32_t frame) {
  AvifImage image(avifImageCreate(kSide, kSide, 8, format));
  Must(avifImageAllocatePlanes(image.get(), has_alpha ? AVIF_PLANES_ALL : AVIF_PLANES_YUV));
  for (int p = 0; p < 3; ++p) {
    if (image->yuvPlanes[p] == nullptr) continue;
    const bool is_coarse = p > 0 && format == AVIF_PIXEL_FORMAT_YUV420;
    FillPlane(image->yuvPlanes[p], image->yuvRowBytes[p], image->yuvRowBytes[p],
              is_coarse ? kSide / 2 : kSide, frame);
  }
  if (has_alpha) FillPlane(image->alphaPlane, image->alphaRowBytes, kSide, kSide, frame);
  return image;
}

AvifEncoder Encoder() {
  AvifEncoder encoder(avifEncoderCreate());
  encoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
  encoder->maxThreads = 1;
  encoder->speed = 9;
  encoder->minQuantizer = 20;
  encoder->maxQuantizer = 40;
  encoder->timescale = 10;
  return encoder;
}

std::vector<uint8_t> Finish(avifEncoder* encoder) {
  AvifBytes bytes;
  Must(avifEncoderFinish(encoder, &bytes.data));
  return std::vector<uint8_t>(bytes.data.data, bytes.data.data + bytes.data.size);
}

std::vector<uint8_t> Still(const avifImage& image) {
  const AvifEncoder encoder = Encoder();
  Must(avifEncoderAddImage(encoder.get(), &image, 1, AVIF_ADD_IMAGE_FLAG_SINGLE));
  return Finish(encoder.get());
}

std::vector<uint8_t> Sequence(bool has_alpha) {
  const AvifEncoder encoder = Encoder();
  for (uint32_t frame = 0; frame < 3; ++frame) {
    const AvifImage image = Picture(AVIF_PIXEL_FORMAT_YUV420, has_alpha, frame);
    Must(avifEncoderAddImage(encoder.get(), image.get(), 1 + frame, AVIF_ADD_IMAGE_FLAG_NONE));
  }
  return Finish(encoder.get());
}

}  // namespace

std::vector<Seed> PlainAvifSeeds() {
  std::vector<Seed> seeds = {{"avif sequence", Sequence(false)},
                             {"avif sequence with alpha", Sequence(true)}};
  for (const avifPixelFormat format : {AVIF_PIXEL_FORMAT_YUV444, AVIF_PIXEL_FORMAT_YUV422,
                                       AVIF_PIXEL_FORMAT_YUV420, AVIF_PIXEL_FORMAT_YUV400}) {
    const AvifImage image = Picture(format, format == AVIF_PIXEL_FORMAT_YUV444, 0);
    seeds.push_back({std::string("avif ") + avifPixelFormatToString(format), Still(*image)});
  }
  const AvifImage image = Picture(AVIF_PIXEL_FORMAT_YUV444, false, 0);
  image->transformFlags = AVIF_TRANSFORM_CLAP | AVIF_TRANSFORM_IROT | AVIF_TRANSFORM_IMIR;
  image->irot.angle = 1;
  // 20 x 30 in the middle.
  image->clap = {20, 1, 30, 1, 0, 1, 0, 1};
  seeds.push_back({"avif cut and turned", Still(*image)});
  return seeds;
}

}  // namespace pixpress
