#pragma once
// Identical jobs in flight share one execution: the first works, the others wait for what it
// stores.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/sha256.h"
#include "base/status.h"
#include "base/stop_token.h"

namespace pixpress {

enum class FlightEnd : uint8_t {
  kShared,     // The result is in the cache: the others look it up.
  kUnshared,   // There is none to share: each of the others works for itself, at once.
  kAbandoned,  // The work was not done: one of the others leads now.
};

// Thread-safe; outlives its flights.
class SingleFlight {
 public:
  // One job's part. Owned and used by one thread at a time.
  class Flight {
   public:
    Flight(Flight&& other) noexcept;
    Flight& operator=(Flight&&) = delete;
    ~Flight();  // A leader that did not End has abandoned the work.

    bool is_leader() const { return is_leader_; }
    // Only by the leader, who is none afterwards. kAbandoned also when its job goes back to the
    // queue.
    void End(FlightEnd end);

    // For others than the leader. Blocks until the leader ends; see Poll. kCancelled or
    // kTaskTimeout, within 20 ms, when `stop` asks for it.
    Result<FlightEnd> Wait(const StopToken& stop);
    // True once there is something to do: `end` is set, and of kAbandoned this is the leader now.
    bool Poll(FlightEnd* end);

   private:
    friend class SingleFlight;
    struct Shared;
    Flight(SingleFlight* owner, std::shared_ptr<Shared> shared, bool is_leader);
    bool PollLocked(FlightEnd* end);

    SingleFlight* owner_;
    std::shared_ptr<Shared> shared_;  // Null: moved from, or over.
    bool is_leader_;
  };

  // The leader of `key` if there is none; else one who waits. Does not block.
  Flight Begin(const Sha256Digest& key);

 private:
  void Leave(const Flight& flight, FlightEnd end);

  std::mutex mutex_;  // Guards all flights' shared parts.
  std::map<Sha256Digest, std::shared_ptr<Flight::Shared>> flights_;
};

}  // namespace pixpress
