# The part of _native.pyx about pools: the engine that runs jobs.

# What runs jobs under isolation="process": built with this module, and beside it.
WORKER_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_worker")


cdef EngineOptions options_of(EngineOptions base, dict options) except *:
    for name, value in options.items():
        if not seam_set_option(name.encode(), value, &base):
            raise KeyError(name)
    return base


cdef class Engine:
    """Owns a native engine. After a fork the child leaks it, since its threads are not there."""

    cdef EnginePtr engine
    cdef dict live  # JobHandle by tag: jobs whose outcome has not been delivered.
    cdef dict hanging  # The same of those that ended while their workers hang.
    cdef list recent  # The handle of the last job of each id modulo RECENT.
    cdef uint64_t last_tag
    cdef readonly int pid
    cdef readonly bint has_listeners
    cdef public object reader  # The thread that calls `collect`.
    cdef readonly list nested  # Futures with batches that it delivered out of turn.

    def __init__(self, dict options, str journal="", bint takes_over=False, str cache=""):
        cdef EngineOptions o = options_of(EngineOptions(), options)
        cdef string path = os.fsencode(journal)
        o.worker_program = os.fsencode(WORKER_PROGRAM)
        o.cache_folder = os.fsencode(cache)
        self.pid = getpid()
        self.live, self.hanging, self.recent = {}, {}, [None] * RECENT
        self.nested = []
        cdef Status status
        with nogil:
            status = seam_create(o, path, takes_over, &self.engine)
        check(status, "" if status.code() == StatusCode.kOption else journal)

    def __dealloc__(self):
        if getpid() != self.pid:
            self.engine.release()
            return
        with nogil:
            self.engine.reset()

    cpdef check_process(self):
        """Refuse to be used in a forked child."""
        if getpid() != self.pid:
            raise make_error(15, "the pool belongs to the parent process")

    def submit(self, NativeSettings settings, NativeSource source, output_path, str output_root,
               int priority, int64_t timeout_ns, future, object request=None, batch=None,
               uint64_t batch_id=0, unsigned int group=0, bytes kept=None,
               JournalEntry left=None):
        """Queue a job; `collect` gives its handle when it has ended.

        `request` is what the handle shows as settings. The journal keeps the job, and `kept` with
        it, unless that is None. `left` is what it has of the job from an earlier owner.
        """
        self.check_process()
        cdef JobSpec spec
        cdef JobHandle handle = JobHandle.__new__(JobHandle)
        spec.settings = settings.settings
        spec.source = source.source
        if output_path is not None:
            spec.output_path = os.fsencode(output_path)
        if output_root:
            spec.output_root = os.fsencode(output_root)
        self.last_tag += 1
        spec.tag = handle.tag = self.last_tag
        handle.engine, handle.source, handle.asked_path = self, source, output_path
        handle.future, handle.settings, handle.batch = future, request, batch
        spec.batch, spec.group = batch_id, group
        self.live[handle.tag] = handle  # Before the event thread can look for it.
        try:
            check(self.enqueue(spec, handle, priority, timeout_ns, kept, left), source.name)
        except BaseException:
            del self.live[handle.tag]
            raise
        self.recent[deref(handle.job).id % RECENT] = handle
        return handle

    cdef Status enqueue(self, JobSpec& spec, JobHandle handle, int priority, int64_t timeout_ns,
                        bytes kept, JournalEntry left) except *:
        cdef Status status
        cdef shared_ptr[Job] job  # Not the handle's, which others may read and set meanwhile.
        cdef int64_t left_ns
        cdef JournalText text
        cdef const JournalText* kept_text = NULL
        if left is not None:
            with nogil:
                status = seam_resubmit(deref(self.engine.get()), spec, left.row, &job)
            handle.job = job
            return status
        if kept is not None:
            text.settings = kept
            if handle.batch is not None:
                text.batch = (<str>handle.batch).encode()
            kept_text = &text
        # With the GIL while nothing can block: handing it over costs more than the call.
        if handle.source.is_pinned:
            status = seam_submit(deref(self.engine.get()), spec, priority, 0, kept_text,
                                 &job)
        else:
            with nogil:
                status = seam_submit(deref(self.engine.get()), spec, priority, 0, kept_text,
                                     &job)
        while status.code() == StatusCode.kQueueFull and timeout_ns != 0:
            PyErr_CheckSignals()
            left_ns = SLICE_NS if timeout_ns < 0 else min(SLICE_NS, timeout_ns)
            timeout_ns -= 0 if timeout_ns < 0 else left_ns
            with nogil:
                status = seam_submit(deref(self.engine.get()), spec, priority, left_ns, kept_text,
                                     &job)
        handle.job = job
        return status

    def find(self, uint64_t task_id):
        """The handle of a job that has not ended, or did so lately; else None."""
        cdef JobHandle handle = self.recent[task_id % RECENT]
        if handle is not None and deref(handle.job).id == task_id:
            return handle
        cdef shared_ptr[Job] job = self.engine.get().Find(task_id)
        handle = None if job.get() == NULL else self.live.get(job.get().spec.tag)
        if handle is not None:
            handle.job = job  # The thread that submits it may not have come to this yet.
        return handle

    def collect(self, int64_t timeout_ns):
        """Wait for events: handles of jobs that have ended, and rows of what else happened.

        A row is (type, task id, worker id, stage, fraction, bytes, delay in s, error or None).
        """
        cdef vector[Event] events
        cdef JobHandle handle
        cdef Event* e
        cdef size_t i
        with nogil:
            self.engine.get().WaitEvents(timeout_ns, &events)
        out = []
        for i in range(events.size()):
            e = &events[i]
            if <int>e.type == TASK_ENDED:
                handle = self.live.get(e.job.get().spec.tag)
                if handle is not None:  # Else a thread that waited for the job has taken it.
                    handle.job = e.job
                    out.append(handle)
            elif <int>e.type == TASK_RELEASED:
                handle = self.hanging.pop(e.job.get().spec.tag, None)
                if handle is not None:
                    handle.source.release()
            else:
                error = None if e.status.ok() else error_of(e.status, "")
                out.append((<int>e.type, e.job.get().id if e.job.get() != NULL else 0,
                            e.worker_id, stage_name(e.stage), e.fraction, e.bytes,
                            e.delay_ns * 1e-9, error))
        return out

    def listen(self, bint is_wanted):
        """Report progress, and leave the end of every job to the reader of `collect`."""
        self.has_listeners = is_wanted
        self.engine.get().WantProgress(is_wanted)

    def update(self, dict options):
        """Change options while jobs run."""
        cdef EngineOptions o = options_of(self.engine.get().options(), options)
        with nogil:
            self.engine.get().Update(o)

    def metrics(self):
        """What workers did, by name."""
        cdef vector[pair[string, double]] numbers
        with nogil:  # Looks at the folder of the cache.
            numbers = self.engine.get().Metrics()
        return numbers_of(numbers)

    def health(self):
        """What the machine does, by name."""
        cdef vector[pair[string, double]] numbers
        with nogil:
            numbers = self.engine.get().Health()
        return numbers_of(numbers)

    def blacklist(self):
        """The inputs that are known to be bad: (name, size, reason)."""
        cdef vector[BlacklistedInput] entries = self.engine.get().Blacklisted()
        return [(os.fsdecode(e.name), e.size_bytes, text_of(e.reason)) for e in entries]

    def clear_blacklist(self, str name):
        """Forget the entries of this name, all if it is empty; returns how many."""
        cdef size_t count
        cdef string raw = os.fsencode(name)
        cdef Status status
        with nogil:
            status = seam_clear_blacklist(deref(self.engine.get()), raw, &count)
        check(status)
        return count

    @property
    def journal_path(self):
        """Where the journal is; None without one."""
        return os.fsdecode(<bytes>seam_journal_path(deref(self.engine.get()))) or None

    def journal_notices(self):
        """What the user must hear about the opening of the journal."""
        return [text_of(notice) for notice in seam_journal_notices(deref(self.engine.get()))]

    def journal_page(self, bint all_states, uint64_t after_id):
        """A few hundred entries with higher ids, in order; none if there are none."""
        cdef vector[CJournalRow] rows
        cdef Status status
        cdef JournalEntry entry
        cdef size_t i
        with nogil:
            status = seam_journal_page(deref(self.engine.get()), all_states, after_id, &rows)
        check(status)
        page = []
        for i in range(rows.size()):
            entry = JournalEntry.__new__(JournalEntry)
            entry.row = rows[i]
            page.append(entry)
        return page

    def announce(self, str source, output, int priority, batch, bytes kept):
        """Give the journal a job whose pixels are still to be made; returns its entry.

        `submit` takes that as `left`, with the pixels.
        """
        self.check_process()
        cdef JournalEntry entry = JournalEntry.__new__(JournalEntry)
        cdef string path = os.fsencode(source)
        cdef string target = os.fsencode(output or "")
        cdef JournalText text
        cdef Status status
        text.settings = kept
        text.batch = (batch or "").encode()
        with nogil:
            status = seam_announce(deref(self.engine.get()), path, target, priority, text,
                                   &entry.row)
        check(status)
        return entry

    def record_start(self, JournalEntry entry):
        """From here on a crash is charged to the source of this announced job."""
        cdef Status status
        with nogil:
            status = seam_record_start(deref(self.engine.get()), entry.row)
        check(status)

    def record_end(self, JournalEntry entry, str code, str message=""):
        """The job ends without pixels: QUEUED for the next pool, CANCELLED, or the error's code."""
        cdef string raw_code = code.encode()
        cdef string raw_message = message.encode("utf-8", "replace")
        cdef Status status
        with nogil:
            status = seam_record_end(deref(self.engine.get()), entry.row, raw_code, raw_message)
        check(status)

    def close_journal(self):
        """Give the journal up, when all jobs have ended."""
        cdef Status status
        with nogil:
            status = seam_close_journal(deref(self.engine.get()))
        check(status)

    def purge_journal(self, int64_t before_unix_ns):
        """Forget jobs that ended before this time; returns how many."""
        cdef uint64_t count
        cdef Status status
        with nogil:
            status = seam_purge(deref(self.engine.get()), before_unix_ns, &count)
        check(status)
        return count

    def wait_idle(self, int64_t timeout_ns):
        """Wait until no job is queued or running; False on time-out."""
        cdef bint idle
        with nogil:
            idle = self.engine.get().WaitIdle(timeout_ns)
        return idle

    def wake(self):
        """Make `collect` return."""
        self.engine.get().WakeEvents()

    def close(self):
        """Take no more jobs."""
        with nogil:
            self.engine.get().CloseIntake()

    def cancel_all(self, bint running_too):
        """Cancel what is queued, and what runs if asked."""
        with nogil:
            self.engine.get().CancelAll(running_too)

    def trim(self):
        """Give retained memory back; returns the bytes."""
        cdef size_t freed
        with nogil:
            freed = self.engine.get().Trim()
        return freed

    def leak(self):
        """Keep everything for ever: its threads run on while the interpreter ends."""
        Py_INCREF(self)

    def undelivered(self):
        """The futures of jobs whose outcome has not been delivered."""
        return [(<JobHandle>handle).future for handle in list(self.live.values())]

    def stats(self):
        """Counters and gauges."""
        return {name: int(value) for name, value in
                numbers_of(self.engine.get().Counts()).items()}
