#pragma once
// A folder of its own for each test, and files in it.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace pixpress {

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    // In memory if possible: these tests kill processes, not machines, and a sync takes long.
    const bool has_memory = access("/dev/shm", W_OK) == 0;
    const auto parent = has_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "pixpress-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  size_t CountOf(const std::string& part) const {
    size_t count = 0;
    for (const std::string& name : Names()) count += name.find(part) != std::string::npos;
    return count;
  }

  std::filesystem::path folder_;
};

// Run `body` in a child; its value is the exit code. The child ends without destructors.
inline pid_t Fork(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

// The exit code, or minus the signal that ended it.
inline int WaitFor(pid_t child) {
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
}

}  // namespace pixpress
