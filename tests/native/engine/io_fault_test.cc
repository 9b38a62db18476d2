// Every call of the system that a job makes fails in turn: the old output stays, the error has a
// type and its errno, no file is left over, and the queue goes on.

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "engine/scripted_engine.h"
#include "faults/io_faults.h"
#include "store/temporary_folder.h"
#include "worker_programs.h"

namespace pixpress {
namespace {

constexpr int kJobs = 2;
constexpr int64_t kWaitNs = 2 * kNsPerMs;
constexpr int kMostWaits = 5000;
constexpr int kErrors[] = {ENOSPC, EIO, EACCES, EMFILE, EINTR, ENOMEM, kIoFaultShort};
const std::string kOld = "what was there before";

struct Scenario {
  std::string name;
  bool is_durable = false;
  bool has_journal = false;
  bool is_isolated = false;
  bool is_new = false;  // No output is there, its folder neither, and none may be replaced.
};

// Whoever meets one of these tries again.
bool Passes(int error) {
  return error == EMFILE || error == EINTR || error == ENOMEM || error == kIoFaultShort;
}

bool IsTyped(const Status& status, int error) {
  if (status.code() == StatusCode::kJournal) {
    // SQLite has one code for all errors of a disk but a full one. What it cannot open for writing
    // it opens once more for reading, so that the error is that of the second call or of a write.
    const bool is_open = std::string_view(io_faults_failed()).starts_with("open");
    if (status.sys_errno() == EIO || (is_open && status.sys_errno() != 0)) return true;
  }
  const bool has_type =
      status.code() == StatusCode::kInput || status.code() == StatusCode::kOutput ||
      status.code() == StatusCode::kJournal || status.code() == StatusCode::kMemoryLimit ||
      status.code() == StatusCode::kWorkerCrashed;
  return has_type && status.sys_errno() == error;
}

size_t Descriptors() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

class IoFaultTest : public FolderTest {
 protected:
  IoFaultTest() {
    const std::vector<uint8_t> image = TestImage("", 150, 150);
    for (int i = 0; i < kJobs; ++i) Write(In(i), std::string(image.begin(), image.end()));
    Settings settings;
    settings.format = Format::kWebp;
    settings.effort = 1;
    over_ = std::make_shared<const Settings>(settings);
    settings.overwrite = Overwrite::kNever;
    never_ = std::make_shared<const Settings>(settings);
    Prepare({});
    for (const Status& status : RunAll({})) EXPECT_TRUE(status.ok()) << status.message();
    new_ = Read(Out({}, 0));
  }

  // Fail one call after the other until there are no more; how many there were.
  long FailEach(const Scenario& scenario, int error) {
    for (long nth = 1;; ++nth) {
      const long calls = FailOne(scenario, nth, error);
      if (nth > calls || HasFailure()) return calls;
    }
  }

 private:
  std::string In(int i) const { return Path("in" + std::to_string(i) + ".png"); }
  std::string Name(const Scenario& scenario, int i) const {
    return (scenario.is_new ? "new/" : "") + std::to_string(i) + ".webp";
  }
  std::string Out(const Scenario& scenario, int i) const {
    return Path("out/" + Name(scenario, i));
  }

  void Prepare(const Scenario& scenario) {
    for (const char* name : {"out", "journal"}) {
      std::filesystem::remove_all(Path(name));
      std::filesystem::create_directory(Path(name));
    }
    for (int i = 0; i < kJobs && !scenario.is_new; ++i) Write(Out(scenario, i), kOld);
  }

  JobSpec SpecOf(const Scenario& scenario, int i) const {
    JobSpec spec;
    spec.settings = scenario.is_new ? never_ : over_;
    spec.source.name = In(i);
    spec.output_path = scenario.is_new ? Name(scenario, i) : Out(scenario, i);
    if (scenario.is_new) spec.output_root = Path("out");
    return spec;
  }

  Result<EnginePtr> MakeEngine(const Scenario& scenario, const Clock& clock) const {
    EngineOptions options;
    options.max_workers = 1;
    options.durable = scenario.is_durable;
    options.isolate_jobs = scenario.is_isolated;
    options.worker_program = kWorker;
    EngineParts parts{.clock = clock};
    if (scenario.has_journal) {
      PIXPRESS_ASSIGN_OR_RETURN(
          parts.journal, JobJournal::Open({.path = Path("journal/queue.db"), .takes_over = true},
                                          scenario.is_durable, clock));
    }
    return EnginePtr(new EngineImpl(WithDefaults(options), std::move(parts)));
  }

  // To the end of the job, whatever has to be waited for.
  static Status EndOf(Engine& engine, FakeClock& clock, Job& job) {
    for (int waits = 0; !engine.WaitJob(job, kWaitNs); ++waits) {
      if (waits == kMostWaits) return Status(StatusCode::kInternal, "the job does not end");
      clock.Advance(kNsPerSecond);
      engine.Tick();
    }
    return job.status;
  }

