// What an image can make a worker process do in test builds: the text after "pixpress-test:" in
// its bytes names it.

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codecs/codec.h"
#include "isolation/message.h"

namespace pixpress {
namespace {

constexpr std::string_view kMark = "pixpress-test:";

// The errno of a call, 0 if it worked.
template <typename Call>
std::string Tried(const char* name, Call call) {
  errno = 0;
  const bool is_done = call() >= 0;
  return std::string(name) + "=" + std::to_string(is_done ? 0 : errno) + ";";
}

// Everything that a hostile decoder might try first.
Status TryToEscape() {
  std::string outcome;
  outcome += Tried("open", [] { return open("/etc/passwd", O_RDONLY); });
  outcome += Tried("create", [] { return open("/tmp/pixpress-escaped", O_CREAT | O_RDWR, 0600); });
  outcome += Tried("socket", [] { return socket(AF_INET, SOCK_STREAM, 0); });
  outcome += Tried("fork", [] { return fork(); });
  outcome += Tried("exec", [] { return execl("/bin/true", "true", nullptr); });
  outcome += Tried("kill", [] { return kill(getppid(), 0); });
  outcome += Tried("dup", [] { return dup(kSocketFd); });
  outcome += Tried("shrink", [] { return ftruncate(kInputFd, 0); });
  outcome += Tried("raise", [] {
    const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_AS, &unlimited);
  });
  outcome += Tried("code", [] {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : 0;
  });
  outcome += "environment=" + std::to_string(environ != nullptr && environ[0] != nullptr) + ";";
  return Status(StatusCode::kCorruptImage, outcome);
}

Status FillOutput() {
  const std::vector<uint8_t> block(1 << 20);
  uint64_t written = 0;
  for (;;) {
    const ssize_t size = pwrite(kOutputFd, block.data(), block.size(), static_cast<off_t>(written));
    if (size <= 0) break;
    written += static_cast<uint64_t>(size);
  }
  return Status(StatusCode::kCorruptImage,
                "written=" + std::to_string(written) + ";errno=" + std::to_string(errno) + ";");
}

Status TakeAllMemory() {
  std::vector<std::vector<char>> taken;
  for (;;) taken.emplace_back(16u << 20, 'x');  // Ends with std::bad_alloc.
}

}  // namespace

Status RunTestHook(Bytes encoded);

Status RunTestHook(Bytes encoded) {
  const std::string_view text(reinterpret_cast<const char*>(encoded.data()), encoded.size());
  const size_t mark = text.find(kMark);
  if (mark == text.npos) return Status();
  const std::string_view what = text.substr(mark + kMark.size());
  if (what.starts_with("segfault")) {
    volatile uintptr_t nowhere = 8;
    *reinterpret_cast<int*>(nowhere) = 1;
  }
  if (what.starts_with("abort")) std::abort();
  if (what.starts_with("exit")) _exit(7);
  if (what.starts_with("hang")) {
    const std::atomic<bool> is_over{false};
    while (!is_over.load()) {
    }
  }
  if (what.starts_with("memory")) return TakeAllMemory();
  if (what.starts_with("escape")) return TryToEscape();
  if (what.starts_with("fill")) return FillOutput();
  if (what.starts_with("lie")) {  // An answer to a question that nobody asked.
    const std::string lie = WriteMessage(Done{});
    if (write(kSocketFd, lie.data(), lie.size()) > 0) pause();
  }
  if (what.starts_with("babble")) {
    if (write(kSocketFd, "\xFF\xFF", 2) > 0) pause();
  }
  return Status(StatusCode::kInternal, "no such hook");
}

}  // namespace pixpress
