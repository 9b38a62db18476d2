#include "codecs/png/data.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/checked_math.h"
#include "codecs/deflate/literals.h"
#include "codecs/deflate/piece.h"
#include "codecs/deflate/symbols.h"
#include "codecs/png/chunks.h"
#include "codecs/png/deflate.h"
#include "codecs/png/numbers.h"

namespace pixpress {
namespace {

// Rows that are filtered together: a filter is chosen for each of these blocks. One call of
// libdeflate gets one of them, and the window before it: no call takes longer than a job may take
// to stop.
constexpr size_t kBlockBytes = 512u << 10;
// Blocks that are in memory at a time, and so the most threads that help.
constexpr size_t kMostSlots = 8;
constexpr size_t kMostNearOptimalSlots = 4;
constexpr size_t kZlibHeadBytes = 2;
constexpr size_t kZlibTailBytes = 4;
constexpr size_t kIdatBytes = 256u << 10;
constexpr uint64_t kTrialBytes = 1u << 20;  // Of libdeflate below level 10.
// A filter whose codes alone take so much more than the best one's stream is not tried on noise.
constexpr size_t kTrialMargin = 64;
// From here on filters are compared on all rows; those of small blocks from kRivalEffort on.
constexpr int kWholeTrialEffort = 7;

// Rows that deflate to more than a quarter are not worth the time of filters by deflating each.
constexpr size_t kShortestRatio = 4;
// Levels of libdeflate at which filters are compared: fast ones rank badly what repeats far apart.
constexpr int kTrialLevel = 1;
constexpr int kNoiseTrialLevel = 6;
constexpr int kWholeTrialLevel = 7;
constexpr int kRepetitiveTrialLevel = 6;

// The rows of a block on which filters are compared: a strip at the begin of each half. Shorter
// ones hide rows that repeat others above them.
struct Sample {
  Sample(uint32_t block_rows, int effort) {
    constexpr uint32_t kParts = 2;
    const uint32_t share = effort < kRivalEffort ? 4 : 2;
    if (block_rows < kParts * share) {
      part_rows = strip_rows = std::max(block_rows, 1u);
      return;
    }
    part_rows = DivideRoundingUp(block_rows, kParts);
    strip_rows = DivideRoundingUp(part_rows, share);
  }

  uint32_t part_rows = 1;
  uint32_t strip_rows = 1;
};

// How the rows are cut; the same for every run.
struct Cut {
  Cut(const PngRowFormat& format, uint32_t rows, const EncodeOptions& options)
      : total_bytes(SaturatingMul(format.line_bytes(), rows)),
        block_rows(static_cast<uint32_t>(
            std::clamp<size_t>(kBlockBytes / format.line_bytes(), 1, std::max(rows, 1u)))),
        block_bytes(block_rows * format.line_bytes()),
        blocks(DivideRoundingUp(rows, block_rows)),
        slots(std::min(blocks,
                       PngDeflate::IsNearOptimal(options) ? kMostNearOptimalSlots : kMostSlots)) {}

  uint64_t total_bytes;
  uint32_t block_rows;
  size_t block_bytes;
  size_t blocks;
  size_t slots;  // Blocks of a wave: what is in memory at a time.
};

Status AppendIdat(Bytes stream, ByteChain* out) {
  for (size_t at = 0; at < stream.size(); at += kIdatBytes) {
    const size_t bytes = std::min(kIdatBytes, stream.size() - at);
    PIXPRESS_RETURN_IF_ERROR(AppendPngChunk(out, "IDAT", stream.subspan(at, bytes)));
  }
  return Status();
}

Status AppendStream(Bytes stream, ByteChain* out) { return out->Append(stream); }

// The place of one block, which becomes a piece of the stream.
struct Slot {
  Deflater trial;  // This and `rows` only with filters to choose from.
  Buffer scratch;
  Buffer rows;
  PngDeflate deflate;
  Buffer stream;  // With what frames it.
  size_t stream_bytes = 0;
  // Of the sample with the best filter.
  size_t sample_bytes = 0;
  size_t sample_made = 0;
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
        cut_(format, image.layout().height, options),
        filters_(PngFiltersToTry(format, options)),
        has_samples_(filters_.size() > 1 || options.effort >= kRivalEffort),
        slots_(cut_.slots) {}