  // One job after the other; how they ended.
  std::vector<Status> RunAll(const Scenario& scenario) const {
    FakeClock clock;
    const Result<EnginePtr> engine = MakeEngine(scenario, clock);
    std::vector<Status> ends;
    for (int i = 0; i < kJobs; ++i) {
      ends.push_back(engine.ok() ? RunOne(*engine.value(), clock, scenario, i) : engine.status());
    }
    return ends;
  }
  Status RunOne(Engine& engine, FakeClock& clock, const Scenario& scenario, int i) const {
    const JournalText text{.settings = "s", .batch = ""};
    PIXPRESS_ASSIGN_OR_RETURN(const std::shared_ptr<Job> job,
                              engine.Submit(SpecOf(scenario, i), Priority::kNormal, 0,
                                            scenario.has_journal ? &text : nullptr));
    return EndOf(engine, clock, *job);
  }

  long FailOne(const Scenario& scenario, long nth, int error) {
    Prepare(scenario);
    const size_t descriptors = Descriptors();
    // Files are the same with a worker process; what comes with it is memory that both share.
    io_faults_arm(scenario.is_isolated ? "/none" : folder_.c_str(), nth, error, false);
    const std::vector<Status> ends = RunAll(scenario);
    const long calls = io_faults_disarm();
    SCOPED_TRACE(scenario.name + ", errno " + std::to_string(error) + ", call " +
                 std::to_string(nth) + " " + io_faults_failed());
    EXPECT_EQ(Descriptors(), descriptors);
    CheckEnds(scenario, ends, error, nth <= calls);
    CheckFiles(scenario, ends);
    if (scenario.has_journal) Recover(scenario);
    return calls;
  }

  static void CheckEnds(const Scenario& scenario, const std::vector<Status>& ends, int error,
                        bool was_hit) {
    const auto failures = static_cast<int>(
        std::ranges::count_if(ends, [](const Status& status) { return !status.ok(); }));
    const bool is_journal_lost = std::ranges::any_of(
        ends, [](const Status& status) { return status.code() == StatusCode::kJournal; });
    EXPECT_LE(failures, !was_hit ? 0 : is_journal_lost ? kJobs : Passes(error) ? 0 : 1);
    EXPECT_TRUE(!is_journal_lost || scenario.has_journal);
    for (const Status& status : ends) {
      EXPECT_TRUE(status.ok() || IsTyped(status, error))
          << StatusCodeName(status.code()) << " " << status.sys_errno() << " " << status.message();
    }
  }

  void CheckFiles(const Scenario& scenario, const std::vector<Status>& ends) const {
    for (int i = 0; i < kJobs; ++i) {
      const Status& end = ends[static_cast<size_t>(i)];
      const std::string now = Read(Out(scenario, i));
      if (end.ok()) {
        EXPECT_TRUE(now == new_) << i;
      } else if (now != new_ || !io_faults_was_renamed()) {
        EXPECT_EQ(now, scenario.is_new ? "" : kOld) << i << end.message();
      }
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path("out"))) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
    }
  }

  // The next owner of the journal finds each job with its end, or ends it.
  void Recover(const Scenario& scenario) {
    FakeClock clock;
    const Result<EnginePtr> opened = MakeEngine(scenario, clock);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    Engine& engine = *opened.value();
    Journal& table = engine.journal()->table();
    EXPECT_TRUE(table.notices().empty());
    const auto left = table.Rows(JournalRows::kUnfinished, 0, kJobs).value();
    for (const JournalRow& row : left) {
      EXPECT_EQ(row.crashes, 0u);
      JobSpec spec = SpecOf(scenario, row.job.source_path == In(0) ? 0 : 1);
      spec.settings = over_;
      const auto job = engine.Resubmit(std::move(spec), row).value();
      EXPECT_TRUE(EndOf(engine, clock, *job).ok()) << job->status.message();
    }
    const auto rows = table.Rows(JournalRows::kAll, 0, kJobs).value();
    for (const JournalRow& row : rows) {
      EXPECT_TRUE(IsFinal(row.state));
      const int i = row.job.source_path == In(0) ? 0 : 1;
      if (row.state == JournalState::kDone) {
        EXPECT_TRUE(Read(Out(scenario, i)) == new_);
      }
    }
  }

  std::shared_ptr<const Settings> over_, never_;
  std::string new_;
};

TEST_F(IoFaultTest, OneCallFails) {
  for (const int error : kErrors) EXPECT_GT(FailEach({.name = "plain"}, error), 0);
}

TEST_F(IoFaultTest, OneCallFailsForANewOutputThatMustReachTheDisk) {
  const Scenario scenario{.name = "durable", .is_durable = true, .is_new = true};
  for (const int error : kErrors) EXPECT_GT(FailEach(scenario, error), 0);
}

TEST_F(IoFaultTest, OneCallFailsWithAJournal) {
  const Scenario scenario{.name = "journal", .is_durable = true, .has_journal = true};
  for (const int error : kErrors) EXPECT_GT(FailEach(scenario, error), 0);
}

TEST_F(IoFaultTest, OneCallFailsWithAWorkerProcess) {
  const Scenario scenario{.name = "isolated", .is_durable = true, .is_isolated = true};
  for (const int error : kErrors) EXPECT_GT(FailEach(scenario, error), 0);
}

}  // namespace
}  // namespace pixpress
