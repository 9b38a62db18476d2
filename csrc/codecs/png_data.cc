#include "codecs/png_data.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "codecs/deflate_piece.h"
#include "codecs/png_chunks.h"
#include "codecs/png_numbers.h"

namespace pixpress {
namespace {

// Rows that are filtered together: a filter is chosen for each of these blocks.
constexpr size_t kBlockBytes = 512u << 10;
// Blocks that are filtered at a time, and so the most threads that help.
constexpr size_t kMostSlots = 16;
// What one call of libdeflate gets, which takes no longer than a job may take to stop at most
// levels. Pieces do not know the 32 KiB before them, which costs nothing at this size.
constexpr size_t kPieceBytes = 4u << 20;
constexpr size_t kMostPieces = 4;  // In memory at a time.
constexpr size_t kZlibHeadBytes = 2;
constexpr size_t kZlibTailBytes = 4;
constexpr size_t kIdatBytes = 256u << 10;
// libdeflate's levels from 10 on take 9 MiB, the others less than 1 MiB, zlib 268 KiB.
constexpr int kNearOptimalLevel = 10;
constexpr uint64_t kNearOptimalBytes = 10u << 20;
constexpr uint64_t kLibraryBytes = 1u << 20;
// From here on a second attempt at each piece is worth its time. Where there are many repeats, a
// lazy search now and then beats a cheap near-optimal one; elsewhere Huffman codes alone may win,
// as noise has no repeats, but they never reach an eighth.
constexpr int kRivalEffort = 5;
constexpr int kRivalLevel = 9;
constexpr size_t kHuffmanRatio = 8;

int LevelOf(const EncodeOptions& options) {
  if (options.expert.png_compression_level > 0) return options.expert.png_compression_level;
  constexpr std::array<int, 10> kLevels = {1, 3, 5, 8, 10, 11, 11, 12, 12, 12};
  return kLevels[static_cast<size_t>(std::clamp(options.effort, 1, 10) - 1)];
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
        piece_blocks(std::clamp<size_t>(kPieceBytes / block_bytes, 1, blocks)),
        wave_blocks(std::min(blocks, piece_blocks * kMostPieces)),
        slots(std::min(wave_blocks, kMostSlots)),
        pieces(DivideRoundingUp(wave_blocks, piece_blocks)) {}

  size_t piece_bytes() const { return piece_blocks * block_bytes; }

  uint64_t total_bytes;
  uint32_t block_rows;
  size_t block_bytes;
  size_t blocks;
  size_t piece_blocks;
  size_t wave_blocks;  // What is in memory at a time.
  size_t slots;
  size_t pieces;  // Of a wave.
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

// The place of one block whose filter is chosen; empty with one filter to try.
struct Slot {
  Deflater trial;
  Buffer scratch;
  Buffer rows;
  Buffer stream;
};

// The place of one piece of the stream.
struct Piece {
  Buffer stream;  // With what frames it.
  Buffer rival;
  size_t stream_bytes = 0;
};

class DataWriter {
 public:
  // Appends pieces of the zlib stream.
  using Append = Status (*)(Bytes stream, ByteChain* out);

  DataWriter(const Image& image, const PngRowFormat& format, const EncodeOptions& options,
             const WorkContext& context, Append append, ByteChain* out)
      : image_(image),
        format_(format),
        options_(options),
        context_(context),
        append_(append),
        out_(out),
        cut_(format, image.layout().height),
        filters_(PngFiltersToTry(format, options)),
        slots_(cut_.slots),
        pieces_(cut_.pieces) {}

  Status Init() {
    Meter& meter = context_.meter;
    PIXPRESS_ASSIGN_OR_RETURN(filtered_, meter.Allocate(cut_.wave_blocks * cut_.block_bytes));
    for (Slot& slot : slots_) {
      PIXPRESS_ASSIGN_OR_RETURN(slot.scratch, meter.Allocate(PngFilterScratchBytes(format_)));
      if (filters_.size() == 1) continue;
      PIXPRESS_ASSIGN_OR_RETURN(slot.rows, meter.Allocate(cut_.block_bytes));
      PIXPRESS_ASSIGN_OR_RETURN(slot.stream, meter.Allocate(DeflateBound(cut_.block_bytes)));
      PIXPRESS_ASSIGN_OR_RETURN(slot.trial, MakeDeflater(TrialLevel(options_.effort)));
    }
    const size_t bound = DeflateBound(cut_.piece_bytes()) + kZlibHeadBytes + kZlibTailBytes;
    for (Piece& piece : pieces_) {
      PIXPRESS_ASSIGN_OR_RETURN(piece.stream, meter.Allocate(bound));
      if (options_.effort < kRivalEffort) continue;
      PIXPRESS_ASSIGN_OR_RETURN(piece.rival, meter.Allocate(bound));
    }
    return Status();
  }

  Status Run() {
    for (size_t first = 0; first < cut_.blocks; first += cut_.wave_blocks) {
      const size_t count = std::min(cut_.wave_blocks, cut_.blocks - first);
      PIXPRESS_RETURN_IF_ERROR(FilterWave(first, count));
      PIXPRESS_RETURN_IF_ERROR(DeflateWave(first, count));
      if (context_.progress != nullptr) {
        context_.progress->Report(Stage::kEncode, static_cast<double>(first + count) / cut_.blocks);
      }
    }
    return Status();
  }

 private:
  // Bytes of `count` blocks from `first` on: the last block of the image may be shorter.
  size_t BytesOf(size_t first, size_t count) const {
    const uint64_t rows = std::min<uint64_t>(uint64_t{count} * cut_.block_rows,
                                             image_.layout().height - FirstRowOf(first));
    return static_cast<size_t>(rows * format_.line_bytes());
  }
  uint32_t FirstRowOf(size_t block) const { return static_cast<uint32_t>(block) * cut_.block_rows; }

  Status FilterWave(size_t first, size_t count) {
    for (size_t at = 0; at < count; at += cut_.slots) {
      PIXPRESS_RETURN_IF_ERROR(
          context_.parallel.For(std::min(cut_.slots, count - at), [&](size_t i) {
            const size_t block = first + at + i;
            return FilterBlock(
                block, &slots_[i],
                filtered_.span().subspan((at + i) * cut_.block_bytes, BytesOf(block, 1)));
          }));
    }
    return Status();
  }

  // Leaves the filter in `block` whose rows deflate to the least.
  Status FilterBlock(size_t index, Slot* slot, std::span<uint8_t> block) {
    const auto rows_count = static_cast<uint32_t>(block.size() / format_.line_bytes());
    size_t least = 0;
    for (const PngFilter filter : filters_) {
      PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
      const bool is_first = filter == filters_.front();
      uint8_t* rows = is_first ? block.data() : slot->rows.data();
      FilterPngRows(image_, format_, FirstRowOf(index), rows_count, filter, slot->scratch.data(),
                    rows);
      if (filters_.size() == 1) return Status();
      const size_t made =
          libdeflate_deflate_compress(slot->trial.get(), rows, block.size(), slot->stream.data(),
                                      is_first ? slot->stream.size() : least - 1);
      if (is_first || made != 0) least = made;
      if (!is_first && made != 0) std::memcpy(block.data(), rows, block.size());
    }
    return Status();
  }

  Bytes PieceAt(size_t first, size_t i) const {
    const size_t block = first + i * cut_.piece_blocks;
    return filtered_.span().subspan(i * cut_.piece_bytes(), BytesOf(block, cut_.piece_blocks));
  }

  Status DeflateWave(size_t first, size_t count) {
    const size_t pieces = DivideRoundingUp(count, cut_.piece_blocks);
    const bool is_last_wave = first + count == cut_.blocks;
    PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(pieces, [&](size_t i) {
      const size_t head = first + i == 0 ? kZlibHeadBytes : 0;
      return DeflatePiece(PieceAt(first, i), head, is_last_wave && i + 1 == pieces, &pieces_[i]);
    }));
    for (size_t i = 0; i < pieces; ++i) {
      const Bytes data = PieceAt(first, i);
      adler_ = libdeflate_adler32(adler_, data.data(), data.size());
      Piece& piece = pieces_[i];
      if (is_last_wave && i + 1 == pieces) {
        StorePng32(adler_, piece.stream.data() + piece.stream_bytes);
        piece.stream_bytes += kZlibTailBytes;
      }
      PIXPRESS_RETURN_IF_ERROR(append_(piece.stream.span().first(piece.stream_bytes), out_));
    }
    return Status();
  }

  // `head` bytes stay free before the stream for its zlib header.
  Status DeflatePiece(Bytes data, size_t head, bool is_last, Piece* piece) {
    PIXPRESS_ASSIGN_OR_RETURN(
        size_t made, Deflate(data, LevelOf(options_), is_last, piece->stream.span().subspan(head)));
    if (options_.effort >= kRivalEffort) {
      const std::span<uint8_t> room = piece->rival.span().subspan(head);
      const bool is_repetitive = made < data.size() / kHuffmanRatio;
      PIXPRESS_ASSIGN_OR_RETURN(const size_t rival,
                                is_repetitive
                                    ? Deflate(data, kRivalLevel, is_last, room)
                                    : DeflateHuffmanOnly(data, is_last, context_.stop, room));
      if (rival < made) {
        std::swap(piece->stream, piece->rival);
        made = rival;
      }
    }
    if (head > 0) StoreZlibHead(piece->stream.data());
    piece->stream_bytes = head + made;
    return Status();
  }

  Result<size_t> Deflate(Bytes data, int level, bool is_last, std::span<uint8_t> out) {
    PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
    PIXPRESS_ASSIGN_OR_RETURN(const Deflater deflater, MakeDeflater(level));
    const size_t made = libdeflate_deflate_compress(deflater.get(), data.data(), data.size(),
                                                    out.data(), out.size());
    return is_last ? Result<size_t>(made) : OpenDeflateEnd(out, made);
  }

  static void StoreZlibHead(uint8_t* out) {
    out[0] = 0x78;  // Deflate, a window of 32 KiB.
    out[1] = 0xDA;  // The best compression, no dictionary.
  }

  const Image& image_;
  const PngRowFormat& format_;
  const EncodeOptions& options_;
  const WorkContext& context_;
  const Append append_;
  ByteChain* out_;
  const Cut cut_;
  const std::span<const PngFilter> filters_;
  std::vector<Slot> slots_;
  std::vector<Piece> pieces_;
  Buffer filtered_;
  uint32_t adler_ = 1;
};

}  // namespace

uint64_t PngDataMemoryBytes(const PngRowFormat& format, uint32_t rows,
                            const EncodeOptions& options) {
  const Cut cut(format, rows);
  const bool is_near_optimal = LevelOf(options) >= kNearOptimalLevel;
  const uint64_t slot = cut.block_bytes + DeflateBound(cut.block_bytes) +
                        PngFilterScratchBytes(format) + kLibraryBytes;
  const uint64_t piece = cut.piece_bytes() + 2 * DeflateBound(cut.piece_bytes()) +
                         (is_near_optimal ? kNearOptimalBytes : kLibraryBytes);
  uint64_t bytes = SaturatingAdd(SaturatingMul(cut.slots, slot), SaturatingMul(cut.pieces, piece));
  // Buffers are rounded up to a size class: a quarter at most.
  bytes = SaturatingAdd(bytes, bytes / 4);
  const uint64_t output = SaturatingAdd(cut.total_bytes, cut.total_bytes / 64);
  return SaturatingAdd(bytes, SaturatingAdd(output, 1u << 20));
}

Status WritePngData(const Image& image, const PngRowFormat& format, const EncodeOptions& options,
                    const WorkContext& context, ByteChain* out) {
  DataWriter writer(image, format, options, context, AppendIdat, out);
  PIXPRESS_RETURN_IF_ERROR(writer.Init());
  return writer.Run();
}

Status WritePngStream(const Image& image, const PngRowFormat& format, const EncodeOptions& options,
                      const WorkContext& context, ByteChain* out) {
  DataWriter writer(image, format, options, context, AppendStream, out);
  PIXPRESS_RETURN_IF_ERROR(writer.Init());
  return writer.Run();
}

}  // namespace pixpress
