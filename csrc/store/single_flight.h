#pragma once
// Which of identical jobs runs, and which wait for what it will store.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/sha256.h"

namespace pixpress {

// Not thread-safe; its owner locks. Knows numbers of jobs only. Of all that join one key the first
// leads, and the others wait until it ends.
class SingleFlight {
 public:
  // True if the job leads the key from here on, or does so already. Else it waits: End has it when
  // it is to go on, unless it leaves before. A job has one key at a time.
  bool Join(const Sha256Digest& key, uint64_t job);
  // The job leaves: it is over, or takes another key. If it led: whom to call, in order; they join
  // again, should they find nothing.
  std::vector<uint64_t> Leave(uint64_t job);

  bool Waits(uint64_t job) const;
  // That the job leads or waits for.
  std::optional<Sha256Digest> KeyOf(uint64_t job) const;

 private:
  struct Flight {
    uint64_t leader = 0;
    std::set<uint64_t> waiting;
  };

  std::map<Sha256Digest, Flight> flights_;
  std::unordered_map<uint64_t, Sha256Digest> keys_;  // Of all leaders, and all who wait.
};

}  // namespace pixpress
