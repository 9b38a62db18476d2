# cython: language_level=3, freethreading_compatible=False
# distutils: language = c++
"""The seam: convert, one call without the GIL, check, convert."""

import os

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer, Py_buffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_INCREF
from cython.operator cimport dereference as deref
from libc.stdint cimport int64_t, uint64_t
from libcpp.memory cimport shared_ptr, unique_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

from .core cimport (
    AllowedCpus, AllowedMemoryBytes, CEngine, CImageInfo, CLimits, CSettings, EngineOptions,
    EngineStats, Event, FreeMemoryBytes, Job, JobResult, JobSpec, OneShotJob, PixelReader, Rgba,
    SimdTargetName, Source, Stage, StageName, Status, StatusCode, seam_codecs, seam_copy_data,
    seam_create, seam_data_size, seam_drop_data, seam_open, seam_probe, seam_quantize,
    seam_read_frames, seam_resize, seam_set_bytes, seam_set_pixels, seam_settings, seam_state,
    seam_submit, seam_with_format,
)

from .errors import make_error
from .result import ImageInfo, Result

cdef tuple FORMATS = ("keep", "jpeg", "png", "webp", "gif", "avif")
cdef int SLICE_NS = 50_000_000, SMALL_BYTES = 1 << 16
cdef int STAGE_COUNT = 11, STATE_DONE = 2, STATE_CANCELLED = 4


cdef str stage_name(Stage stage):
    return StageName(stage).data()[:StageName(stage).size()].decode()


cdef str text_of(const string& text):
    cdef bytes raw = text
    return raw.decode("utf-8", "replace")


cdef object error_of(const Status& status, str name, output=None):
    message = text_of(status.message())
    if name and not message.startswith(name):
        message = f"{name}: {message}"
    where = stage_name(status.stage()) if <int>status.stage() else ""
    return make_error(<int>status.code(), message, where, status.sys_errno(), name, output)


cdef int check(const Status& status, str name="") except -1:
    if status.ok():
        return 0
    raise error_of(status, name)


cdef class NativeSettings:
    """Validated settings in the core's form; shared by jobs."""

    cdef shared_ptr[CSettings] settings
    cdef readonly int format
    cdef dict by_format

    def __init__(self, int format, int quality, int effort, bint lossless, unsigned int width,
                 unsigned int height, int fit, tuple position, tuple background, int resample,
                 bint upscale, bint linear, int progressive, int subsampling, unsigned int colors,
                 float dither, int min_quality, int near_lossless, int alpha_quality, int metadata,
                 bint auto_orient, int overwrite, int animated, unsigned int max_frames,
                 tuple limits):
        self.settings = seam_settings(format, fit, position[0], position[1], resample, progressive,
                                      subsampling, min_quality, metadata, overwrite, animated)
        self.format = format
        self.by_format = {}
        cdef CSettings* s = self.settings.get()
        s.quality, s.effort, s.width, s.height = quality, effort, width, height
        s.background.r, s.background.g, s.background.b, s.background.a = background
        s.lossless, s.upscale, s.linear = lossless, upscale, linear
        s.colors, s.dither, s.max_frames = colors, dither, max_frames
        s.near_lossless, s.alpha_quality, s.auto_orient = near_lossless, alpha_quality, auto_orient
        (s.limits.max_pixels, s.limits.max_total_pixels, s.limits.max_frames, s.limits.max_scans,
         s.limits.max_pixel_scans, s.limits.max_metadata_bytes, s.limits.max_input_bytes) = limits

    def with_format(self, int format):
        """The same settings with another format."""
        if format == self.format:
            return self
        found = self.by_format.get(format)
        cdef NativeSettings made
        if found is None:
            made = NativeSettings.__new__(NativeSettings)
            made.settings = seam_with_format(deref(self.settings), format)
            made.format = format
            made.by_format = {}
            self.by_format[format] = found = made
        return found


cdef class NativeSource:
    """Where an image comes from; pins the buffer that the core borrows."""

    cdef Source source
    cdef Py_buffer view
    cdef bint is_pinned
    cdef readonly str name

    def __init__(self, str name, object data=None, tuple pixels=None):
        self.name = name
        self.source.name = os.fsencode(name)
        if data is None:
            return
        PyObject_GetBuffer(data, &self.view, PyBUF_SIMPLE)
        self.is_pinned = True
        if pixels is None:
            seam_set_bytes(self.source, self.view.buf, self.view.len)
            return
        width, height, color, has_alpha, bits = pixels
        seam_set_pixels(self.source, self.view.buf, width, height, color, has_alpha, bits)
        if self.source.layout.total_bytes() != <uint64_t>self.view.len:
            raise ValueError("the buffer is not of the size that the layout says")

    cdef void release(self):
        if self.is_pinned:
            self.is_pinned = False
            PyBuffer_Release(&self.view)

    def __dealloc__(self):
        self.release()


