#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/status.h"

namespace pixpress {

// Threads of its own that are sometimes idle: in `idle` of 8 questions.
class SomeThreads final : public Parallel {
 public:
  SomeThreads(size_t threads, int idle) : threads_(threads), idle_(idle) {}

  Status For(size_t count, const std::function<Status(size_t)>& body) override {
    std::atomic<size_t> next{0};
    std::vector<Status> statuses(count);
    const auto work = [&] {
      for (size_t i = next++; i < count; i = next++) statuses[i] = body(i);
    };
    std::vector<std::thread> helpers;
    for (size_t i = 1; i < std::min(threads_, count); ++i) helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    for (Status& status : statuses) PIXPRESS_RETURN_IF_ERROR(std::move(status));
    return Status();
  }
  size_t width() const override { return threads_; }
  bool HasIdle() const override { return questions_++ * 5 % 8 < idle_; }

 private:
  const size_t threads_;
  const int idle_;
  mutable int questions_ = 0;
};

}  // namespace pixpress
