#include "codecs/png/decode.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <utility>

#include "base/checked_math.h"
#include "codecs/png/chunks.h"
#include "codecs/png/frames.h"
#include "codecs/png/inflated.h"
#include "image/image.h"

namespace pixpress {
namespace {

constexpr uint32_t kMostStripeRows = 16;
constexpr size_t kStripeBytes = 1u << 20;  // At most, unless one row has more.
// Rows of an interlaced pass between two looks at the stop token.
constexpr uint32_t kPollRows = 64;
constexpr uint64_t kLibraryBytes = 512 * 1024;

// Every function below that calls setjmp has only trivial locals, and between it and the longjmp
// there are only C frames and callbacks without destructors.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  PngInput* input = nullptr;  // Not owned.
  bool is_gray = false;       // What is to come out.
  char message[256] = {};
  std::jmp_buf landing;

  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void OnError(png_structp png, png_const_charp message) {
  auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::strncpy(reader->message, message, sizeof(reader->message) - 1);
  std::longjmp(reader->landing, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (!reader->input->Read(out, count)) png_error(png, "the file is truncated");
}

// A file in memory.
class WholeInput final : public PngInput {
 public:
  explicit WholeInput(Bytes rest) : rest_(rest) {}
  bool Read(uint8_t* out, size_t count) override {
    if (count > rest_.size()) return false;
    std::memcpy(out, rest_.data(), count);
    rest_ = rest_.subspan(count);
    return true;
  }

 private:
  Bytes rest_;
};

bool Start(PngReader* reader, const Limits* limits) {
  if (setjmp(reader->landing) != 0) return false;
  reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, OnError, OnWarning);
  if (reader->png == nullptr) return false;
  reader->info = png_create_info_struct(reader->png);
  if (reader->info == nullptr) return false;
  png_set_read_fn(reader->png, reader, ReadBytes);
  png_set_user_limits(reader->png, 0x7fffffff, 0x7fffffff);
  png_set_chunk_malloc_max(reader->png, limits->max_metadata_bytes);
  png_set_chunk_cache_max(reader->png, 128);
  png_set_crc_action(reader->png,
                     reader->input->has_checked_data() ? PNG_CRC_QUIET_USE : PNG_CRC_ERROR_QUIT,
                     PNG_CRC_WARN_DISCARD);
  // Only what decides about pixels is parsed here: metadata has a reader of its own, and chunks
  // that are not parsed inflate nothing.
  png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(reader->png, reader->info);
  png_set_expand(reader->png);
  if (reader->is_gray && png_get_color_type(reader->png, reader->info) == PNG_COLOR_TYPE_PALETTE) {
    png_set_rgb_to_gray_fixed(reader->png, PNG_ERROR_ACTION_NONE, -1, -1);
  }
  if constexpr (std::endian::native == std::endian::little) png_set_swap(reader->png);
  png_set_interlace_handling(reader->png);
  png_read_update_info(reader->png, reader->info);
  return true;
}

bool ReadRows(PngReader* reader, png_bytepp rows, uint32_t count) {
  if (setjmp(reader->landing) != 0) return false;
  png_read_rows(reader->png, rows, nullptr, count);
  return true;
}

bool ReadRow(PngReader* reader, uint8_t* row) {
  if (setjmp(reader->landing) != 0) return false;
  png_read_row(reader->png, row, nullptr);
  return true;
}

// What no pass has given yet is filled with the pixels beside it.
bool ReadCoarseRow(PngReader* reader, uint8_t* row) {
  if (setjmp(reader->landing) != 0) return false;
  png_read_row(reader->png, nullptr, row);
  return true;
}

bool Finish(PngReader* reader) {
  if (setjmp(reader->landing) != 0) return false;
  png_read_end(reader->png, nullptr);
  return true;
}

uint32_t StripeRows(const ImageLayout& layout) {
  const size_t fitting = kStripeBytes / std::max<size_t>(layout.row_bytes(0), 1);
  return std::clamp<uint32_t>(static_cast<uint32_t>(fitting), 1,
                              std::min(kMostStripeRows, layout.height));
}

class PngSource final : public RowSource {
 public:
  PngSource(const WorkContext& context, ImageLayout layout, std::unique_ptr<PngInput> input)
      : stop_(context.stop),
        salvage_(context.salvage),
        layout_(std::move(layout)),
        input_(std::move(input)) {}

  Status Init(bool is_interlaced, const Limits& limits, const WorkContext& context) {
    reader_.input = input_.get();
    reader_.is_gray = layout_.color == ColorModel::kGray;
    if (!Start(&reader_, &limits)) return Error();
    if (png_get_rowbytes(reader_.png, reader_.info) != layout_.row_bytes(0)) {
      return Status(StatusCode::kCorruptImage, "the rows are not of the kind that the header says");
    }
    stride_bytes_ = layout_.row_bytes(0);
    if (is_interlaced) return ReadInterlaced(context);
    PIXPRESS_ASSIGN_OR_RETURN(buffer_, context.meter.Allocate(stride_bytes_ * StripeRows(layout_)));
    return Status();
  }

  const ImageLayout& layout() const override { return layout_; }