cdef object copy_data(const JobResult& result):
    cdef int64_t size = seam_data_size(result)
    if size < 0:
        return None
    data = PyBytes_FromStringAndSize(NULL, size)
    cdef char* out = PyBytes_AS_STRING(data)
    if size < SMALL_BYTES:
        seam_copy_data(result, out)
    else:
        with nogil:
            seam_copy_data(result, out)
    return data


cdef class JobHandle:
    """One submitted job, with what it borrows."""

    cdef shared_ptr[Job] job
    cdef NativeSource source
    cdef Engine engine
    cdef object output_path
    cdef object future
    cdef uint64_t tag

    @property
    def task_id(self):
        """The number of the job in its pool."""
        return deref(self.job).id

    @property
    def state(self):
        """0 queued, 1 running, 2 done, 3 failed, 4 cancelled."""
        return seam_state(deref(self.job))

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

    def deliver(self):
        """Do for this ended job what the reader of `collect` would, unless it has done so."""
        if self.engine.live.pop(self.tag, None) is None:
            return
        future, result, error = self.outcome()
        try:
            future._resolve(result, error)
        except BaseException:  # A signal's: nobody else can resolve it any more.
            future._resolve(result, error)
            raise

    cdef tuple outcome(self):
        cdef Job* job = self.job.get()
        cdef int state = seam_state(deref(job))
        future, self.future = self.future, None
        self.source.release()
        if state == STATE_CANCELLED:
            return future, None, None
        if state != STATE_DONE:
            return future, None, error_of(job.status, self.source.name, self.output_path)
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
            r.peak_memory_bytes, job.attempts, job.worker_id, <int>r.skipped_reason, warnings)


cdef class Engine:
    """Owns a native engine. After a fork the child leaks it, since its threads are not there."""

    cdef unique_ptr[CEngine] engine
    cdef dict live  # JobHandle by tag: jobs whose outcome has not been delivered.
    cdef uint64_t last_tag
    cdef readonly int pid

    def __init__(self, dict options):
        cdef EngineOptions o
        o.max_workers, o.min_workers = options["max_workers"], options["min_workers"]
        o.memory_limit_bytes = options["memory_limit"]
        o.worker_memory_limit_bytes = options["worker_memory_limit"]
        o.task_timeout_ns, o.queue_timeout_ns = options["task_timeout"], options["queue_timeout"]
        o.idle_timeout_ns = options["idle_timeout"]
        o.max_queue, o.max_queue_bytes = options["max_queue"], options["max_queue_bytes"]
        o.worker_nice, o.durable = options["worker_nice"], options["durable"]
        self.pid = os.getpid()
        self.live = {}
        cdef Status status
        with nogil:
            status = seam_create(o, &self.engine)
        check(status)

    def __dealloc__(self):
        if os is None or os.getpid() != self.pid:
            self.engine.release()
            return
        with nogil:
            self.engine.reset()

    cpdef check_process(self):
        """Refuse to be used in a forked child."""
        if os.getpid() != self.pid:
            raise make_error(15, "the pool belongs to the parent process")

    def submit(self, NativeSettings settings, NativeSource source, output_path, str output_root,
               int priority, int64_t timeout_ns, future):
        """Queue a job; its outcome comes out of `collect` with `future`."""
        cdef JobSpec spec
        cdef Status status
        cdef int64_t left_ns
        cdef JobHandle handle = JobHandle.__new__(JobHandle)
        spec.settings = settings.settings
        spec.source = source.source
        if output_path is not None:
            spec.output_path = os.fsencode(output_path)
        if output_root:
            spec.output_root = os.fsencode(output_root)
        self.last_tag += 1
        spec.tag = handle.tag = self.last_tag
        handle.engine, handle.source, handle.output_path = self, source, output_path
        handle.future = future
        self.live[handle.tag] = handle  # Before the event thread can look for it.
        try:
            # With the GIL while nothing can block: handing it over costs more than the call.
            if source.is_pinned:
                status = seam_submit(deref(self.engine), spec, priority, 0, &handle.job)
            else:
                with nogil:
                    status = seam_submit(deref(self.engine), spec, priority, 0, &handle.job)
            while status.code() == StatusCode.kQueueFull and timeout_ns != 0:
                PyErr_CheckSignals()
                left_ns = SLICE_NS if timeout_ns < 0 else min(SLICE_NS, timeout_ns)
                timeout_ns -= 0 if timeout_ns < 0 else left_ns
                with nogil:
                    status = seam_submit(deref(self.engine), spec, priority, left_ns, &handle.job)
            check(status, source.name)
        except BaseException:
            del self.live[handle.tag]
            raise
        return handle

    def collect(self, int64_t timeout_ns):
        """Wait for events: a list of (future, result, error); both None means cancelled."""
        cdef vector[Event] events
        cdef JobHandle handle
        with nogil:
            self.engine.get().WaitEvents(timeout_ns, &events)
        out = []
        cdef size_t i
        for i in range(events.size()):
            if <int>events[i].type != 0:
                continue
            handle = self.live.pop(events[i].job.get().spec.tag, None)
            if handle is not None:  # Else a thread that waited for the job has taken it.
                handle.job = events[i].job
                out.append(handle.outcome())
        return out

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
        cdef EngineStats s = self.engine.get().Stats()
        return {
            "workers": s.workers, "busy_workers": s.busy_workers, "queued": s.queued,
            "running": s.running, "submitted": s.submitted, "succeeded": s.succeeded,
            "failed": s.failed, "cancelled": s.cancelled, "dropped_events": s.dropped_events,
            "memory_limit": s.memory_limit_bytes, "reserved_memory": s.reserved_bytes,
            "live_memory": s.live_bytes, "retained_memory": s.retained_bytes,
        }


