#include "codecs/png/deflate.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "codecs/deflate/literals.h"
#include "codecs/deflate/piece.h"
#include "codecs/deflate/symbols.h"
#include "codecs/deflate/thorough.h"

namespace pixpress {
namespace {

// libdeflate's levels from 10 on take 9 MiB, the others less than 1 MiB.
constexpr int kNearOptimalLevel = 10;
constexpr uint64_t kNearOptimalBytes = 10u << 20;
constexpr uint64_t kLibraryBytes = 1u << 20;
// Where data is repetitive, our own search finds more than libdeflate's and in
// less time. Costs of larger blocks would not fit into 32 bits.
constexpr size_t kMostRepetitiveBytes = 2u << 20;
// From here on it is thorougher.
constexpr int kThoroughEffort = 7;

int LevelOf(const EncodeOptions& options) {
  if (options.expert.png_compression_level > 0) return options.expert.png_compression_level;
  constexpr std::array<int, 10> kLevels = {1, 3, 5, 8, 10, 11, 11, 12, 12, 12};
  return kLevels[static_cast<size_t>(std::clamp(options.effort, 1, 10) - 1)];
}

// Will codes alone make no more, in a fraction of the time, than a search that has to be fast? A
// better search saves some percent.
bool IsLiteral(const PngBlock& block, const EncodeOptions& options) {
  if (options.effort >= kRivalEffort || options.expert.png_compression_level > 0) return false;
  if (block.sample_made <= block.sample_bytes / 4) return false;
  const uint64_t made = uint64_t{block.data.size()} * block.sample_made / block.sample_bytes;
  const uint64_t most = options.effort <= 2 ? made + made / 24 : made - made / 32;
  return LeastLiteralBytes(block.data) <= most;
}

// A longer search finds little in noise, and takes a fifth of the time of effort 2.
int LevelOfNoise(const EncodeOptions& options) {
  const bool is_chosen = options.expert.png_compression_level > 0;
  return options.effort == 2 && !is_chosen ? 1 : LevelOf(options);
}

bool IsThorough(const EncodeOptions& options) {
  return options.effort >= kRivalEffort && options.expert.png_compression_level <= 0;
}

// Tokens of dithered indices are hardly better after more passes: 2.7 % of the bytes of graphics
// would take half as much time again.
DeflateEffort ThoroughOf(const EncodeOptions& options, const PngRowFormat& format,
                         size_t block_bytes) {
  if (options.effort < kThoroughEffort && format.is_quantized) {
    return {.search = {.depth = 6, .run_depth = 3, .enough_bytes = 64}, .passes = 0};
  }
  if (options.effort < kThoroughEffort && block_bytes > kSmallBlockBytes) {
    return {.search = {.depth = 20, .run_depth = 8, .enough_bytes = 192}, .passes = 1};
  }
  if (options.effort < kThoroughEffort) {
    return {.search = {.depth = 30, .run_depth = 12, .enough_bytes = 258}, .passes = 2};
  }
  return {.search = {.depth = 60, .run_depth = 30, .enough_bytes = 258}, .passes = 6};
}

}  // namespace

Result<Deflater> MakeDeflater(int level) {
  Deflater deflater(libdeflate_alloc_compressor(level));
  if (deflater == nullptr) return Status(StatusCode::kMemoryLimit, "no memory to deflate");
  return deflater;
}

Status PngDeflate::Init(size_t block_bytes, const EncodeOptions& options, Meter& meter) {
  PIXPRESS_ASSIGN_OR_RETURN(whole_,
                            meter.Allocate(DeflateBound(kDeflateWindowBytes + block_bytes)));
  if (options.effort < kRivalEffort) return Status();
  PIXPRESS_ASSIGN_OR_RETURN(rival_, meter.Allocate(DeflateBound(block_bytes)));
  return Status();
}

uint64_t PngDeflate::MemoryBytes(size_t block_bytes, const EncodeOptions& options) {
  uint64_t library = IsNearOptimal(options) ? kNearOptimalBytes : kLibraryBytes;
  if (IsThorough(options)) {
    const size_t bytes = std::min(block_bytes, kMostRepetitiveBytes);
    library = std::max(library, DeflateThoroughlyMemoryBytes(bytes, kDeflateWindowBytes));
  }
  return library + DeflateBound(kDeflateWindowBytes + block_bytes) + DeflateBound(block_bytes);
}

bool PngDeflate::IsNearOptimal(const EncodeOptions& options) {
  return LevelOf(options) >= kNearOptimalLevel;
}

Result<size_t> PngDeflate::Run(const PngBlock& block, const PngRowFormat& format,
                               const EncodeOptions& options, const WorkContext& context,
                               std::span<uint8_t> out) {
  const bool is_repetitive = block.sample_made * kRepetitiveRatio < block.sample_bytes &&
                             block.data.size() <= kMostRepetitiveBytes;
  if (IsLiteral(block, options)) {
    return DeflateLiterals(block.data, block.is_last, context.stop, out);
  }
  if (is_repetitive && IsThorough(options)) {
    PIXPRESS_ASSIGN_OR_RETURN(const size_t made,
                              DeflateThoroughly(block.data, block.known_bytes, format.pixel_bytes,
                                                ThoroughOf(options, format, block.data.size()),
                                                block.is_last, context.stop, context.meter, out));
    if (made != 0) return made;
  }
  const bool is_noisy = block.sample_made > block.sample_bytes / 2;
  const int level = is_noisy ? LevelOfNoise(options) : LevelOf(options);
  PIXPRESS_ASSIGN_OR_RETURN(const size_t made, Deflate(block, level, context.stop, out));
  PIXPRESS_ASSIGN_OR_RETURN(const size_t rival, MakeRival(block, made, options, context.stop));
  if (rival == 0 || rival >= made) return made;
  std::memcpy(out.data(), rival_.data(), rival);
  return rival;
}

// Another attempt at what took `made` bytes; 0: none is worth its time.
Result<size_t> PngDeflate::MakeRival(const PngBlock& block, size_t made,
                                     const EncodeOptions& options, const StopToken& stop) {
  if (options.effort < kRivalEffort) return size_t{0};
  if (made < block.data.size() / kRepetitiveRatio) return size_t{0};
  if (LeastLiteralBytes(block.data) >= made) return size_t{0};
  return DeflateLiterals(block.data, block.is_last, stop, rival_.span());
}

Result<size_t> PngDeflate::Deflate(const PngBlock& block, int level, const StopToken& stop,
                                   std::span<uint8_t> out) {
  PIXPRESS_RETURN_IF_ERROR(stop.Poll());
  PIXPRESS_ASSIGN_OR_RETURN(const Deflater deflater, MakeDeflater(level));
  const std::span<const uint8_t> data = block.data;
  if (block.known_bytes == 0 && block.is_last) {  // The stream is whole as it is.
    return libdeflate_deflate_compress(deflater.get(), data.data(), data.size(), out.data(),
                                       out.size());
  }
  const size_t made =
      libdeflate_deflate_compress(deflater.get(), data.data() - block.known_bytes,
                                  data.size() + block.known_bytes, whole_.data(), whole_.size());
  return TakeDeflatePiece(whole_.span().first(made), block.known_bytes, data, block.is_last, out);
}

}  // namespace pixpress
