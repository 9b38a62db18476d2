# cython: language_level=3, freethreading_compatible=False
# distutils: language = c++
"""The seam: convert, one call without the GIL, check, convert."""

import os
from threading import get_ident

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer, Py_buffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_INCREF
from cython.operator cimport dereference as deref
from libc.stdint cimport int64_t, uint64_t
from libcpp.memory cimport shared_ptr, unique_ptr
from libcpp.string cimport string
from libcpp.utility cimport pair
from libcpp.vector cimport vector
from posix.unistd cimport getpid

from .core cimport *  # Nothing there is meant for anyone else.
from .journal_core cimport *

from .errors import make_error, seen_error
from .result import ImageInfo, Result

cdef tuple FORMATS = ("keep", "jpeg", "png", "webp", "gif", "avif")
cdef int SLICE_NS = 50_000_000, SMALL_BYTES = 1 << 16
cdef int STAGE_COUNT = 11, STATE_DONE = 2, STATE_FAILED = 3, STATE_CANCELLED = 4
cdef int TASK_ENDED = 0, TASK_RELEASED = 3, RECENT = 1024


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


cdef dict numbers_of(vector[pair[string, double]] numbers):
    return {text_of(n.first): n.second for n in numbers}


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
                 float dither, int min_quality, float target_score, int near_lossless,
                 int alpha_quality, int metadata, bint auto_orient, int overwrite, int on_damage,
                 int animated, unsigned int max_frames, uint64_t max_bytes, bint post_process,
                 tuple expert, tuple limits):
        self.settings = seam_settings(format, fit, position[0], position[1], resample, progressive,
                                      subsampling, min_quality, target_score, metadata, overwrite,
                                      on_damage, animated)
        self.format = format
        self.by_format = {}
        cdef CSettings* s = self.settings.get()
        s.quality, s.effort, s.width, s.height = quality, effort, width, height
        s.background.r, s.background.g, s.background.b, s.background.a = background
        s.lossless, s.upscale, s.linear = lossless, upscale, linear
        s.colors, s.dither, s.max_frames, s.max_bytes = colors, dither, max_frames, max_bytes
        s.near_lossless, s.alpha_quality, s.auto_orient = near_lossless, alpha_quality, auto_orient
        s.post_process = post_process
        (s.expert.jpeg_trellis, s.expert.jpeg_scan_search, s.expert.png_compression_level,
         s.expert.png_filter, s.expert.webp_method, s.expert.webp_sharp_yuv,
         s.expert.avif_speed) = expert
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
    cdef int unseen_errno  # Why nobody could see whether Pillow is to read it; 0: somebody did.

    def __init__(self, str name, object data=None, tuple form=None, tuple extra=None,
                 int unseen_errno=0):
        self.name, self.unseen_errno = name, unseen_errno
        self.source.name = os.fsencode(name)
        if data is None:
            return
        PyObject_GetBuffer(data, &self.view, PyBUF_SIMPLE)
        self.is_pinned = True
        if form is None:
            seam_set_bytes(self.source, self.view.buf, self.view.len)
            return
        seam_set_pixels(self.source, self.view.buf, form[0], form[1], form[2], form[3], form[4])
        if self.source.layout.total_bytes() != <uint64_t>self.view.len:
            raise ValueError("the buffer is not of the size that the layout says")
        if extra is not None:
            seam_set_imported(self.source, extra[0], extra[1], extra[2], extra[3], extra[4])

    cdef void release(self):
        if self.is_pinned:
            self.is_pinned = False
            PyBuffer_Release(&self.view)

    def __dealloc__(self):
        self.release()

    cdef object error(self, const Status& status, output=None):
        return seen_error(error_of(status, self.name, output), self.name, self.unseen_errno)


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


include "_job.pxi"
include "_engine.pxi"


def probe(NativeSource source, NativeSettings settings):
    """Read the header."""
    cdef CImageInfo i
    cdef Status status
    with nogil:
        status = seam_probe(source.source, settings.settings.get().limits, &i)
    if not status.ok():
        raise source.error(status)
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
    if not status.ok():
        raise source.error(status)
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


def score(NativeSource reference, NativeSource distorted):
    """The SSIMULACRA2 of two images of one size."""
    cdef double value = 0
    cdef Status status
    with nogil:
        status = seam_score(reference.source, distorted.source, &value)
    check(status)
    return value


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
    """The SIMD target in use, lines about codecs (see DescribeCodecs), what converts colors."""
    return SimdTargetName().decode(), text_of(seam_codecs()), text_of(ColorLibraryVersion())
