#pragma once
// SHA-256 (FIPS 180-4): names of cached results, and proof that a file is what was written.
//
// Our own 60 lines instead of a library: the only packaged implementations are parts of OpenSSL,
// GnuTLS or Nettle, each several megabytes in every wheel, for one function that never changes. It
// is tested against the published vectors, on both code paths. x86 CPUs with SHA instructions use
// them.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pixpress {

struct Sha256Digest {
  std::array<uint8_t, 32> bytes = {};
  auto operator<=>(const Sha256Digest&) const = default;
  // 64 lower-case hexadecimal digits.
  std::string Hex() const;
};

// Owned and used by one thread at a time.
class Sha256 {
 public:
  enum class Target : uint8_t { kBest, kPortable };
  explicit Sha256(Target target = Target::kBest);

  void Update(std::span<const uint8_t> bytes);
  void Update(std::string_view text) {
    Update({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  // The digest of all that was given. Call once, last.
  Sha256Digest Finish();

  static Sha256Digest Of(std::string_view text);

  // What changes `state` by whole blocks of 64 bytes.
  using Compress = void (*)(uint32_t* state, const uint8_t* blocks, size_t count);

 private:
  Compress compress_;
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> block_;  // Its first size_bytes_ % 64 bytes wait for the rest.
  uint64_t size_bytes_ = 0;
};

}  // namespace pixpress