  Status Init() {
    Meter& meter = context_.meter;
    PIXPRESS_ASSIGN_OR_RETURN(filtered_,
                              meter.Allocate(kDeflateWindowBytes + cut_.slots * cut_.block_bytes));
    const size_t bound = DeflateBound(cut_.block_bytes) + kZlibHeadBytes + kZlibTailBytes;
    for (Slot& slot : slots_) {
      PIXPRESS_ASSIGN_OR_RETURN(slot.scratch, meter.Allocate(PngFilterScratchBytes(format_)));
      PIXPRESS_RETURN_IF_ERROR(slot.deflate.Init(cut_.block_bytes, options_, meter));
      PIXPRESS_ASSIGN_OR_RETURN(slot.stream, meter.Allocate(bound));
      if (!has_samples_) continue;
      PIXPRESS_ASSIGN_OR_RETURN(slot.rows, meter.Allocate(cut_.block_bytes));
      PIXPRESS_ASSIGN_OR_RETURN(slot.trial, MakeDeflater(kTrialLevel));
    }
    return Status();
  }

  Status Run() {
    for (size_t first = 0; first < cut_.blocks; first += cut_.slots) {
      const size_t count = std::min(cut_.slots, cut_.blocks - first);
      PIXPRESS_RETURN_IF_ERROR(FilterWave(first, count));
      PIXPRESS_RETURN_IF_ERROR(DeflateWave(first, count));
      if (context_.progress != nullptr) {
        context_.progress->Report(Stage::kEncode, static_cast<double>(first + count) / cut_.blocks);
      }
    }
    return Status();
  }

 private:
  uint32_t FirstRowOf(size_t block) const { return static_cast<uint32_t>(block) * cut_.block_rows; }
  // The block `i` of the wave from `first` on: the last one of the image may be shorter.
  std::span<uint8_t> BlockAt(size_t first, size_t i) {
    const uint32_t row = FirstRowOf(first + i);
    const uint64_t rows = std::min(cut_.block_rows, image_.layout().height - row);
    return filtered_.span().subspan(kDeflateWindowBytes + i * cut_.block_bytes,
                                    static_cast<size_t>(rows * format_.line_bytes()));
  }

  Status FilterWave(size_t first, size_t count) {
    return context_.parallel.For(
        count, [&](size_t i) { return FilterBlock(first + i, &slots_[i], BlockAt(first, i)); });
  }

  Status FilterBlock(size_t index, Slot* slot, std::span<uint8_t> block) {
    const bool is_small = options_.effort >= kRivalEffort && block.size() <= kSmallBlockBytes;
    if (is_small || options_.effort >= kWholeTrialEffort) {
      return FilterThoroughly(index, slot, block);
    }
    const auto rows_count = static_cast<uint32_t>(block.size() / format_.line_bytes());
    PIXPRESS_ASSIGN_OR_RETURN(const PngFilter best,
                              BestFilter(FirstRowOf(index), rows_count, slot));
    FilterPngRows(image_, format_, FirstRowOf(index), rows_count, best, slot->scratch.data(),
                  block.data());
    return Status();
  }

  // Compares filters on all rows.
  Status FilterThoroughly(size_t index, Slot* slot, std::span<uint8_t> block) {
    const auto rows_count = static_cast<uint32_t>(block.size() / format_.line_bytes());
    const auto filter_rows = [&](PngFilter filter) {
      FilterPngRows(image_, format_, FirstRowOf(index), rows_count, filter, slot->scratch.data(),
                    slot->rows.data(), slot->trial.get());
    };
    const auto deflate_rows = [&](libdeflate_compressor* deflater) {
      return libdeflate_deflate_compress(deflater, slot->rows.data(), block.size(),
                                         slot->stream.data(), slot->stream.size());
    };
    filter_rows(filters_.front());
    const size_t first_made = deflate_rows(slot->trial.get());
    const int level = first_made > block.size() / 2 ? kNoiseTrialLevel : kWholeTrialLevel;
    PIXPRESS_ASSIGN_OR_RETURN(const Deflater deflater, MakeDeflater(level));
    size_t least = ~size_t{0};
    for (const PngFilter filter : filters_) {
      PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
      if (filter == PngFilter::kShortest && least > block.size() / kShortestRatio) continue;
      if (filter != filters_.front()) filter_rows(filter);
      const size_t made = deflate_rows(deflater.get());
      if (made >= least) continue;
      least = made;
      std::memcpy(block.data(), slot->rows.data(), block.size());
    }
    slot->sample_bytes = block.size();
    slot->sample_made = least;
    return Status();
  }

