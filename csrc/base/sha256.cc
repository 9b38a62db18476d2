#include "base/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace pixpress {
namespace {

constexpr size_t kBlockBytes = 64;

alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t LoadBigEndian(const uint8_t* in) {
  return uint32_t{in[0]} << 24 | uint32_t{in[1]} << 16 | uint32_t{in[2]} << 8 | uint32_t{in[3]};
}

void StoreBigEndian(uint32_t value, uint8_t* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

void CompressBlock(uint32_t* state, const uint8_t* block) {
  uint32_t w[64];
  for (size_t i = 0; i < 16; ++i) w[i] = LoadBigEndian(block + 4 * i);
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRoundConstants[i] + w[i];
    const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void CompressPortable(uint32_t* state, const uint8_t* blocks, size_t count) {
  for (size_t i = 0; i < count; ++i) CompressBlock(state, blocks + i * kBlockBytes);
}

#if defined(__x86_64__)
// The instructions keep the state as (A, B, E, F) and (C, D, G, H), and do four rounds per group.
__attribute__((target("sha,sse4.1"))) void CompressX86(uint32_t* state, const uint8_t* blocks,
                                                       size_t count) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto* constants = reinterpret_cast<const __m128i*>(kRoundConstants);
  auto* packed = reinterpret_cast<__m128i*>(state);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(packed), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(packed + 1), 0x1B);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
  __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
  for (; count > 0; --count, blocks += kBlockBytes) {
    const __m128i old_abef = abef, old_cdgh = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i),
                              big_endian);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m128i& now = w[i & 3];
      const __m128i last = w[(i + 3) & 3];
      if (i >= 4) {
        now = _mm_sha256msg1_epu32(now, w[(i + 1) & 3]);
        now = _mm_add_epi32(now, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
        now = _mm_sha256msg2_epu32(now, last);
      }
      const __m128i sum = _mm_add_epi32(now, _mm_load_si128(constants + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
    abef = _mm_add_epi32(abef, old_abef);
    cdgh = _mm_add_epi32(cdgh, old_cdgh);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(packed, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(packed + 1, _mm_alignr_epi8(dchg, feba, 8));
}

bool HasShaInstructions() {
  unsigned a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}
#endif

Sha256::Compress BestCompress() {
#if defined(__x86_64__)
  if (HasShaInstructions()) return CompressX86;
#endif
  return CompressPortable;
}

}  // namespace

std::string Sha256Digest::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

Sha256::Sha256(Target target)
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
  static const Compress best = BestCompress();
  compress_ = target == Target::kBest ? best : CompressPortable;
}

void Sha256::Update(std::span<const uint8_t> bytes) {
  const size_t waiting = size_bytes_ % kBlockBytes;
  size_bytes_ += bytes.size();
  if (waiting > 0) {
    const size_t taken = std::min(kBlockBytes - waiting, bytes.size());
    std::copy_n(bytes.begin(), taken, block_.begin() + waiting);
    if (waiting + taken < kBlockBytes) return;
    compress_(state_.data(), block_.data(), 1);
    bytes = bytes.subspan(taken);
  }
  compress_(state_.data(), bytes.data(), bytes.size() / kBlockBytes);
  const std::span<const uint8_t> rest = bytes.last(bytes.size() % kBlockBytes);
  std::copy(rest.begin(), rest.end(), block_.begin());
}

Sha256Digest Sha256::Finish() {
  const uint64_t size_bits = size_bytes_ * 8;
  std::array<uint8_t, 2 * kBlockBytes> tail = {0x80};
  const size_t waiting = size_bytes_ % kBlockBytes;
  // At least the mark and the size; both end at a block's end.
  const size_t padded = (waiting + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes) - waiting;
  StoreBigEndian(static_cast<uint32_t>(size_bits >> 32), tail.data() + padded - 8);
  StoreBigEndian(static_cast<uint32_t>(size_bits), tail.data() + padded - 4);
  Update({tail.data(), padded});
  Sha256Digest digest;
  for (size_t i = 0; i < 8; ++i) StoreBigEndian(state_[i], digest.bytes.data() + 4 * i);
  return digest;
}

Sha256Digest Sha256::Of(std::string_view text) {
  Sha256 hash;
  hash.Update(text);
  return hash.Finish();
}

}  // namespace pixpress
