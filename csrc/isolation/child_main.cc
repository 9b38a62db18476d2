// The worker process: locks itself in, then answers one message after the other.

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "base/clock.h"
#include "codecs/codec.h"
#include "isolation/child_job.h"
#include "isolation/message.h"
#include "isolation/sandbox.h"

namespace pixpress {
namespace {

enum ExitCode : int { kParentGone = 0, kUsage = 2, kNoSandbox = 3, kBadMessage = 4 };

// How long the memory of a job is kept for the next one.
constexpr int kTidyMs = 20;
// The parent takes about half of this to hand the next job over.
constexpr int64_t kLingerNs = 150'000;

// Look out for a message without sleeping. While jobs wait it comes at once, and who sleeps is
// woken late, often on another CPU, whose caches know nothing of him.
bool Linger(pollfd* ready) {
  const Clock& clock = Clock::System();
  const int64_t end_ns = clock.NowNs() + kLingerNs;
  while (clock.NowNs() < end_ns) {
    if (poll(ready, 1, 0) != 0) return true;
  }
  return false;
}

// False if the parent has gone.
bool Receive(ChildJob& job, std::string* bytes) {
  pollfd ready = {.fd = kSocketFd, .events = POLLIN, .revents = 0};
  const bool is_there = job.lingers() && Linger(&ready);
  if (!is_there && poll(&ready, 1, kTidyMs) == 0) job.Tidy();
  bytes->resize(kMostMessageBytes);
  ssize_t size;
  do {
    size = read(kSocketFd, bytes->data(), bytes->size());
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return false;
  bytes->resize(static_cast<size_t>(size));
  return true;
}

bool Send(const Message& message) {
  const std::string bytes = WriteMessage(message);
  ssize_t sent;
  do {
    sent = write(kSocketFd, bytes.data(), bytes.size());
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

// What libraries look up when first used, they look up before the filter forbids it.
void WarmUp() {
  for (const Codec* codec : AllCodecs()) static_cast<void>(codec->version());
  static_cast<void>(strerror(ENOMEM));
}

ExitCode Serve(ChildJob& job) {
  std::string bytes;
  while (Receive(job, &bytes)) {
    auto message = ReadMessage(bytes);
    if (!message.ok()) return kBadMessage;
    bool is_sent = false;
    if (const auto* plan = std::get_if<PlanRequest>(&message.value())) {
      is_sent = Send(job.Answer(*plan));
    } else if (const auto* run = std::get_if<RunRequest>(&message.value())) {
      is_sent = Send(job.Answer(*run));
    }
    if (!is_sent) return kBadMessage;
  }
  return kParentGone;
}

ExitCode Main(int argc, char** argv) {
  if (argc != 2) return kUsage;
  pid_t parent = 0;
  const char* end = argv[1] + std::strlen(argv[1]);
  const auto parsed = std::from_chars(argv[1], end, parent);
  if (parsed.ec != std::errc() || parsed.ptr != end) return kUsage;
  if (!EnterSandbox(parent).ok()) return kNoSandbox;
  auto control = Mapping::Map(kControlFd, kControlPageBytes, /*is_writable=*/true);
  if (!control.ok()) return kNoSandbox;
  ChildJob job(SharedFile(FileDescriptor(kInputFd)), SharedFile(FileDescriptor(kOutputFd)),
               *reinterpret_cast<ControlPage*>(control.value().data()));
  WarmUp();
  if (!Send(Hello{.filter_errno = FilterSystemCalls()})) return kParentGone;
  return Serve(job);
}

}  // namespace
}  // namespace pixpress

// Nothing is torn down: the system does that, and a filter may forbid what destructors do.
int main(int argc, char** argv) { _exit(pixpress::Main(argc, argv)); }