  Status Next(Stripe* stripe) override {
    if (whole_ != nullptr) return whole_->Next(stripe);
    PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
    const uint32_t rows = std::min(StripeRows(layout_), layout_.height - next_row_);
    std::array<png_bytep, kMostStripeRows> lines;
    for (uint32_t y = 0; y < rows; ++y) lines[y] = buffer_.data() + y * stride_bytes_;
    if (salvage_ != nullptr) {
      PIXPRESS_RETURN_IF_ERROR(SalvageRows(lines.data(), rows));
    } else if (!ReadRows(&reader_, lines.data(), rows)) {
      return Error();
    }
    *stripe = Stripe();
    stripe->planes[0] = {buffer_.data(), stride_bytes_, next_row_, rows};
    next_row_ += rows;
    if (next_row_ == layout_.height && salvage_ == nullptr && !Finish(&reader_)) return Error();
    return Status();
  }

 private:
  Status Error() const {
    return Status(StatusCode::kCorruptImage,
                  reader_.message[0] != 0 ? reader_.message : "libpng could not start");
  }

  // What is not there becomes zeros: transparent, or black where there is no alpha.
  Status SalvageRows(const png_bytep* lines, uint32_t rows) {
    uint32_t y = 0;
    while (y < rows && !has_ended_ && ReadRow(&reader_, lines[y])) ++y;
    if (next_row_ + y == 0) return Error();
    if (!has_ended_ && (y < rows || next_row_ + rows == layout_.height)) {
      has_ended_ = true;
      salvage_->Note(next_row_ + y, layout_.height, "rows");
    }
    for (; y < rows; ++y) std::memset(lines[y], 0, stride_bytes_);
    return Status();
  }

  // Seven passes over the whole image.
  Status ReadInterlaced(const WorkContext& context) {
    PIXPRESS_ASSIGN_OR_RETURN(Image image, Image::Create(layout_, context.meter));
    for (uint32_t y = 0; y < layout_.height; ++y) {
      std::memset(image.row(0, y), 0, layout_.row_bytes(0));
    }
    constexpr int kPasses = 7;
    int passes = kPasses;  // That are whole.
    for (int pass = 0; pass < kPasses; ++pass) {
      for (uint32_t y = 0; y < layout_.height; ++y) {
        if (y % kPollRows == 0) PIXPRESS_RETURN_IF_ERROR(stop_.Poll());
        const bool is_read = salvage_ == nullptr ? ReadRow(&reader_, image.row(0, y))
                                                 : ReadCoarseRow(&reader_, image.row(0, y));
        if (is_read) continue;
        if (salvage_ == nullptr || (pass == 0 && y == 0)) return Error();
        passes = pass;
        pass = kPasses;
        break;
      }
    }
    if (salvage_ != nullptr) {
      salvage_->Note(static_cast<uint32_t>(passes), kPasses, "passes");
    } else if (!Finish(&reader_)) {
      return Error();
    }
    whole_ = MakeImageSource(std::move(image), stop_);
    return Status();
  }

  const StopToken stop_;
  Salvage* const salvage_;
  const ImageLayout layout_;
  const std::unique_ptr<PngInput> input_;
  PngReader reader_;
  Buffer buffer_;
  size_t stride_bytes_ = 0;
  uint32_t next_row_ = 0;
  bool has_ended_ = false;            // Nothing more can be decoded.
  std::unique_ptr<RowSource> whole_;  // Of interlaced images.
};

}  // namespace

ImageLayout PngDecodedLayout(const ImageInfo& info, const DecodeOptions&) {
  return ImageLayout::Interleaved(info.width, info.height, info.color, info.has_alpha, info.bits);
}

uint64_t PngDecodeMemoryBytes(const ImageInfo& info, const DecodeOptions& options) {
  const ImageLayout layout = PngDecodedLayout(info, options);
  // libpng has two rows of its own, and each row grows with its expansion.
  const uint64_t rows = uint64_t{layout.row_bytes(0)} * (StripeRows(layout) + 3);
  const uint64_t whole = info.is_progressive ? Image::MemoryBytes(layout) : 0;
  return SaturatingAdd(kLibraryBytes + rows + rows / 4 + InflatedPngMemoryBytes(info), whole);
}

Result<std::unique_ptr<RowSource>> DecodePng(Bytes encoded, const ImageInfo& info,
                                             const DecodeOptions&, const Limits& limits,
                                             const WorkContext& context) {
  if (context.salvage != nullptr) {
    PIXPRESS_ASSIGN_OR_RETURN(auto input, MakeDamagedPngInput(encoded));
    return DecodePngInput(std::move(input), info, limits, context);
  }
  PIXPRESS_RETURN_IF_ERROR(CheckPngChunks(encoded, context.stop));
  PIXPRESS_ASSIGN_OR_RETURN(auto inflated, MakeInflatedPngInput(encoded, info, context));
  if (inflated != nullptr) return DecodePngInput(std::move(inflated), info, limits, context);
  return DecodePngInput(std::make_unique<WholeInput>(encoded), info, limits, context);
}

Result<std::unique_ptr<RowSource>> DecodePngInput(std::unique_ptr<PngInput> input,
                                                  const ImageInfo& info, const Limits& limits,
                                                  const WorkContext& context) {
  auto source = std::make_unique<PngSource>(context, PngDecodedLayout(info, {}), std::move(input));
  PIXPRESS_RETURN_IF_ERROR(source->Init(info.is_progressive, limits, context));
  return std::unique_ptr<RowSource>(std::move(source));
}

}  // namespace pixpress
