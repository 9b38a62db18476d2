#include "store/single_flight.h"

#include <chrono>
#include <optional>
#include <utility>

namespace pixpress {

struct SingleFlight::Flight::Shared {
  Sha256Digest key;
  std::condition_variable changed;
  bool has_leader = true;
  size_t members = 0;
  std::optional<FlightEnd> end;  // Never kAbandoned.
};

SingleFlight::Flight::Flight(SingleFlight* owner, std::shared_ptr<Shared> shared, bool is_leader)
    : owner_(owner), shared_(std::move(shared)), is_leader_(is_leader) {}

SingleFlight::Flight::Flight(Flight&& other) noexcept
    : owner_(other.owner_),
      shared_(std::exchange(other.shared_, nullptr)),
      is_leader_(std::exchange(other.is_leader_, false)) {}

SingleFlight::Flight::~Flight() {
  if (shared_ != nullptr) owner_->Leave(*this, FlightEnd::kAbandoned);
}

void SingleFlight::Flight::End(FlightEnd end) {
  if (shared_ == nullptr || !is_leader_) return;
  owner_->Leave(*this, end);
  shared_ = nullptr;
  is_leader_ = false;
}

SingleFlight::Flight SingleFlight::Begin(const Sha256Digest& key) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Flight::Shared>& shared = flights_[key];
  bool is_leader = shared == nullptr;
  if (is_leader) {
    shared = std::make_shared<Flight::Shared>();
    shared->key = key;
  } else if (!shared->has_leader) {
    is_leader = shared->has_leader = true;  // Abandoned, and nobody has noticed yet.
  }
  ++shared->members;
  return Flight(this, shared, is_leader);
}

void SingleFlight::Leave(const Flight& flight, FlightEnd end) {
  Flight::Shared& shared = *flight.shared_;
  const std::lock_guard lock(mutex_);
  --shared.members;
  if (flight.is_leader_) {
    shared.has_leader = false;
    if (end != FlightEnd::kAbandoned) shared.end = end;
  }
  const bool is_over = shared.end.has_value() || shared.members == 0;
  // A later job of the same key begins anew, and finds the result in the cache.
  const auto found = flights_.find(shared.key);
  if (is_over && found != flights_.end() && found->second.get() == &shared) flights_.erase(found);
  if (flight.is_leader_) shared.changed.notify_all();
}

bool SingleFlight::Flight::PollLocked(FlightEnd* end) {
  if (shared_->end.has_value()) {
    *end = *shared_->end;
    return true;
  }
  if (shared_->has_leader) return false;
  is_leader_ = shared_->has_leader = true;
  *end = FlightEnd::kAbandoned;
  return true;
}

bool SingleFlight::Flight::Poll(FlightEnd* end) {
  const std::lock_guard lock(owner_->mutex_);
  return PollLocked(end);
}

Result<FlightEnd> SingleFlight::Flight::Wait(const StopToken& stop) {
  // A stop token cannot wake anyone; this is what its latency may cost here.
  constexpr auto kPollInterval = std::chrono::milliseconds(20);
  std::unique_lock lock(owner_->mutex_);
  while (true) {
    FlightEnd end;
    if (PollLocked(&end)) return end;
    PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    shared_->changed.wait_for(lock, kPollInterval);
  }
}

}  // namespace pixpress
