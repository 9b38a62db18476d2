#include "store/journal_lock.h"

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "store/journal.h"
#include "store/temporary_folder.h"

namespace pixpress {
namespace {

namespace fs = std::filesystem;

class JournalLockTest : public FolderTest {
 protected:
  Result<std::unique_ptr<Journal>> Open(const std::string& name = "queue.db") const {
    return Journal::Open(Path(name), {.durable = false});
  }
};

TEST_F(JournalLockTest, ASecondOwnerIsRefusedWithThePidOfTheFirst) {
  int to_parent[2], to_child[2];
  ASSERT_EQ(pipe(to_parent), 0);
  ASSERT_EQ(pipe(to_child), 0);
  const pid_t child = Fork([&] {
    close(to_child[1]);  // So that it ends with this process at the latest.
    const auto journal = Open();
    char byte = journal.ok() ? 'y' : 'n';
    if (write(to_parent[1], &byte, 1) != 1) return 1;
    return read(to_child[0], &byte, 1) == 1 ? 0 : 1;  // Holds the journal until then.
  });
  char byte = 0;
  ASSERT_EQ(read(to_parent[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = Open();
  EXPECT_EQ(refused.status().code(), StatusCode::kJournal);
  EXPECT_EQ(refused.status().sys_errno(), EAGAIN);
  EXPECT_NE(refused.status().message().find("process " + std::to_string(child)), std::string::npos)
      << refused.status().message();
  ASSERT_EQ(write(to_child[1], &byte, 1), 1);
  EXPECT_EQ(WaitFor(child), 0);
  EXPECT_TRUE(Open().ok()) << "an owner that ended is none";
  for (const int fd : {to_parent[0], to_parent[1], to_child[0], to_child[1]}) close(fd);
}

TEST_F(JournalLockTest, OneProcessCannotOwnItTwiceByAnyName) {
  const auto first = Open();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Open().status().sys_errno(), EAGAIN);
  fs::create_symlink(Path("queue.db"), Path("link.db"));
  fs::create_directory(Path("sub"));
  EXPECT_EQ(Open("link.db").status().sys_errno(), EAGAIN);
  EXPECT_EQ(Open("sub/../queue.db").status().sys_errno(), EAGAIN);
  fs::create_hard_link(Path("queue.db"), Path("hard.db"));
  EXPECT_EQ(Open("hard.db").status().sys_errno(), EMLINK);
}

TEST_F(JournalLockTest, AForkedChildNeitherUsesNorKeepsNorHarmsTheJournal) {
  int to_child[2];
  ASSERT_EQ(pipe(to_child), 0);
  auto journal = Open();
  ASSERT_TRUE(journal.ok());
  JournalJob job;
  job.id = 1;
  ASSERT_TRUE(journal.value()->Append(job).ok());
  const pid_t child = Fork([&] {
    close(to_child[1]);
    job.id = 2;
    const bool refuses = journal.value()->Append(job).code() == StatusCode::kForkedPool &&
                         journal.value()->Counts().status().code() == StatusCode::kForkedPool &&
                         journal.value()->Close().code() == StatusCode::kForkedPool;
    journal.value().reset();  // As a finalizer does in the child.
    char byte;
    return refuses && read(to_child[0], &byte, 1) == 1 ? 0 : 1;
  });
  job.id = 3;
  EXPECT_TRUE(journal.value()->Append(job).ok());
  EXPECT_EQ(Open().status().sys_errno(), EAGAIN) << "the child's end of it did not unlock ours";
  journal.value().reset();
  auto again = Open();  // The child lives on.
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again.value()->Counts().value()[0], 2u);
  ASSERT_EQ(write(to_child[1], "x", 1), 1);
  EXPECT_EQ(WaitFor(child), 0);
  for (const int fd : to_child) close(fd);
}

TEST_F(JournalLockTest, AChildThatOutlivesAKilledOwnerDoesNotKeepTheJournal) {
  int to_parent[2], to_grandchild[2];
  ASSERT_EQ(pipe(to_parent), 0);
  ASSERT_EQ(pipe(to_grandchild), 0);
  const pid_t owner = Fork([&] {
    const auto journal = Open();
    if (!journal.ok()) return 1;
    close(to_grandchild[1]);
    Fork([&] {
      char byte = 'r';
      if (write(to_parent[1], &byte, 1) != 1) return 1;
      return read(to_grandchild[0], &byte, 1) == 1 ? 0 : 1;
    });
    pause();
    return 0;
  });
  char byte = 0;
  ASSERT_EQ(read(to_parent[0], &byte, 1), 1);
  kill(owner, SIGKILL);
  EXPECT_EQ(WaitFor(owner), -SIGKILL);
  const auto journal = Open();
  EXPECT_TRUE(journal.ok()) << journal.status().message();
  ASSERT_EQ(write(to_grandchild[1], &byte, 1), 1);
  for (const int fd : {to_parent[0], to_parent[1], to_grandchild[0], to_grandchild[1]}) close(fd);
}

TEST_F(JournalLockTest, PathsThatCannotBeAJournalAreRefused) {
  EXPECT_EQ(Open("none/queue.db").status().sys_errno(), ENOENT);
  EXPECT_EQ(Open(std::string("a\0b", 3)).status().sys_errno(), EINVAL);
  EXPECT_EQ(Journal::Open("", {}).status().sys_errno(), EINVAL);
  fs::create_directory(Path("folder"));
  EXPECT_FALSE(Open("folder").ok());
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(Open("fifo").status().sys_errno(), EINVAL);
  Write(Path("other.lock"), "somebody else's");
  EXPECT_EQ(Open("other").status().sys_errno(), EEXIST);
  EXPECT_EQ(Read(Path("other.lock")), "somebody else's");
  EXPECT_FALSE(fs::exists(Path("other")));
}

}  // namespace
}  // namespace pixpress
