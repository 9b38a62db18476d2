#pragma once
// One cached result as a file: header, description, payload, under a checksum of all of it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "base/status.h"
#include "memory/byte_chain.h"

namespace pixpress {

// The file's size.
uint64_t CacheEntryBytes(std::string_view description, uint64_t payload_bytes);

// Write atomically, without fsync: after a power loss the entry may be bad, and is found to be.
// kOutput with errno; no file is left then. Blocks on I/O.
Status WriteCacheEntry(const std::string& path, const Sha256Digest& key,
                       std::string_view description,
                       std::span<const std::span<const uint8_t>> payload);

// Append the payload to `payload`, which is empty, in one piece, and return the description. kInput
// with ENOENT if there is no file, and kCorruptImage if a single bit of it is not as written or it
// is of another key; `payload` is empty again then. kMemoryLimit if the chain cannot grow. Marks
// the entry as used now.
Result<std::string> ReadCacheEntry(const std::string& path, const Sha256Digest& key,
                                   ByteChain* payload);

}  // namespace pixpress
