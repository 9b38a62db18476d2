#include "store/cache_entry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/checked_math.h"
#include "base/file.h"

namespace pixpress {
namespace {

// All numbers little-endian, in this order: magic, version, description length, payload length,
// key, checksum. The checksum is of everything else, from the magic to the payload's last byte.
constexpr std::string_view kMagic = "pixpressC";
constexpr uint32_t kVersion = 1;
constexpr size_t kDigestBytes = 32;
constexpr size_t kChecksumAt = 9 + 4 + 4 + 8 + kDigestBytes;
constexpr size_t kHeaderBytes = kChecksumAt + kDigestBytes;
constexpr size_t kMostDescriptionBytes = size_t{1} << 20;
using Header = std::array<uint8_t, kHeaderBytes>;

template <typename T>
void Put(T value, uint8_t* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<uint8_t>(value >> (8 * i));
}

template <typename T>
T Take(const uint8_t* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(T{in[i]} << (8 * i));
  return value;
}

// Without the checksum.
Header MakeHeader(const Sha256Digest& key, size_t description_bytes, uint64_t payload_bytes) {
  Header header = {};
  std::copy(kMagic.begin(), kMagic.end(), header.begin());
  Put<uint32_t>(kVersion, header.data() + 9);
  Put<uint32_t>(static_cast<uint32_t>(description_bytes), header.data() + 13);
  Put<uint64_t>(payload_bytes, header.data() + 17);
  std::copy(key.bytes.begin(), key.bytes.end(), header.begin() + 25);
  return header;
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The order of use is the order of the files' times: exact ones, since the kernel's own stamps are
// only as fine as its timer. An entry that was evicted meanwhile has none.
void MarkUsed(const std::string& path) {
  timespec times[2];
  clock_gettime(CLOCK_REALTIME, &times[0]);
  times[1] = times[0];
  utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

Status Bad(const std::string& path, const char* why) {
  return Status(StatusCode::kCorruptImage, path + ": a bad cache entry: " + why);
}

Status ReadPayload(const InputFile& file, uint64_t at, uint64_t end, Sha256* hash,
                   ByteChain* payload) {
  constexpr uint64_t kMostPieceBytes = uint64_t{1} << 18;  // Still in the cache when hashed.
  if (at == end) return Status();
  PIXPRESS_ASSIGN_OR_RETURN(std::span<uint8_t> space, payload->Reserve(end - at));
  while (at < end) {
    const auto piece = space.first(std::min(kMostPieceBytes, end - at));
    PIXPRESS_RETURN_IF_ERROR(file.ReadAt(at, piece));
    hash->Update(piece);
    payload->Commit(piece.size());
    space = space.subspan(piece.size());
    at += piece.size();
  }
  return Status();
}

Result<std::string> ReadEntry(const InputFile& file, const std::string& path,
                              const Sha256Digest& key, ByteChain* payload) {
  const uint64_t size_bytes = file.identity().size_bytes;
  if (size_bytes < kHeaderBytes) return Bad(path, "too short");
  Header header;
  PIXPRESS_RETURN_IF_ERROR(file.ReadAt(0, header));
  const auto description_bytes = Take<uint32_t>(header.data() + 13);
  const uint64_t payload_bytes = size_bytes - kHeaderBytes - description_bytes;
  if (description_bytes > kMostDescriptionBytes || description_bytes > size_bytes - kHeaderBytes) {
    return Bad(path, "a length that is wrong");
  }
  // Says in one go: this magic, this version, this key, and the length that the file has.
  const Header expected = MakeHeader(key, description_bytes, payload_bytes);
  const std::span<const uint8_t> signed_part = std::span<const uint8_t>(header).first(kChecksumAt);
  if (!std::equal(signed_part.begin(), signed_part.end(), expected.begin())) {
    return Bad(path, "another header");
  }
  std::string description(description_bytes, '\0');
  PIXPRESS_RETURN_IF_ERROR(file.ReadAt(
      kHeaderBytes, {reinterpret_cast<uint8_t*>(description.data()), description.size()}));
  Sha256 hash;
  hash.Update(signed_part);
  hash.Update(description);
  PIXPRESS_RETURN_IF_ERROR(
      ReadPayload(file, kHeaderBytes + description_bytes, size_bytes, &hash, payload));
  const Sha256Digest sum = hash.Finish();
  if (!std::equal(sum.bytes.begin(), sum.bytes.end(), header.begin() + kChecksumAt)) {
    return Bad(path, "its checksum is wrong");
  }
  return description;
}

}  // namespace

uint64_t CacheEntryBytes(std::string_view description, uint64_t payload_bytes) {
  return SaturatingAdd(kHeaderBytes + description.size(), payload_bytes);
}

Status WriteCacheEntry(const std::string& path, const Sha256Digest& key,
                       std::string_view description,
                       std::span<const std::span<const uint8_t>> payload) {
  if (description.size() > kMostDescriptionBytes) {
    return Status(StatusCode::kOutput, path + ": the description is too long", EFBIG);
  }
  uint64_t payload_bytes = 0;
  for (const std::span<const uint8_t> chunk : payload) payload_bytes += chunk.size();
  Header header = MakeHeader(key, description.size(), payload_bytes);
  Sha256 hash;
  hash.Update(std::span<const uint8_t>(header).first(kChecksumAt));
  hash.Update(description);
  for (const std::span<const uint8_t> chunk : payload) hash.Update(chunk);
  const Sha256Digest sum = hash.Finish();
  std::copy(sum.bytes.begin(), sum.bytes.end(), header.begin() + kChecksumAt);
  std::vector<std::span<const uint8_t>> chunks = {header, BytesOf(description)};
  chunks.insert(chunks.end(), payload.begin(), payload.end());
  PIXPRESS_RETURN_IF_ERROR(WriteFileAtomically(path, chunks, {}));
  MarkUsed(path);
  return Status();
}

Result<std::string> ReadCacheEntry(const std::string& path, const Sha256Digest& key,
                                   ByteChain* payload) {
  PIXPRESS_ASSIGN_OR_RETURN(const InputFile file, InputFile::Open(path));
  Result<std::string> description = ReadEntry(file, path, key, payload);
  if (!description.ok()) {
    payload->Clear();
    return description;
  }
  MarkUsed(path);
  return description;
}

}  // namespace pixpress
