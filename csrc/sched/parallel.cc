#include "sched/parallel.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace pixpress {

Status Loan::RunBody(size_t index) noexcept {
  try {
    return body_(index);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kMemoryLimit, "out of memory");
  } catch (const std::exception& error) {
    return Status(StatusCode::kInternal, error.what());
  } catch (...) {
    return Status(StatusCode::kInternal, "unknown exception");
  }
}

void Loan::Work(const std::function<bool()>& must_leave) noexcept {
  while (HasWork() && !must_leave()) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) return;
    Status status = RunBody(index);
    if (status.ok()) continue;
    next_.store(count_, std::memory_order_relaxed);
    const std::lock_guard lock(error_mutex_);
    if (error_.ok()) error_ = std::move(status);
  }
}

Status Loan::TakeError() {
  const std::lock_guard lock(error_mutex_);
  return std::move(error_);
}

Loan* LoanBook::Join() {
  for (Loan* loan : loans_) {
    if (!loan->HasWork()) continue;
    ++loan->helpers_;
    return loan;
  }
  return nullptr;
}

bool LoanBook::HasWork() const {
  return std::ranges::any_of(loans_, [](const Loan* loan) { return loan->HasWork(); });
}

Status LentParallel::For(size_t count, const std::function<Status(size_t)>& body) {
  Loan loan(count, body);
  const bool is_shared = count > 1 && width() > 1;
  if (is_shared) lender_->Offer(&loan, std::min(count, width()) - 1);
  loan.Work([] { return false; });
  if (is_shared) lender_->Recall(&loan);
  return loan.TakeError();
}

}  // namespace pixpress
