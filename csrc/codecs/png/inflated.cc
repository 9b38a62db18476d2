#include "codecs/png/inflated.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/png/chunks.h"
#include "codecs/png/numbers.h"

namespace pixpress {
namespace {

// One call inflates all: more of it would keep a job from stopping.
constexpr uint64_t kMostRawBytes = 8u << 20;
constexpr size_t kStoredBytes = 65535;  // Of a block of deflate.
constexpr size_t kTailBytes = 8;        // Adler-32, and the CRC of the chunk.
constexpr size_t kIhdrDepth = 24, kIhdrColorType = 25;

uint64_t RawBytes(const ImageInfo& info, uint32_t bits_per_pixel) {
  return SaturatingMul((uint64_t{info.width} * bits_per_pixel + 7) / 8 + 1, info.height);
}

// Deflate makes no more than this of data that it cannot compress, unless by intent.
uint64_t MostDeflatedBytes(uint64_t raw_bytes) { return raw_bytes + raw_bytes / 8 + 1024; }

// Pixels as stored have no more bits than as decoded.
uint64_t MostRawBytes(const ImageInfo& info) {
  const uint32_t channels = (info.color == ColorModel::kGray ? 1 : 3) + (info.has_alpha ? 1 : 0);
  return RawBytes(info, channels * info.bits);
}

// The parts of a file.
struct Parts {
  Bytes head;  // Up to the image data.
  std::vector<Bytes> data;
  uint64_t data_bytes = 0;
  Bytes tail;
};

// False if the chunks are damaged or there is no image data.
bool FindParts(Bytes encoded, Parts* parts) {
  PngChunkReader reader(encoded, /*checks_data=*/true);
  for (size_t begin = reader.position();; begin = reader.position()) {
    PngChunk chunk;
    const auto step = reader.Next(&chunk);
    if (!step.ok() || step.value() != PngChunkReader::Step::kChunk) return false;
    if (chunk.type == "IDAT") {
      if (parts->data.empty()) parts->head = encoded.first(begin);
      parts->data.push_back(chunk.data);
      parts->data_bytes += chunk.data.size();
    } else if (!parts->data.empty()) {
      parts->tail = encoded.subspan(begin);
      return true;
    }
  }
}

class InflatedInput final : public PngInput {
 public:
  InflatedInput(const Parts& parts, Buffer raw, size_t raw_bytes)
      : head_(parts.head), tail_(parts.tail), raw_(std::move(raw)), raw_bytes_(raw_bytes) {
    part_ = head_;
  }

  bool has_checked_data() const override { return true; }

  bool Read(uint8_t* out, size_t count) override {
    while (count > 0) {
      if (part_.empty() && !NextPart()) return false;
      const size_t bytes = std::min(count, part_.size());
      std::memcpy(out, part_.data(), bytes);
      part_ = part_.subspan(bytes);
      out += bytes;
      count -= bytes;
    }
    return true;
  }

 private:
  enum class Place : uint8_t { kFrame, kBlock, kChunkEnd, kTail };

  // A chunk is what frames it, a block of raw bytes, and its end.
  bool NextPart() {
    switch (place_) {
      case Place::kFrame:
        part_ = Frame();
        place_ = Place::kBlock;
        return true;
      case Place::kBlock:
        part_ = Bytes(raw_.data() + given_, block_bytes_);
        given_ += block_bytes_;
        place_ = Place::kChunkEnd;
        return true;
      case Place::kChunkEnd:
        part_ = ChunkEnd();
        place_ = given_ < raw_bytes_ ? Place::kFrame : Place::kTail;
        return true;
      case Place::kTail:
        part_ = std::exchange(tail_, {});
        return !part_.empty();
    }
    return false;
  }

  bool is_last_block() const { return given_ + block_bytes_ == raw_bytes_; }

