#pragma once
// Lends idle workers to running jobs: the pool's implementation of base/parallel.h.

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>

#include "base/parallel.h"
#include "base/status.h"

namespace pixpress {

// One call of Parallel::For that idle workers may help with. Lives on its caller's stack, who waits
// for the last helper before leaving.
class Loan {
 public:
  Loan(size_t count, const std::function<Status(size_t)>& body) : count_(count), body_(body) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  // Take indices and run their bodies until none is left or `must_leave` says so between two.
  // Thread-safe. Never throws: on a lent thread nobody could catch, and leaving the caller's frame
  // early would pull the loan from under its helpers.
  void Work(const std::function<bool()>& must_leave) noexcept;
  bool HasWork() const { return next_.load(std::memory_order_relaxed) < count_; }
  // The first error. Call after the last helper has left.
  Status TakeError();

 private:
  friend class LoanBook;
  Status RunBody(size_t index) noexcept;

  const size_t count_;
  const std::function<Status(size_t)>& body_;
  std::atomic<size_t> next_{0};
  std::mutex error_mutex_;  // Guards error_.
  Status error_;
  size_t helpers_ = 0;  // Guarded by the book's owner.
};

// The open loans of one pool. Not thread-safe; its owner locks.
class LoanBook {
 public:
  void Open(Loan* loan) { loans_.push_back(loan); }
  void Close(Loan* loan) { loans_.remove(loan); }
  // A loan with work left, counted as having one helper more; null if there is none.
  Loan* Join();
  void Leave(Loan* loan) { --loan->helpers_; }
  bool HasHelpers(const Loan& loan) const { return loan.helpers_ > 0; }
  bool HasWork() const;

 private:
  std::list<Loan*> loans_;  // Not owned.
};

// Who has idle threads. Thread-safe.
class Lender {
 public:
  virtual ~Lender() = default;
  // Offer `loan` to at most `helpers` idle threads, now and as threads become idle.
  virtual void Offer(Loan* loan, size_t helpers) = 0;
  // Offer it no more, and wait until the last helper has left.
  virtual void Recall(Loan* loan) = 0;
  // Is a thread idle now, and no task waiting for it?
  virtual bool HasIdle() const = 0;
};

// Thread-safe; calls may nest.
class LentParallel final : public Parallel {
 public:
  // `lender` outlives this.
  LentParallel(Lender* lender, size_t width) : lender_(lender), width_(width) {}
  Status For(size_t count, const std::function<Status(size_t)>& body) override;
  size_t width() const override { return width_.load(std::memory_order_relaxed); }
  bool HasIdle() const override { return width() > 1 && lender_->HasIdle(); }
  void SetWidth(size_t width) { width_.store(width, std::memory_order_relaxed); }

 private:
  Lender* lender_;
  std::atomic<size_t> width_;
};

}  // namespace pixpress
