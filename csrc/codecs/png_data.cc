#include "codecs/png_data.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/deflate_block.h"
#include "codecs/png_chunks.h"
#include "codecs/png_numbers.h"

namespace pixpress {
namespace {

// Small enough that zlib's best level takes about 50 ms for one, so that a job stops soon; large
// enough that the flush between two costs nothing.
constexpr size_t kBlockBytes = 512u << 10;
// Blocks in memory at a time, and so the most threads that help.
constexpr size_t kMostSlots = 16;
constexpr size_t kWaveBytes = kMostSlots * kBlockBytes;
// Up to here one call of libdeflate takes no longer than a job may take to stop at most levels.
constexpr size_t kWholeBytes = 4u << 20;
constexpr size_t kDictionaryBytes = 32u << 10;
constexpr size_t kZlibHeadBytes = 2;
constexpr size_t kZlibTailBytes = 4;
constexpr size_t kIdatBytes = 256u << 10;
// libdeflate's best levels take 9 MiB, zlib 268 KiB, libdeflate's fast levels less than 1 MiB.
constexpr uint64_t kWholeLibraryBytes = 10u << 20;
constexpr uint64_t kSlotLibraryBytes = 1u << 20;
// From here on a trial with Huffman codes alone is worth its time: noise has no repeats.
constexpr int kHuffmanEffort = 5;

int WholeLevel(int effort) {
  constexpr std::array<int, 10> kLevels = {1, 3, 5, 6, 8, 9, 10, 11, 12, 12};
  return kLevels[static_cast<size_t>(std::clamp(effort, 1, 10) - 1)];
}

int BlockLevel(int effort) {
  constexpr std::array<int, 10> kLevels = {1, 3, 5, 6, 6, 7, 8, 9, 9, 9};
  return kLevels[static_cast<size_t>(std::clamp(effort, 1, 10) - 1)];
}

// Levels of libdeflate at which filters are compared.
int TrialLevel(int effort) { return effort < 7 ? 1 : 5; }

// How the rows are cut; the same for every run.
struct Cut {
  Cut(const PngRowFormat& format, uint32_t rows)
      : total_bytes(SaturatingMul(format.line_bytes(), rows)),
        block_rows(static_cast<uint32_t>(
            std::clamp<size_t>(kBlockBytes / format.line_bytes(), 1, std::max(rows, 1u)))),
        block_bytes(block_rows * format.line_bytes()),
        blocks(DivideRoundingUp(rows, block_rows)),
        slots(
            std::min<size_t>(blocks, std::clamp<size_t>(kWaveBytes / block_bytes, 1, kMostSlots))),
        is_whole(total_bytes <= kWholeBytes && blocks <= slots) {}

  uint64_t total_bytes;
  uint32_t block_rows;
  size_t block_bytes;
  size_t blocks;
  size_t slots;
  bool is_whole;
};

struct FreeDeflater {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};
using Deflater = std::unique_ptr<libdeflate_compressor, FreeDeflater>;

Result<Deflater> MakeDeflater(int level) {
  Deflater deflater(libdeflate_alloc_compressor(level));
  if (deflater == nullptr) return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  return deflater;
}

Status AppendIdat(Bytes stream, ByteChain* out) {
  for (size_t at = 0; at < stream.size(); at += kIdatBytes) {
    const size_t bytes = std::min(kIdatBytes, stream.size() - at);
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "IDAT", stream.subspan(at, bytes)));
  }
  return Status();
}

Status AppendStream(Bytes stream, ByteChain* out) { return out->Append(stream); }

// The place of one block that is worked on.
struct Slot {
  Deflater trial;  // Null with one filter to try.
  Buffer scratch;
  Buffer rival;   // Filtered rows, or a rival stream.
  Buffer stream;  // The deflated block, and what frames it.
  size_t stream_bytes = 0;
};

class DataWriter {
 public:
  // Appends pieces of the zlib stream.
  using Append = Status (*)(Bytes stream, ByteChain* out);

  DataWriter(const Image& image, const PngRowFormat& format, int effort, const WorkContext& context,
             Append append, ByteChain* out)
      : image_(image),
        format_(format),
        effort_(effort),
        context_(context),
        append_(append),
        out_(out),
        cut_(format, image.layout().height),
        filters_(PngFiltersToTry(format, effort)),
        slots_(cut_.slots) {}

