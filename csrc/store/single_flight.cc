#include "store/single_flight.h"

namespace pixpress {

bool SingleFlight::Join(const Sha256Digest& key, uint64_t job) {
  const auto [place, is_new] = flights_.try_emplace(key);
  auto& [leader, waiting] = place->second;
  keys_.emplace(job, key);
  if (is_new) leader = job;
  if (leader != job) waiting.insert(job);
  return leader == job;
}

std::vector<uint64_t> SingleFlight::Leave(uint64_t job) {
  const auto key = keys_.find(job);
  if (key == keys_.end()) return {};
  const auto flight = flights_.find(key->second);
  keys_.erase(key);
  auto& [leader, waiting] = flight->second;
  if (leader != job) {
    waiting.erase(job);
    return {};
  }
  std::vector<uint64_t> called(waiting.begin(), waiting.end());
  for (const uint64_t other : called) keys_.erase(other);
  flights_.erase(flight);
  return called;
}

bool SingleFlight::Waits(uint64_t job) const {
  const auto key = keys_.find(job);
  return key != keys_.end() && flights_.at(key->second).leader != job;
}

std::optional<Sha256Digest> SingleFlight::KeyOf(uint64_t job) const {
  const auto key = keys_.find(job);
  return key == keys_.end() ? std::nullopt : std::optional(key->second);
}

}  // namespace pixpress