  // The filter with which a sample of the rows deflates to the least.
  Result<PngFilter> BestFilter(uint32_t first_row, uint32_t rows_count, Slot* slot) {
    PngFilter best = filters_.front();
    if (!has_samples_) return best;
    slot->sample_bytes = slot->sample_made = 0;
    const Sample sample(rows_count, options_.effort);
    Deflater repetitive;
    size_t least = slot->stream.size();
    for (const PngFilter filter : filters_) {
      PIXPRESS_RETURN_IF_ERROR(context_.stop.Poll());
      uint8_t* end = slot->rows.data();
      for (uint32_t row = 0; row < rows_count; row += sample.part_rows) {
        const uint32_t strip_rows = std::min(sample.strip_rows, rows_count - row);
        FilterPngRows(image_, format_, first_row + row, strip_rows, filter, slot->scratch.data(),
                      end);
        end += strip_rows * format_.line_bytes();
      }
      const Bytes sample_rows(slot->rows.data(), end);
      // Noise does not repeat: its codes alone tell, but not to the last percent.
      const bool is_noisy =
          options_.effort < kRivalEffort && slot->sample_made > slot->sample_bytes / 16 * 9;
      if (is_noisy && LeastLiteralBytes(sample_rows) > least + least / kTrialMargin) continue;
      const auto deflate = [&](const Deflater& deflater) {
        return libdeflate_deflate_compress(deflater.get(), sample_rows.data(), sample_rows.size(),
                                           slot->stream.data(), least);
      };
      size_t made = deflate(repetitive == nullptr ? slot->trial : repetitive);
      if (made == 0) continue;
      if (filter == filters_.front() && options_.effort >= kRivalEffort &&
          made * kRepetitiveRatio < sample_rows.size()) {
        PIXPRESS_ASSIGN_OR_RETURN(repetitive, MakeDeflater(kRepetitiveTrialLevel));
        made = deflate(repetitive);
      }
      best = filter;
      least = made - 1;
      slot->sample_bytes = sample_rows.size();
      slot->sample_made = made;
    }
    return best;
  }

  Status DeflateWave(size_t first, size_t count) {
    const bool is_last_wave = first + count == cut_.blocks;
    PIXPRESS_RETURN_IF_ERROR(context_.parallel.For(
        count, [&](size_t i) { return DeflateBlock(first, i, is_last_wave && i + 1 == count); }));
    for (size_t i = 0; i < count; ++i) {
      const Bytes block = BlockAt(first, i);
      adler_ = libdeflate_adler32(adler_, block.data(), block.size());
      Slot& slot = slots_[i];
      if (is_last_wave && i + 1 == count) {
        StorePng32(adler_, slot.stream.data() + slot.stream_bytes);
        slot.stream_bytes += kZlibTailBytes;
      }
      PIXPRESS_RETURN_IF_ERROR(append_(slot.stream.span().first(slot.stream_bytes), out_));
    }
    // What the next wave refers to; a wave that is not the last one has more than a window.
    if (!is_last_wave) {
      std::memcpy(filtered_.data(), BlockAt(first, count - 1).last(kDeflateWindowBytes).data(),
                  kDeflateWindowBytes);
    }
    return Status();
  }

  Status DeflateBlock(size_t first, size_t i, bool is_last) {
    Slot& slot = slots_[i];
    const bool is_first = first + i == 0;
    // A zlib header comes before the stream, and nothing is known there.
    const size_t head = is_first ? kZlibHeadBytes : 0;
    const PngBlock block = {.data = BlockAt(first, i),
                            .known_bytes = is_first ? 0 : kDeflateWindowBytes,
                            .is_last = is_last,
                            .sample_bytes = slot.sample_bytes,
                            .sample_made = slot.sample_made};
    PIXPRESS_ASSIGN_OR_RETURN(
        const size_t made,
        slot.deflate.Run(block, format_, options_, context_, slot.stream.span().subspan(head)));
    if (is_first) StoreZlibHead(slot.stream.data());
    slot.stream_bytes = head + made;
    return Status();
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
  const bool has_samples_;  // Filters are compared, or searches.
  std::vector<Slot> slots_;
  Buffer filtered_;  // The window before a wave, and the wave.
  uint32_t adler_ = 1;
};

}  // namespace

uint64_t PngDataMemoryBytes(const PngRowFormat& format, uint32_t rows,
                            const EncodeOptions& options) {
  const Cut cut(format, rows, options);
  const uint64_t trial_bytes = (options.effort < kWholeTrialEffort ? 1 : 2) * kTrialBytes;
  // The filtered rows twice, the stream, and libdeflate's memory for trials.
  const uint64_t slot = 2 * cut.block_bytes + DeflateBound(cut.block_bytes) +
                        PngFilterScratchBytes(format) + trial_bytes +
                        PngDeflate::MemoryBytes(cut.block_bytes, options);
  uint64_t bytes = SaturatingAdd(SaturatingMul(cut.slots, slot), kDeflateWindowBytes);
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
