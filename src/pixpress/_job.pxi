# The part of _native.pyx about jobs: one that was submitted, and one that the journal knows.


cdef class JobHandle:
    """One submitted job, with what it borrows."""

    cdef shared_ptr[Job] job
    cdef NativeSource source
    cdef Engine engine
    cdef readonly object settings, batch
    cdef object asked_path, future
    cdef uint64_t tag

    @property
    def task_id(self):
        """The number of the job in its pool."""
        return deref(self.job).id

    @property
    def state(self):
        """0 queued, 1 running, 2 done, 3 failed, 4 cancelled."""
        return seam_state(deref(self.job))

    @property
    def name(self):
        """The path of the source, or what messages call it."""
        return self.source.name

    @property
    def output_path(self):
        """The output file, or None; in full once the job has ended."""
        cdef Job* job = self.job.get()
        if self.asked_path is None or job.is_abandoned:
            return self.asked_path
        if seam_state(deref(job)) not in (STATE_DONE, STATE_FAILED):  # A worker may write it.
            return self.asked_path
        return os.fsdecode(<bytes>job.OutputPath())

    @property
    def pending(self):
        """The future, until its outcome is there."""
        return self.future

    def describe(self):
        """State, priority, retries, times and sizes at this moment, by name."""
        return numbers_of(self.engine.engine.get().Describe(deref(self.job)))

    def set_priority(self, int priority):
        """False if the job does not wait any more."""
        cdef cbool waits = False
        cdef Status status
        cdef uint64_t task_id = deref(self.job).id
        with nogil:
            status = seam_set_priority(deref(self.engine.engine.get()), task_id, priority, &waits)
        check(status)
        return waits

    def cancel(self):
        """True if the job ends, or has ended, as cancelled."""
        self.engine.check_process()
        cdef bint ended
        with nogil:
            ended = self.engine.engine.get().Cancel(self.job)
        return ended

    def wait(self, int64_t timeout_ns):
        """Wait for the job, for 50 ms at most; False on time-out."""
        self.engine.check_process()
        cdef bint ended
        if timeout_ns < 0 or timeout_ns > SLICE_NS:
            timeout_ns = SLICE_NS
        with nogil:
            ended = self.engine.engine.get().WaitJob(deref(self.job), timeout_ns)
        return ended

    def deliver(self, bint is_reader=False):
        """Resolve the future of this ended job, unless another thread has, or the reader will."""
        cdef bint is_out_of_turn = self.engine.has_listeners and not is_reader
        if is_out_of_turn and self.engine.reader != get_ident():
            return None
        if self.engine.live.pop(self.tag, None) is None:
            return None
        future, result, error = self.outcome()
        if is_out_of_turn:  # A callback of the reader waits for this job.
            self.engine.nested.append((future, self.batch))
        try:
            future._resolve(result, error)
        except BaseException:  # A signal's: nobody else can resolve it any more.
            future._resolve(result, error)
            raise
        return future

    cdef tuple outcome(self):
        cdef Job* job = self.job.get()
        cdef int state = seam_state(deref(job))
        future, self.future = self.future, None
        if future is not None:  # The thread that submits may not have come to this yet.
            future._handle = self
        if job.is_abandoned:  # Its worker may still read the source.
            self.engine.hanging[self.tag] = self
        else:
            self.source.release()
        if state == STATE_CANCELLED:
            return future, None, None
        if state != STATE_DONE:
            return future, None, self.source.error(job.status, self.output_path)
        try:
            return future, self.make_result(job), None
        except MemoryError as error:
            return future, None, error
        finally:
            seam_drop_data(job.result)

    cdef object make_result(self, Job* job):
        cdef JobResult* r = &job.result
        stage_ns = PyBytes_FromStringAndSize(<char*>&r.stage_ns[0], STAGE_COUNT * sizeof(int64_t))
        warnings = tuple([text_of(w) for w in r.warnings])
        return Result(
            job.id, self.source.name, copy_data(deref(r)), self.output_path, FORMATS[<int>r.format],
            r.width, r.height, r.original_bytes, r.compressed_bytes,
            (job.end_time_ns - job.start_time_ns) * 1e-9, stage_ns, r.estimated_memory_bytes,
            r.peak_memory_bytes, job.attempts, job.worker_id, <int>r.skipped_reason, r.quality,
            seam_score_of(deref(r)), warnings, job.is_from_cache)


cdef class JournalEntry:
    """A job as the journal knows it."""

    cdef CJournalRow row

    @property
    def task_id(self):
        """The number of the job."""
        return self.row.job.id

    @property
    def crashes(self):
        """How many processes died while it ran."""
        return self.row.crashes

    @property
    def settings(self):
        """What was submitted as `kept`."""
        return <bytes>self.row.job.settings

    def fields(self):
        """State, paths, priority, batch, counts, times in ns, the output, and why it failed."""
        cdef CJournalRow* r = &self.row
        return (text_of(seam_state_name(deref(r))), os.fsdecode(<bytes>r.job.source_path),
                os.fsdecode(<bytes>r.job.output_path) or None, r.job.priority,
                text_of(r.job.batch) or None, r.attempt, r.retries, r.crashes,
                r.job.created_unix_ns, r.changed_unix_ns,
                os.fsdecode(<bytes>seam_output_path(deref(r))) or None, seam_output_bytes(deref(r)),
                text_of(seam_output_hash(deref(r))) or None, text_of(r.code), text_of(r.message))