  Status Init() {
    Meter& meter = context_.meter;
    PIXPRESS_ASSIGN_OR_RETURN(filtered_,
                              meter.Allocate(kDictionaryBytes + cut_.slots * cut_.block_bytes));
    for (Slot& slot : slots_) {
      PIXPRESS_ASSIGN_OR_RETURN(slot.scratch, meter.Allocate(PngFilterScratchBytes(format_)));
      const size_t bound = DeflateBlockBound(cut_.block_bytes) + kZlibHeadBytes + kZlibTailBytes;
      PIXPRESS_ASSIGN_OR_RETURN(slot.rival, meter.Allocate(bound));
      PIXPRESS_ASSIGN_OR_RETURN(slot.stream, meter.Allocate(bound));
      if (filters_.size() == 1) continue;
      PIXPRESS_ASSIGN_OR_RETURN(slot.trial, MakeDeflater(TrialLevel(effort_)));
    }
    return Status();
  }

  Status Run() {
    for (size_t first = 0; first < cut_.blocks; first += cut_.slots) {
      const size_t count = std::min(cut_.slots, cut_.blocks - first);
      PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(
          count, [&](size_t i) { return FilterBlock(first + i, &slots_[i], BlockAt(first, i)); }));
      PIXPRESS_RETURN_IF_ERROR(cut_.is_whole ? DeflateWhole() : DeflateWave(first, count));
      if (context_.progress != nullptr) {
        context_.progress->Report(Stage::kEncode, static_cast<double>(first + count) / cut_.blocks);
      }
    }
    return Status();
  }

 private:
  uint32_t RowsOf(size_t block) const {
    const auto first_row = static_cast<uint32_t>(block) * cut_.block_rows;
    return std::min(cut_.block_rows, image_.layout().height - first_row);
  }
  // Blocks of a wave lie one behind the other, and the end of the wave before lies before them.
  std::span<uint8_t> BlockAt(size_t first, size_t i) {
    return filtered_.span().subspan(kDictionaryBytes + i * cut_.block_bytes,
                                    RowsOf(first + i) * format_.line_bytes());
  }

  // Leaves the filter in `block` whose rows deflate to the least.
  Status FilterBlock(size_t index, Slot* slot, std::span<uint8_t> block) {
    const auto first_row = static_cast<uint32_t>(index) * cut_.block_rows;
    size_t least = 0;
    for (const PngFilter filter : filters_) {
      PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
      const bool is_first = filter == filters_.front();
      uint8_t* rows = is_first ? block.data() : slot->rival.data();
      FilterPngRows(image_, format_, first_row, RowsOf(index), filter, slot->scratch.data(), rows);
      if (filters_.size() == 1) return Status();
      const size_t made =
          libdeflate_deflate_compress(slot->trial.get(), rows, block.size(), slot->stream.data(),
                                      is_first ? slot->stream.size() : least - 1);
      if (is_first || made != 0) least = made;
      if (!is_first && made != 0) std::memcpy(block.data(), rows, block.size());
    }
    return Status();
  }

  Status DeflateBlock(size_t index, Bytes dictionary, Bytes block, Slot* slot) {
    const size_t head = index == 0 ? kZlibHeadBytes : 0;
    DeflateBlockOptions options{.level = BlockLevel(effort_),
                                .is_huffman_only = false,
                                .is_last = index + 1 == cut_.blocks};
    PIXPRESS_ASSIGN_OR_RETURN(slot->stream_bytes,
                              DeflateOneBlock(dictionary, block, options, context_.stop,
                                              slot->stream.span().subspan(head)));
    if (effort_ >= kHuffmanEffort) {
      options.is_huffman_only = true;
      PIXPRESS_ASSIGN_OR_RETURN(const size_t made,
                                DeflateOneBlock(dictionary, block, options, context_.stop,
                                                slot->rival.span().subspan(head)));
      if (made < slot->stream_bytes) {
        std::swap(slot->stream, slot->rival);
        slot->stream_bytes = made;
      }
    }
    if (head > 0) StoreZlibHead(slot->stream.data());
    slot->stream_bytes += head;
    return Status();
  }

  Status DeflateWave(size_t first, size_t count) {
    PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(count, [&](size_t i) {
      const std::span<uint8_t> block = BlockAt(first, i);
      const size_t known = first + i == 0 ? 0 : kDictionaryBytes;
      return DeflateBlock(first + i, Bytes(block.data() - known, known), block, &slots_[i]);
    }));
    for (size_t i = 0; i < count; ++i) {
      const Bytes block = BlockAt(first, i);
      adler_ = libdeflate_adler32(adler_, block.data(), block.size());
      Slot& slot = slots_[i];
      if (first + i + 1 == cut_.blocks) {
        StorePng32(adler_, slot.stream.data() + slot.stream_bytes);
        slot.stream_bytes += kZlibTailBytes;
      }
      PIXPRESS_RETURN_IF_ERROR(append_(slot.stream.span().first(slot.stream_bytes), out_));
    }
    const Bytes last = BlockAt(first, count - 1);
    std::memmove(filtered_.data(), last.data() + last.size() - kDictionaryBytes, kDictionaryBytes);
    return Status();
  }

  Status DeflateWhole() {
    const Bytes data = filtered_.span().subspan(kDictionaryBytes, cut_.total_bytes);
    PIXPRESS_ASSIGN_OR_RETURN(const Deflater deflater, MakeDeflater(WholeLevel(effort_)));
    PIXPRESS_ASSIGN_OR_RETURN(Buffer stream, context_.meter.Allocate(libdeflate_zlib_compress_bound(
                                                 deflater.get(), data.size())));
    size_t made = libdeflate_zlib_compress(deflater.get(), data.data(), data.size(), stream.data(),
                                           stream.size());
    if (effort_ >= kHuffmanEffort) {
      PIXPRESS_ASSIGN_OR_RETURN(
          Buffer rival, context_.meter.Allocate(DeflateBlockBound(data.size()) + kZlibHeadBytes +
                                                kZlibTailBytes));
      const DeflateBlockOptions options{.level = 1, .is_huffman_only = true, .is_last = true};
      PIXPRESS_ASSIGN_OR_RETURN(
          size_t rival_bytes,
          DeflateOneBlock({}, data, options, context_.stop, rival.span().subspan(kZlibHeadBytes)));
      StoreZlibHead(rival.data());
      rival_bytes += kZlibHeadBytes;
      StorePng32(libdeflate_adler32(1, data.data(), data.size()), rival.data() + rival_bytes);
      rival_bytes += kZlibTailBytes;
      if (rival_bytes < made) {
        std::swap(stream, rival);
        made = rival_bytes;
      }
    }
    return append_(stream.span().first(made), out_);
  }

  static void StoreZlibHead(uint8_t* out) {
    out[0] = 0x78;  // Deflate, a window of 32 KiB.
    out[1] = 0xDA;  // The best compression, no dictionary.
  }

  const Image& image_;
  const PngRowFormat& format_;
  const int effort_;
  const WorkContext& context_;
  const Append append_;
  ByteChain* out_;
  const Cut cut_;
  const std::span<const PngFilter> filters_;
  std::vector<Slot> slots_;
  Buffer filtered_;
  uint32_t adler_ = 1;
};

}  // namespace

