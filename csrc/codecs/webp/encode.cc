#include "codecs/webp/encode.h"

#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/checked_math.h"
#include "codecs/webp/chunks.h"
#include "image/image.h"
#include "kernels/convert.h"

namespace pixpress {
namespace {

// docs/efforts.md has the measurements behind both tables.
int MethodOf(const EncodeOptions& options) {
  if (options.expert.webp_method >= 0) return options.expert.webp_method;
  constexpr std::array<int, 10> kMethods = {0, 2, 2, 4, 4, 5, 6, 6, 6, 6};
  return kMethods[static_cast<size_t>(std::clamp(options.effort, 1, 10) - 1)];
}

// Of lossless images, whose quality is effort too.
struct Search {
  int method;
  int quality;
};
constexpr Search kQuickSearch{.method = 4, .quality = 60};
constexpr Search kWidestSearch{.method = 6, .quality = 100};

Search SearchOf(int effort) {
  constexpr Search kWide{.method = 5, .quality = 100};
  constexpr std::array<Search, 10> kSearches = {Search{0, 10}, {1, 20},      {2, 20}, {4, 50},
                                                kQuickSearch,  kQuickSearch, kWide,   kWide,
                                                kWide,         kWidestSearch};
  return kSearches[static_cast<size_t>(std::clamp(effort, 1, 10) - 1)];
}

// From here on the quick search is tried too, as it wins now and then.
constexpr int kTrialEffort = 7;
// From here on graphics get the widest search: 30 times the work, and up to a third less. It takes
// 10 s for a megapixel and cannot be stopped, so that large images go without.
constexpr int kGraphicEffort = 8;
constexpr uint64_t kMostGraphicPixels = 4'000'000;
// Photographs take 6 to 15 bits for a pixel, and the widest search hardly makes them smaller.
constexpr uint64_t kMostGraphicBits = 4;

// Owns what libwebp allocates for a picture.
class Picture {
 public:
  Picture() { is_valid_ = WebPPictureInit(&picture_) != 0; }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  ~Picture() { WebPPictureFree(&picture_); }
  bool is_valid() const { return is_valid_; }
  WebPPicture* operator->() { return &picture_; }
  WebPPicture* get() { return &picture_; }

