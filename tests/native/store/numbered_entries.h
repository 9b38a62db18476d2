#pragma once
// Entries whose content belongs to their number, so that any reader knows what to expect.

#include <cstdint>
#include <memory>
#include <string>

#include "memory/buffer.h"
#include "memory/meter.h"
#include "store/result_cache.h"
#include "store/temporary_folder.h"

namespace pixpress {

inline std::string PayloadOf(uint64_t number, size_t size_bytes = 5000) {
  std::string text(size_bytes, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + number * 7);
  return text;
}

inline std::string NameOf(uint64_t number) { return "job " + std::to_string(number); }

class ResultCacheTest : public FolderTest {
 protected:
  std::unique_ptr<ResultCache> Open(const CacheLimits& limits = {}) const {
    Status problem;
    auto cache = ResultCache::Open(Path("cache"), limits, &problem);
    EXPECT_TRUE(cache.ok() && problem.ok()) << cache.status().message() << problem.message();
    return cache.ok() ? std::move(cache).value() : nullptr;
  }
  static Status Store(ResultCache& cache, uint64_t number, const std::string& payload) {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(payload.data()),
                                         payload.size());
    const std::span<const uint8_t> chunks[] = {bytes.first(bytes.size() / 3),
                                               bytes.subspan(bytes.size() / 3)};
    return cache.Store(Sha256::Of(NameOf(number)), NameOf(number), chunks);
  }
  // The payload, or "miss".
  static std::string Find(ResultCache& cache, uint64_t number) {
    BufferPool pool(64 << 20);
    Meter meter(pool);
    ByteChain chain(meter);
    const auto description = cache.Find(Sha256::Of(NameOf(number)), &chain);
    if (!description.has_value()) return chain.size_bytes() == 0 ? "miss" : "a miss with bytes";
    if (*description != NameOf(number)) return "wrong description";
    std::string payload(chain.size_bytes(), '\0');
    chain.CopyTo(reinterpret_cast<uint8_t*>(payload.data()));
    return payload;
  }
  std::string EntryPath(uint64_t number) const {
    return Path("cache/" + Sha256::Of(NameOf(number)).Hex() + ".pxc");
  }
};

}  // namespace pixpress