uint64_t PngDataMemoryBytes(const PngRowFormat& format, uint32_t rows) {
  const Cut cut(format, rows);
  const uint64_t bound = DeflateBlockBound(cut.block_bytes);
  uint64_t bytes = SaturatingMul(
      cut.slots, cut.block_bytes + 2 * bound + PngFilterScratchBytes(format) + kSlotLibraryBytes);
  if (cut.is_whole) {
    bytes += kWholeLibraryBytes + 2 * DeflateBlockBound(static_cast<size_t>(cut.total_bytes));
  }
  // Buffers are rounded up to a size class: a quarter at most.
  bytes = SaturatingAdd(bytes, bytes / 4);
  const uint64_t output = SaturatingAdd(cut.total_bytes, cut.total_bytes / 64);
  return SaturatingAdd(bytes, SaturatingAdd(output, 1u << 20));
}

Status WritePngData(const Image& image, const PngRowFormat& format, int effort,
                    const WorkContext& context, ByteChain* out) {
  DataWriter writer(image, format, effort, context, AppendIdat, out);
  PIXPRESS_RETURN_IF_ERROR(writer.Init());
  return writer.Run();
}

Status WritePngStream(const Image& image, const PngRowFormat& format, int effort,
                      const WorkContext& context, ByteChain* out) {
  DataWriter writer(image, format, effort, context, AppendStream, out);
  PIXPRESS_RETURN_IF_ERROR(writer.Init());
  return writer.Run();
}

}  // namespace pixpress
