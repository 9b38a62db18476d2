# What the binding uses of the journal, as core.pxd is for the rest.

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from .core cimport CEngine, Job, JobSpec, JournalText, Status

cdef extern from *:
    """
    #include "engine/engine.h"

    namespace pixpress::seam {
    inline Status Resubmit(Engine& engine, JobSpec& spec, const JournalRow& row,
                           std::shared_ptr<Job>* out) {
      return Take(engine.Resubmit(std::move(spec), row), out);
    }
    inline Status JournalPage(Engine& engine, bool all, uint64_t after_id,
                              std::vector<JournalRow>* out) {
      const JournalRows which = all ? JournalRows::kAll : JournalRows::kUnfinished;
      return Take(engine.journal()->table().Rows(which, after_id, 256), out);
    }
    inline Status PurgeJournal(Engine& engine, int64_t before_unix_ns, uint64_t* out) {
      return Take(engine.journal()->table().PurgeFinished(before_unix_ns), out);
    }
    inline Status Announce(Engine& engine, const std::string& source, const std::string& output,
                           int priority, const JournalText& text, JournalRow* out) {
      return Take(engine.journal()->RecordSubmit(engine.NewId(), source, output,
                                                 static_cast<Priority>(priority), text),
                  out);
    }
    inline Status RecordStart(Engine& engine, const JournalRow& row) {
      return engine.journal()->RecordStart(row.job.id, row.attempt + 1);
    }
    // The end of a job that never became one of the engine's.
    inline Status RecordEnd(Engine& engine, const JournalRow& row, const std::string& code,
                            const std::string& message) {
      std::vector<JournalRecord> records;
      if (code == "QUEUED") {
        records.emplace_back(JournalChange::Queued(row.job.id, row.retries));
      } else if (code == "CANCELLED") {
        records.emplace_back(JournalChange::Cancelled(row.job.id));
      } else {
        records.emplace_back(JournalChange::Failed(row.job.id, code, message));
      }
      return engine.journal()->RecordEnds(std::move(records));
    }
    inline Status CloseJournal(Engine& engine) {
      return engine.journal() == nullptr ? Status() : engine.journal()->Close();
    }
    inline std::string StateName(const JournalRow& row) {
      return std::string(JournalStateName(row.state));
    }
    inline std::string OutputPath(const JournalRow& row) {
      return row.output.has_value() ? row.output->path : "";
    }
    inline std::string OutputHash(const JournalRow& row) {
      return row.output.has_value() ? row.output->hash.Hex() : "";
    }
    inline uint64_t OutputBytes(const JournalRow& row) {
      return row.output.has_value() ? row.output->size_bytes : 0;
    }
    inline std::string JournalPath(Engine& engine) {
      return engine.journal() == nullptr ? "" : engine.journal()->table().path();
    }
    inline std::vector<std::string> JournalNotices(Engine& engine) {
      return engine.journal() == nullptr ? std::vector<std::string>()
                                         : engine.journal()->table().notices();
    }
    }  // namespace pixpress::seam
    """

cdef extern from "store/journal.h" namespace "pixpress" nogil:
    cdef cppclass JournalJob "pixpress::JournalJob":
        uint64_t id
        string source_path, output_path, output_root, settings, batch
        int priority
        int64_t created_unix_ns
    cdef cppclass CJournalRow "pixpress::JournalRow":
        JournalJob job
        uint32_t attempt, retries, crashes
        string code, message
        int64_t changed_unix_ns

cdef extern from * namespace "pixpress::seam" nogil:
    Status seam_resubmit "pixpress::seam::Resubmit"(CEngine&, JobSpec&, const CJournalRow&,
                                                   shared_ptr[Job]*)
    Status seam_journal_page "pixpress::seam::JournalPage"(CEngine&, cbool, uint64_t,
                                                          vector[CJournalRow]*)
    Status seam_purge "pixpress::seam::PurgeJournal"(CEngine&, int64_t, uint64_t*)
    Status seam_announce "pixpress::seam::Announce"(CEngine&, const string&, const string&, int,
                                                   const JournalText&, CJournalRow*)
    Status seam_record_start "pixpress::seam::RecordStart"(CEngine&, const CJournalRow&)
    Status seam_record_end "pixpress::seam::RecordEnd"(CEngine&, const CJournalRow&, const string&,
                                                      const string&)
    Status seam_close_journal "pixpress::seam::CloseJournal"(CEngine&)
    string seam_state_name "pixpress::seam::StateName"(const CJournalRow&)
    string seam_output_path "pixpress::seam::OutputPath"(const CJournalRow&)
    string seam_output_hash "pixpress::seam::OutputHash"(const CJournalRow&)
    uint64_t seam_output_bytes "pixpress::seam::OutputBytes"(const CJournalRow&)
    string seam_journal_path "pixpress::seam::JournalPath"(CEngine&)
    vector[string] seam_journal_notices "pixpress::seam::JournalNotices"(CEngine&)