  Bytes Frame() {
    block_bytes_ = std::min(kStoredBytes, raw_bytes_ - given_);
    uint8_t* at = frame_.data() + 8;
    if (given_ == 0) {
      *at++ = 0x78;  // Deflate, a window of 32 KiB, no dictionary.
      *at++ = 0x01;
    }
    *at++ = is_last_block() ? 1 : 0;
    for (const size_t size : {block_bytes_, block_bytes_ ^ kStoredBytes}) {
      *at++ = static_cast<uint8_t>(size);
      *at++ = static_cast<uint8_t>(size >> 8);
    }
    const auto bytes = static_cast<size_t>(at - frame_.data());
    const size_t adler_bytes = is_last_block() ? 4 : 0;
    StorePng32(static_cast<uint32_t>(bytes - 8 + block_bytes_ + adler_bytes), frame_.data());
    std::memcpy(frame_.data() + 4, "IDAT", 4);
    return Bytes(frame_).first(bytes);
  }

  // Nobody looks at the CRC.
  Bytes ChunkEnd() {
    frame_.fill(0);
    if (given_ < raw_bytes_) return Bytes(frame_).first(4);
    StorePng32(libdeflate_adler32(1, raw_.data(), raw_bytes_), frame_.data());
    return Bytes(frame_).first(kTailBytes);
  }

  const Bytes head_;
  Bytes tail_;
  const Buffer raw_;
  const size_t raw_bytes_;
  size_t given_ = 0;
  size_t block_bytes_ = 0;
  std::array<uint8_t, 16> frame_ = {};
  Place place_ = Place::kFrame;
  Bytes part_;  // What is left of it.
};

struct FreeInflater {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

// False if `data` is not a zlib stream of just `raw_bytes`.
bool Inflate(Bytes data, size_t raw_bytes, uint8_t* raw) {
  const std::unique_ptr<libdeflate_decompressor, FreeInflater> inflater(
      libdeflate_alloc_decompressor());
  return inflater != nullptr &&
         libdeflate_zlib_decompress(inflater.get(), data.data(), data.size(), raw, raw_bytes,
                                    nullptr) == LIBDEFLATE_SUCCESS;
}

}  // namespace

uint64_t InflatedPngMemoryBytes(const ImageInfo& info) {
  const uint64_t raw = MostRawBytes(info);
  if (info.is_progressive || raw > kMostRawBytes) return 0;
  const uint64_t bytes = BufferPool::CapacityFor(static_cast<size_t>(raw)) +
                         BufferPool::CapacityFor(static_cast<size_t>(MostDeflatedBytes(raw)));
  constexpr uint64_t kLibraryBytes = 16u << 10;
  return bytes + kLibraryBytes;
}

Result<std::unique_ptr<PngInput>> MakeInflatedPngInput(Bytes encoded, const ImageInfo& info,
                                                       const WorkContext& context) {
  std::unique_ptr<PngInput> none;
  Parts parts;
  if (InflatedPngMemoryBytes(info) == 0 || !FindParts(encoded, &parts)) return none;
  if (parts.head.size() <= kIhdrColorType) return none;
  constexpr std::array<uint8_t, 7> kChannels = {1, 0, 3, 1, 2, 0, 4};
  const size_t color_type = std::min<size_t>(parts.head[kIhdrColorType], kChannels.size() - 1);
  const uint64_t raw_bytes = RawBytes(info, kChannels[color_type] * parts.head[kIhdrDepth]);
  if (raw_bytes > MostRawBytes(info) || parts.data_bytes > MostDeflatedBytes(raw_bytes)) {
    return none;
  }
  PIXPRESS_ASSIGN_OR_RETURN(Buffer raw, context.meter.Allocate(static_cast<size_t>(raw_bytes)));
  Buffer joined;
  Bytes data = parts.data.front();
  if (parts.data.size() > 1) {
    PIXPRESS_ASSIGN_OR_RETURN(joined,
                              context.meter.Allocate(static_cast<size_t>(parts.data_bytes)));
    uint8_t* at = joined.data();
    for (const Bytes each : parts.data) at = std::copy(each.begin(), each.end(), at);
    data = joined.span();
  }
  PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
  if (!Inflate(data, static_cast<size_t>(raw_bytes), raw.data())) return none;
  return std::unique_ptr<PngInput>(
      std::make_unique<InflatedInput>(parts, std::move(raw), static_cast<size_t>(raw_bytes)));
}

}  // namespace pixpress