def probe(NativeSource source, NativeSettings settings):
    """Read the header."""
    cdef CImageInfo i
    cdef Status status
    with nogil:
        status = seam_probe(source.source, settings.settings.get().limits, &i)
    check(status, source.name)
    mode = ("L", "RGB", "YCbCr", "CMYK", "P")[<int>i.color]
    if i.has_alpha:
        mode += "A"
    return ImageInfo(FORMATS[<int>i.format], i.width, i.height, i.frames, i.orientation, mode,
                     i.has_alpha, i.bits, i.is_progressive, i.is_lossless, i.has_icc,
                     i.estimated_quality, i.loop_count)


def decode(NativeSource source, int color, bint has_alpha, bint all_frames, allocate):
    """Decode into the buffer that `allocate(frames, height, width, channels, bits)` makes."""
    cdef unique_ptr[PixelReader] reader
    cdef Status status
    with nogil:
        status = seam_open(source.source, color, has_alpha, all_frames, &reader)
    check(status, source.name)
    cdef Py_buffer view
    array = allocate(reader.get().frames(), reader.get().layout().height,
                     reader.get().layout().width,
                     reader.get().layout().planes[0].channels, reader.get().layout().bits)
    PyObject_GetBuffer(array, &view, 1)
    try:
        with nogil:
            status = seam_read_frames(deref(reader), view.buf)
        check(status, source.name)
    finally:
        PyBuffer_Release(&view)
        with nogil:
            reader.reset()
    return array


def run(NativeSettings settings, NativeSource source):
    """One job on this thread; returns its bytes."""
    cdef OneShotJob job
    cdef JobSpec spec
    cdef Status status
    spec.settings = settings.settings
    spec.source = source.source
    with nogil:
        status = job.Run(spec)
    check(status, source.name)
    return copy_data(job.result())


def resize(NativeSource source, unsigned int width, unsigned int height, int resample, bint linear,
           out):
    """Resample into the writable buffer `out`."""
    cdef Py_buffer view
    cdef Status status
    PyObject_GetBuffer(out, &view, 1)
    try:
        with nogil:
            status = seam_resize(source.source, width, height, resample, linear, view.buf)
    finally:
        PyBuffer_Release(&view)
    check(status)


def quantize(NativeSource source, unsigned int colors, float dither, int min_quality, out):
    """Write indices into `out`; returns the palette as (r, g, b, a) tuples."""
    cdef Py_buffer view
    cdef Status status
    cdef vector[Rgba] palette
    PyObject_GetBuffer(out, &view, 1)
    try:
        with nogil:
            status = seam_quantize(source.source, colors, dither, min_quality, view.buf, &palette)
    finally:
        PyBuffer_Release(&view)
    check(status)
    return [(c.r, c.g, c.b, c.a) for c in palette]


def machine():
    """What this process may use: CPUs, bytes of memory, and how much of that is free."""
    return AllowedCpus(), AllowedMemoryBytes(), FreeMemoryBytes()


def stage_names():
    """The names of the stages, in the order of their times in results."""
    return tuple([stage_name(<Stage>stage) for stage in range(STAGE_COUNT)])


def built_in():
    """The SIMD target in use, and lines about codecs (see DescribeCodecs)."""
    return SimdTargetName().decode(), text_of(seam_codecs())
