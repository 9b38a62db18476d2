#pragma once
// How blocks of filtered rows are deflated at an effort: which search, and which second attempts.

#include <libdeflate.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/status.h"
#include "codecs/encode_options.h"
#include "codecs/png/filter.h"
#include "image/work_context.h"
#include "memory/buffer.h"

namespace pixpress {

struct FreeDeflater {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};
using Deflater = std::unique_ptr<libdeflate_compressor, FreeDeflater>;

Result<Deflater> MakeDeflater(int level);

// From here on a block may be deflated more than once, and filters are compared on half the rows.
inline constexpr int kRivalEffort = 5;
// What a fast search makes less than a sixth of is repetitive.
inline constexpr size_t kRepetitiveRatio = 6;

// A block of at most so many bytes takes little time, whatever is tried.
inline constexpr size_t kSmallBlockBytes = 64u << 10;

// A block and what is known of it.
struct PngBlock {
  std::span<const uint8_t> data;
  size_t known_bytes = 0;  // Before it, that it may refer to.
  bool is_last = false;
  // What a fast search made of some of its rows; 0: nothing was tried.
  size_t sample_bytes = 0;
  size_t sample_made = 0;
};

// Where one block at a time is deflated. Not thread-safe: one for each thread.
class PngDeflate {
 public:
  Status Init(size_t block_bytes, const EncodeOptions& options, Meter& meter);

  // Raw deflate of a block into `out`, which has DeflateBound() bytes; returns how many were made.
  // Polls the stop token before each attempt.
  Result<size_t> Run(const PngBlock& block, const PngRowFormat& format,
                     const EncodeOptions& options, const WorkContext& context,
                     std::span<uint8_t> out);

  // What it holds, that of libraries included.
  static uint64_t MemoryBytes(size_t block_bytes, const EncodeOptions& options);
  // Its libdeflate needs 9 MiB.
  static bool IsNearOptimal(const EncodeOptions& options);

 private:
  Result<size_t> Deflate(const PngBlock& block, int level, const StopToken& stop,
                         std::span<uint8_t> out);
  Result<size_t> MakeRival(const PngBlock& block, size_t made, const EncodeOptions& options,
                           const StopToken& stop);

  Buffer whole_;  // A stream of what is known and the block.
  Buffer rival_;
};

}  // namespace pixpress
