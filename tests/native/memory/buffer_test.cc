#include "memory/buffer.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "memory/byte_chain.h"
#include "memory/meter.h"

namespace pixpress {
namespace {

TEST(BufferPool, ReusesBlocksAndKeepsLivePlusRetainedBelowTheLimit) {
  BufferPool pool(1 << 20);
  uint8_t* address = nullptr;
  {
    auto buffer = pool.Allocate(300'000);
    ASSERT_TRUE(buffer.ok());
    address = buffer.value().data();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(address) % 64, 0u);
    address[299'999] = 1;
    EXPECT_EQ(pool.live_bytes(), BufferPool::CapacityFor(300'000));
  }
  EXPECT_EQ(pool.retained_bytes(), BufferPool::CapacityFor(300'000));
  {
    auto again = pool.Allocate(300'000);
    EXPECT_EQ(again.value().data(), address);
    EXPECT_EQ(pool.retained_bytes(), 0u);
  }
  auto large = pool.Allocate(1 << 20);
  EXPECT_EQ(pool.retained_bytes(), 0u);
  large.value().Release();
  EXPECT_EQ(pool.Trim(0), size_t{1} << 20);
  EXPECT_EQ(pool.retained_bytes(), 0u);
}

TEST(BufferPool, RefusesAbsurdSizesAsAValue) {
  BufferPool pool(1 << 20);
  const auto huge = pool.Allocate(std::numeric_limits<size_t>::max() - 5);
  EXPECT_EQ(huge.status().code(), StatusCode::kMemoryLimit);
  EXPECT_EQ(pool.live_bytes(), 0u);
  EXPECT_TRUE(pool.Allocate(0).value().empty());
}

TEST(Meter, ChargesBuffersUntilReleaseAndRemembersThePeak) {
  BufferPool pool(1 << 20);
  Meter meter(pool);
  {
    auto buffer = meter.Allocate(64);
    meter.Charge(100);
    EXPECT_EQ(meter.current_bytes(), 164u);
  }
  meter.Return(100);
  EXPECT_EQ(meter.current_bytes(), 0u);
  EXPECT_EQ(meter.peak_bytes(), 164u);
}

TEST(ByteChain, KeepsBytesInOrderAcrossChunks) {
  BufferPool pool(8 << 20);
  Meter meter(pool);
  ByteChain chain(meter);
  std::vector<uint8_t> expected(700'001);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<uint8_t>(i * 31 >> 3);
  const std::span<const uint8_t> all(expected);
  ASSERT_TRUE(chain.Append(all.first(70'000)).ok());
  auto space = chain.Reserve(200'000);
  ASSERT_GE(space.value().size(), 200'000u);
  std::copy_n(all.begin() + 70'000, 1000, space.value().begin());
  chain.Commit(1000);
  ASSERT_TRUE(chain.Append(all.subspan(71'000)).ok());
  ASSERT_EQ(chain.size_bytes(), expected.size());
  std::vector<uint8_t> out(expected.size());
  chain.CopyTo(out.data());
  EXPECT_EQ(out, expected);
  EXPECT_GT(chain.chunks().size(), 1u);
  ASSERT_TRUE(chain.Prepend(all.subspan(5, 9)).ok());
  ASSERT_TRUE(chain.Append(all.first(1)).ok());
  std::vector<uint8_t> longer(expected.begin() + 5, expected.begin() + 14);
  longer.insert(longer.end(), expected.begin(), expected.end());
  longer.push_back(expected.front());
  out.resize(chain.size_bytes());
  chain.CopyTo(out.data());
  EXPECT_EQ(out, longer);
  chain.Clear();
  EXPECT_EQ(meter.current_bytes(), 0u);
}

TEST(ByteChain, TakesOverAnotherOneWithoutACopy) {
  BufferPool pool(8 << 20);
  Meter meter(pool);
  ByteChain chain(meter), other(meter), empty(meter);
  const uint8_t first[] = {1, 2, 3}, second[] = {4, 5}, third[] = {6};
  ASSERT_TRUE(chain.Append(first).ok());
  ASSERT_TRUE(other.Append(second).ok());
  const uint8_t* const place = other.chunks()[0].data();
  const size_t held_bytes = meter.current_bytes();
  ASSERT_TRUE(chain.Append(std::move(other)).ok());
  ASSERT_TRUE(chain.Append(std::move(empty)).ok());
  EXPECT_EQ(chain.chunks()[1].data(), place);
  EXPECT_EQ(meter.current_bytes(), held_bytes);
  ASSERT_TRUE(chain.Append(third).ok());
  std::vector<uint8_t> out(chain.size_bytes());
  chain.CopyTo(out.data());
  EXPECT_EQ(out, (std::vector<uint8_t>{1, 2, 3, 4, 5, 6}));
  ByteChain longer(meter);
  ASSERT_TRUE(longer.Append(first).ok());
  chain.LimitTo(8);
  EXPECT_EQ(chain.Append(std::move(longer)).code(), StatusCode::kLimitExceeded);
  EXPECT_TRUE(chain.is_beyond_limit());
  EXPECT_EQ(chain.size_bytes(), 6u);
}

TEST(ByteChain, AppendFailsInsteadOfGoingBeyondALimit) {
  BufferPool pool(8 << 20);
  Meter meter(pool);
  ByteChain chain(meter);
  chain.LimitTo(1000);
  const std::vector<uint8_t> bytes(4 << 20, 7);
  const std::span<const uint8_t> all(bytes);
  EXPECT_TRUE(chain.Append(all.first(999)).ok());
  EXPECT_TRUE(chain.Append(all.first(1)).ok());
  EXPECT_TRUE(chain.Append({}).ok());
  EXPECT_FALSE(chain.is_beyond_limit());
  const uint64_t before = meter.current_bytes();
  EXPECT_EQ(chain.Append(all).code(), StatusCode::kLimitExceeded);
  EXPECT_TRUE(chain.is_beyond_limit());
  EXPECT_EQ(chain.size_bytes(), 1000u);
  EXPECT_EQ(meter.current_bytes(), before);
}

}  // namespace
}  // namespace pixpress