 private:
  WebPPicture picture_;
  bool is_valid_;
};

int OnProgress(int percent, const WebPPicture* picture) {
  const auto* context = static_cast<const WorkContext*>(picture->user_data);
  if (context->progress != nullptr) context->progress->Report(Stage::kEncode, percent / 100.0);
  return context->stop.stop_requested() ? 0 : 1;
}

void SetSearch(const Search& search, WebPConfig* config) {
  config->method = search.method;
  config->quality = static_cast<float>(search.quality);
}

bool Configure(const EncodeOptions& options, WebPConfig* config) {
  if (WebPConfigInit(config) == 0) return false;
  config->quality = static_cast<float>(options.quality);
  config->method = MethodOf(options);
  config->alpha_quality = options.alpha_quality;
  config->thread_level = 0;
  config->use_sharp_yuv = options.expert.webp_sharp_yuv == 1 ? 1 : 0;
  if (options.lossless || options.near_lossless < 100) {
    config->lossless = 1;
    SetSearch(SearchOf(options.effort), config);
    if (options.expert.webp_method >= 0) config->method = options.expert.webp_method;
    // libwebp changes no pixel at all where colors below alpha 0 must stay, or with method 0.
    const bool is_near = options.near_lossless < 100;
    config->exact = is_near ? 0 : 1;
    if (is_near) config->method = std::max(config->method, 1);
    config->near_lossless = options.near_lossless;
  }
  return WebPValidateConfig(config) != 0;
}

// Full-range planes into the limited-range ones of the picture.
void CopyPlanes(const Image& image, WebPPicture* picture) {
  const ImageLayout& layout = image.layout();
  for (uint32_t y = 0; y < layout.planes[0].height; ++y) {
    LumaToLimitedRange(image.row(0, y), layout.planes[0].width, y,
                       picture->y + y * picture->y_stride);
  }
  for (uint32_t y = 0; y < layout.planes[1].height; ++y) {
    ChromaToLimitedRange(image.row(1, y), layout.planes[1].width,
                         picture->u + y * picture->uv_stride);
    ChromaToLimitedRange(image.row(2, y), layout.planes[2].width,
                         picture->v + y * picture->uv_stride);
  }
}

Status Fill(const Image& image, bool keeps_rgb, WebPPicture* picture) {
  const Status no_memory(StatusCode::kMemoryLimit, "no memory for libwebp");
  const ImageLayout& layout = image.layout();
  picture->width = static_cast<int>(layout.width);
  picture->height = static_cast<int>(layout.height);
  if (layout.color == ColorModel::kYCbCr) {
    const ImageLayout expected = ImageLayout::Ycbcr(layout.width, layout.height, 2, 2);
    if (layout.planes[1].width != expected.planes[1].width ||
        layout.planes[1].height != expected.planes[1].height) {
      return Status(StatusCode::kInternal, "Expected planes of 4:2:0 for WebP");
    }
    picture->use_argb = 0;
    picture->colorspace = WEBP_YUV420;
    if (WebPPictureAlloc(picture) == 0) return no_memory;
    CopyPlanes(image, picture);
    return Status();
  }
  picture->use_argb = keeps_rgb ? 1 : 0;
  const int stride = static_cast<int>(image.stride_bytes(0));
  const int imported = layout.has_alpha ? WebPPictureImportRGBA(picture, image.row(0, 0), stride)
                                        : WebPPictureImportRGB(picture, image.row(0, 0), stride);
  return imported != 0 ? Status() : no_memory;
}

Status EncodeStatus(const WebPPicture& picture, const WorkContext& context) {
  if (picture.error_code == VP8_ENC_ERROR_USER_ABORT) return context.stop.Poll();
  if (picture.error_code == VP8_ENC_ERROR_PARTITION0_OVERFLOW) {
    return Status(StatusCode::kUnsupportedFormat,
                  "Expected an image whose block modes fit the 512 KiB that WebP has for them");
  }
  const bool no_memory = picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
                         picture.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY;
  return Status(no_memory ? StatusCode::kMemoryLimit : StatusCode::kInternal,
                "libwebp reports error " + std::to_string(picture.error_code));
}

Status Compress(const WebPConfig& config, WebPPicture* picture, const WorkContext& context,
                WebpBytes* out) {
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture->writer = WebPMemoryWrite;
  picture->custom_ptr = &writer;
  const bool is_done = WebPEncode(&config, picture) != 0;
  out->Adopt(writer.mem, writer.size);
  return is_done ? Status() : EncodeStatus(*picture, context);
}

// The modes of all macroblocks have to fit 512 KiB, which finely coded images from 30 megapixels on
// exceed: then again with fewer bits for them, which costs up to some percent of the file, instead
// of failing as libwebp does by default.
Status CompressLossy(WebPConfig config, WebPPicture* picture, const WorkContext& context,
                     WebpBytes* out) {
  struct Attempt {
    int method;
    int partition_limit;
    int segments;
  };
  const int method = std::max(config.method, 2);  // Lower ones heed no limit.
  const std::array<Attempt, 3> attempts = {Attempt{config.method, 0, config.segments},
                                           Attempt{method, 50, config.segments},
                                           Attempt{method, 100, 1}};
  Status status;
  for (const Attempt& attempt : attempts) {
    config.method = attempt.method;
    config.partition_limit = attempt.partition_limit;
    config.segments = attempt.segments;
    status = Compress(config, picture, context, out);
    if (picture->error_code != VP8_ENC_ERROR_PARTITION0_OVERFLOW) break;
  }
  return status;
}

// What the quick search makes of an image says whether it is a graphic.
Status CompressBySearch(WebPConfig config, bool may_be_graphic, WebPPicture* picture,
                        const WorkContext& context, WebpBytes* out) {
  WebPConfig quick = config;
  SetSearch(kQuickSearch, &quick);
  PIXPRESS_RETURN_IF_ERROR(Compress(quick, picture, context, out));
  const uint64_t pixels =
      static_cast<uint64_t>(picture->width) * static_cast<uint64_t>(picture->height);
  const bool is_graphic = may_be_graphic && pixels <= kMostGraphicPixels &&
                          out->bytes().size() * 8 <= pixels * kMostGraphicBits;
  if (is_graphic) SetSearch(kWidestSearch, &config);
  WebpBytes rival;
  PIXPRESS_RETURN_IF_ERROR(Compress(config, picture, context, &rival));
  if (rival.bytes().size() < out->bytes().size()) std::swap(*out, rival);
  return Status();
}

// What lossy libwebp 1.2 and its output take for each pixel at worst, measured with noise, also of
// black and white: it keeps tokens of all coefficients from method 3 on.
uint64_t ColorBytesPerPixel(const EncodeOptions& options) {
  const int quality = options.quality;
  // RGB, and what luma and chroma are made of it by.
  const uint64_t sharp = options.expert.webp_sharp_yuv == 1 ? 20 : 0;
  if (MethodOf(options) < 3) return sharp + (quality <= 80 ? 5 : quality <= 95 ? 6 : 12);
  return sharp + (quality <= 80 ? 20 : quality <= 90 ? 24 : 32);
}

// Alpha is coded as a lossless image of its own before the colors.
uint64_t LibraryBytesPerPixel(const ImageLayout& layout, const EncodeOptions& options) {
  if (options.lossless || options.near_lossless < 100) return 64;
  const uint64_t alpha = !layout.has_alpha ? 0 : MethodOf(options) < 6 ? 44 : 60;
  return std::max(ColorBytesPerPixel(options), alpha);
}

}  // namespace

ImageLayout WebpAcceptedLayout(const ImageLayout& from, const EncodeOptions& options) {
  const bool is_lossless = options.lossless || options.near_lossless < 100;
  if (from.color == ColorModel::kYCbCr && !is_lossless) {
    return ImageLayout::Ycbcr(from.width, from.height, 2, 2);
  }
  return ImageLayout::Interleaved(from.width, from.height, ColorModel::kRgb, from.has_alpha);
}

uint64_t WebpEncodeMemoryBytes(const ImageLayout& layout, const EncodeOptions& options) {
  const uint64_t pixels = SaturatingMul(layout.width, layout.height);
  const uint64_t library = SaturatingMul(pixels, LibraryBytesPerPixel(layout, options));
  return SaturatingAdd(SaturatingAdd(Image::MemoryBytes(layout), library), 8u << 20);
}

WebpBytes& WebpBytes::operator=(WebpBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

WebpBytes::~WebpBytes() { WebPFree(data_); }

void WebpBytes::Adopt(uint8_t* data, size_t size) {
  WebPFree(data_);
  data_ = data;
  size_ = size;
}

Status EncodeWebpImage(Image image, bool is_still, const EncodeOptions& options,
                       const WorkContext& context, WebpBytes* out) {
  WebPConfig config;
  Picture picture;
  if (!picture.is_valid() || !Configure(options, &config)) {
    return Status(StatusCode::kInternal, "libwebp refuses the encoder options");
  }
  PIXPRESS_RETURN_IF_ERROR(
      Fill(image, config.lossless != 0 || config.use_sharp_yuv != 0, picture.get()));
  image = Image();
  picture->progress_hook = OnProgress;
  picture->user_data = const_cast<WorkContext*>(&context);
  if (config.lossless == 0) return CompressLossy(config, picture.get(), context, out);
  if (options.effort < kTrialEffort) return Compress(config, picture.get(), context, out);
  const bool may_be_graphic = is_still && options.effort >= kGraphicEffort;
  return CompressBySearch(config, may_be_graphic, picture.get(), context, out);
}

Status EncodeWebp(RowSource& source, const EncodeOptions& options, const Metadata& metadata,
                  const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Image image, CollectRows(source, context));
  WebpBytes file;
  PIXPRESS_RETURN_IF_ERROR(
      EncodeWebpImage(std::move(image), /*is_still=*/true, options, context, &file));
  return WriteWebp(file.bytes(), metadata, out);
}

}  // namespace pixpress
