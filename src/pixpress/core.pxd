# What the binding uses of the core. Declarations, and the few shims that turn a Result into a
# Status and an out-parameter, which Cython cannot say.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport shared_ptr, unique_ptr
from libcpp.string cimport string
from libcpp.utility cimport pair
from libcpp.vector cimport vector

cdef extern from *:
    """
    #include <limits>
    #include "base/status.h"
    #include "codecs/codec.h"
    #include "engine/engine.h"
    #include "image/exif.h"
    #include "kernels/color_transform.h"
    #include "kernels/convert.h"
    #include "pipeline/one_shot.h"

    namespace pixpress::seam {
    template <typename T>
    Status Take(Result<T> result, T* out) {
      if (!result.ok()) return std::move(result).status();
      *out = std::move(result).value();
      return Status();
    }
    inline Status Create(const EngineOptions& options, const std::string& journal, bool takes_over,
                         EnginePtr* out) {
      return Take(Engine::Create(options, {.path = journal, .takes_over = takes_over}), out);
    }
    inline bool SetOneOption(const std::string& name, double value, EngineOptions* options) {
      return SetOption(name, value, options);
    }
    inline Status Submit(Engine& engine, JobSpec& spec, int priority, int64_t timeout_ns,
                         const JournalText* text, std::shared_ptr<Job>* out) {
      return Take(engine.Submit(std::move(spec), static_cast<Priority>(priority), timeout_ns, text),
                  out);
    }
    inline Status SetPriority(Engine& engine, uint64_t id, int priority, bool* out) {
      return Take(engine.SetPriority(id, static_cast<Priority>(priority)), out);
    }
    inline Status ClearBlacklist(Engine& engine, const std::string& name, size_t* out) {
      return Take(engine.ClearBlacklist(name), out);
    }
    inline Status Probe(const Source& source, const Limits& limits, ImageInfo* out) {
      return Take(ProbeImage(source, limits), out);
    }
    inline Status Open(const Source& source, int color, bool has_alpha, bool all_frames,
                       std::unique_ptr<PixelReader>* out) {
      std::optional<PixelMode> mode;
      if (color >= 0) mode = PixelMode{static_cast<ColorModel>(color), has_alpha};
      return Take(PixelReader::Open(source, Limits(), mode, all_frames), out);
    }
    inline Status ReadFrames(PixelReader& reader, void* out) {
      const size_t row_bytes = reader.layout().row_bytes(0);
      auto* next = static_cast<uint8_t*>(out);
      for (uint32_t i = 0; i < reader.frames(); ++i, next += row_bytes * reader.layout().height) {
        PIXPRESS_RETURN_IF_ERROR(reader.ReadInto(next, row_bytes));
      }
      return Status();
    }
    inline void SetBytes(Source& source, const void* data, size_t size) {
      source.kind = Source::Kind::kBytes;
      source.bytes = Bytes(static_cast<const uint8_t*>(data), size);
    }
    inline void SetPixels(Source& source, const void* data, uint32_t width, uint32_t height,
                          int color, bool has_alpha, int bits) {
      source.kind = Source::Kind::kPixels;
      source.layout = ImageLayout::Interleaved(width, height, static_cast<ColorModel>(color),
                                               has_alpha, static_cast<uint8_t>(bits));
      source.stride_bytes = source.layout.row_bytes(0);
      source.bytes = Bytes(static_cast<const uint8_t*>(data), source.stride_bytes * height);
    }
    inline void SetImported(Source& source, const std::string& icc, const std::string& exif,
                            const std::string& xmp, uint32_t frames, uint64_t encoded_bytes) {
      auto imported = std::make_shared<Imported>();
      Metadata& metadata = imported->metadata;
      metadata.icc.assign(icc.begin(), icc.end());
      metadata.exif.assign(exif.begin(), exif.end());
      metadata.xmp.assign(xmp.begin(), xmp.end());
      const ExifSummary summary = ParseExif(metadata.exif);
      metadata.orientation = summary.orientation;
      metadata.density = summary.density;
      imported->frames = frames;
      imported->encoded_bytes = encoded_bytes;
      source.imported = std::move(imported);
    }
    inline float ScoreOf(const JobResult& result) {
      return result.score.value_or(std::numeric_limits<float>::quiet_NaN());
    }
    inline int64_t DataSize(const JobResult& result) {
      return result.data.has_value() ? static_cast<int64_t>(result.data->size_bytes()) : -1;
    }
    inline void CopyData(const JobResult& result, void* out) {
      result.data->CopyTo(static_cast<uint8_t*>(out));
    }
    inline void DropData(JobResult& result) { result.data.reset(); }
    inline int StateOf(const Job& job) { return static_cast<int>(job.state.load()); }
    inline Status Resize(const Source& source, uint32_t width, uint32_t height, int filter,
                         bool linear, void* out) {
      const size_t row = source.layout.row_bytes(0) / source.layout.width * width;
      return ResizePixels(source.layout, source.bytes.data(), source.stride_bytes, width, height,
                          static_cast<Filter>(filter), linear, static_cast<uint8_t*>(out), row);
    }
    inline Status Score(const Source& reference, const Source& distorted, double* out) {
      return Take(ScorePixels(reference, distorted), out);
    }
    inline Status Quantize(const Source& source, uint32_t colors, float dither, int min_quality,
                           void* indices, std::vector<Rgba>* palette) {
      PixelView view;
      view.data = source.bytes.data();
      view.stride_bytes = source.stride_bytes;
      view.width = source.layout.width;
      view.height = source.layout.height;
      view.channels = source.layout.planes[0].channels;
      PaletteOptions options;
      options.max_colors = colors;
      options.dither = dither;
      if (min_quality >= 0) options.min_quality = min_quality;
      return QuantizePixels(view, options, static_cast<uint8_t*>(indices), palette);
    }
    inline std::shared_ptr<Settings> MakeSettings(
        int format, int fit, float x, float y, int filter, int progressive, int subsampling,
        int min_quality, float target_score, int policy, int overwrite, int on_damage,
        int animated) {
      auto s = std::make_shared<Settings>();
      s->format = static_cast<Format>(format);
      s->fit = static_cast<Fit>(fit);
      s->position = {x, y};
      s->resample = static_cast<Filter>(filter);
      s->progressive = static_cast<Progressive>(progressive);
      s->subsampling = static_cast<Subsampling>(subsampling);
      if (min_quality >= 0) s->min_quality = min_quality;
      s->target_score = target_score;
      s->metadata = static_cast<MetadataPolicy>(policy);
      s->overwrite = static_cast<Overwrite>(overwrite);
      s->on_damage = static_cast<OnDamage>(on_damage);
      s->animated = static_cast<Animated>(animated);
      return s;
    }
    inline std::shared_ptr<Settings> WithFormat(const Settings& settings, int format) {
      auto copy = std::make_shared<Settings>(settings);
      copy->format = static_cast<Format>(format);
      return copy;
    }
    // One line per codec, with tabs: name, version, "r" and "w" as it can, extensions.
    inline std::string DescribeCodecs() {
      std::string text;
      for (const Codec* codec : AllCodecs()) {
        text.append(codec->name).append("\\t").append(codec->version()).append("\\t");
        text.append(codec->decode != nullptr ? "r" : "").append(codec->encode ? "w" : "");
        for (const std::string_view extension : codec->extensions) {
          text.append("\\t").append(extension);
        }
        text.append("\\n");
      }
      return text;
    }
    }  // namespace pixpress::seam
    """

cdef extern from "kernels/color_transform.h" namespace "pixpress" nogil:
    string ColorLibraryVersion()

cdef extern from "base/status.h" namespace "pixpress" nogil:
    cdef enum class StatusCode "pixpress::StatusCode":
        kOk "pixpress::StatusCode::kOk"
        kQueueFull "pixpress::StatusCode::kQueueFull"
        kOption "pixpress::StatusCode::kOption"
    cdef enum class Stage "pixpress::Stage":
        kNone "pixpress::Stage::kNone"
    cdef cppclass Status "pixpress::Status":
        Status()
        cbool ok() const
        StatusCode code() const
        int sys_errno() const
        Stage stage() const
        const string& message() const
    cdef cppclass string_view "std::string_view":
        const char* data() const
        size_t size() const
    string_view StageName "pixpress::StageName"(Stage stage)

cdef extern from "image/limits.h" namespace "pixpress" nogil:
    cdef cppclass CLimits "pixpress::Limits":
        uint64_t max_pixels, max_total_pixels
        uint32_t max_frames, max_scans
        uint64_t max_pixel_scans, max_metadata_bytes, max_input_bytes

cdef extern from "image/pixel_format.h" namespace "pixpress" nogil:
    cdef cppclass Rgba "pixpress::Rgba":
        uint8_t r, g, b, a
    cdef cppclass PlaneLayout "pixpress::PlaneLayout":
        uint8_t channels
    cdef cppclass ImageLayout "pixpress::ImageLayout":
        uint32_t width, height
        int color
        cbool has_alpha
        uint8_t bits
        PlaneLayout* planes
        size_t row_bytes(size_t plane) const
        uint64_t total_bytes() const

cdef extern from "codecs/codec.h" namespace "pixpress" nogil:
    cdef cppclass CImageInfo "pixpress::ImageInfo":
        int format
        uint32_t width, height, frames, loop_count
        uint8_t orientation
        int color
        cbool has_alpha
        uint8_t bits
        cbool is_progressive, is_lossless, has_icc
        int estimated_quality

cdef extern from "codecs/encode_options.h" namespace "pixpress" nogil:
    cdef cppclass ExpertOptions "pixpress::ExpertOptions":
        int jpeg_trellis, jpeg_scan_search, png_compression_level, png_filter
        int webp_method, webp_sharp_yuv, avif_speed

cdef extern from "pipeline/job_spec.h" namespace "pixpress" nogil:
    cdef cppclass CSettings "pixpress::Settings":
        int quality, effort
        uint64_t max_bytes
        cbool lossless
        uint32_t width, height
        Rgba background
        cbool upscale, linear
        uint32_t colors, max_frames
        float dither
        int near_lossless, alpha_quality
        cbool auto_orient, post_process
        ExpertOptions expert
        CLimits limits
    cdef cppclass Source "pixpress::Source":
        string name
        ImageLayout layout
    cdef cppclass JobSpec "pixpress::JobSpec":
        shared_ptr[CSettings] settings
        Source source
        string output_path, output_root
        uint64_t batch, tag
        uint32_t group
    cdef cppclass JobResult "pixpress::JobResult":
        int format
        uint32_t width, height
        uint64_t original_bytes, compressed_bytes, estimated_memory_bytes, peak_memory_bytes
        int skipped_reason, quality
        vector[string] warnings
        int64_t* stage_ns

cdef extern from "engine/engine.h" namespace "pixpress" nogil:
    cdef cppclass Job "pixpress::Job":
        uint64_t id
        JobSpec spec
        Status status
        JobResult result
        int32_t worker_id
        uint32_t attempts
        int64_t start_time_ns, end_time_ns
        cbool is_abandoned, is_from_cache
        string OutputPath()
    cdef cppclass Event "pixpress::Event":
        int type
        shared_ptr[Job] job
        Stage stage
        float fraction
        uint32_t worker_id
        uint64_t bytes
        int64_t delay_ns
        Status status
    cdef cppclass EngineOptions "pixpress::EngineOptions":
        EngineOptions()
        string worker_program, cache_folder
    cdef cppclass BlacklistedInput "pixpress::BlacklistedInput":
        string name
        uint64_t size_bytes
        string reason
    cdef cppclass JournalText "pixpress::JournalText":
        string settings, batch
    cdef cppclass CEngine "pixpress::Engine":
        cbool Cancel(const shared_ptr[Job]& job)
        shared_ptr[Job] Find(uint64_t id)
        vector[pair[string, double]] Describe(const Job& job)
        cbool WaitEvents(int64_t timeout_ns, vector[Event]* events)
        void WakeEvents()
        cbool WaitJob(Job& job, int64_t timeout_ns)
        cbool WaitIdle(int64_t timeout_ns)
        void CloseIntake()
        void CancelAll(cbool running_too)
        size_t Trim()
        vector[pair[string, double]] Counts() const
        vector[pair[string, double]] Metrics()
        vector[pair[string, double]] Health()
        vector[BlacklistedInput] Blacklisted() const
        EngineOptions options() const
        void Update(const EngineOptions& options)
        void WantProgress(cbool is_wanted)
    cdef cppclass EnginePtr "pixpress::EnginePtr":
        CEngine* get()
        CEngine* release()
        void reset()
    uint32_t AllowedCpus "pixpress::AllowedCpus"()
    uint64_t AllowedMemoryBytes "pixpress::AllowedMemoryBytes"()
    uint64_t FreeMemoryBytes "pixpress::FreeMemoryBytes"()

cdef extern from "pipeline/one_shot.h" namespace "pixpress" nogil:
    cdef cppclass PixelReader "pixpress::PixelReader":
        const ImageLayout& layout() const
        uint32_t frames() const
    cdef cppclass OneShotJob "pixpress::OneShotJob":
        Status Run(const JobSpec& spec)
        const JobResult& result() const

cdef extern from "kernels/convert.h" namespace "pixpress" nogil:
    const char* SimdTargetName "pixpress::SimdTargetName"()

cdef extern from * namespace "pixpress::seam" nogil:
    Status seam_create "pixpress::seam::Create"(const EngineOptions&, const string&, cbool,
                                               EnginePtr*)
    Status seam_set_priority "pixpress::seam::SetPriority"(CEngine&, uint64_t, int, cbool*)
    Status seam_clear_blacklist "pixpress::seam::ClearBlacklist"(CEngine&, const string&, size_t*)
    cbool seam_set_option "pixpress::seam::SetOneOption"(const string&, double, EngineOptions*)
    Status seam_submit "pixpress::seam::Submit"(CEngine&, JobSpec&, int, int64_t,
                                               const JournalText*, shared_ptr[Job]*)
    Status seam_probe "pixpress::seam::Probe"(const Source&, const CLimits&, CImageInfo*)
    Status seam_open "pixpress::seam::Open"(const Source&, int, cbool, cbool,
                                           unique_ptr[PixelReader]*)
    Status seam_read_frames "pixpress::seam::ReadFrames"(PixelReader&, void*)
    void seam_set_bytes "pixpress::seam::SetBytes"(Source&, const void*, size_t)
    void seam_set_pixels "pixpress::seam::SetPixels"(Source&, const void*, uint32_t, uint32_t, int,
                                                    cbool, int)
    void seam_set_imported "pixpress::seam::SetImported"(Source&, const string&, const string&,
                                                        const string&, uint32_t, uint64_t)
    float seam_score_of "pixpress::seam::ScoreOf"(const JobResult&)
    int64_t seam_data_size "pixpress::seam::DataSize"(const JobResult&)
    void seam_copy_data "pixpress::seam::CopyData"(const JobResult&, void*)
    void seam_drop_data "pixpress::seam::DropData"(JobResult&)
    int seam_state "pixpress::seam::StateOf"(const Job&)
    Status seam_resize "pixpress::seam::Resize"(const Source&, uint32_t, uint32_t, int, cbool,
                                               void*)
    Status seam_score "pixpress::seam::Score"(const Source&, const Source&, double*)
    Status seam_quantize "pixpress::seam::Quantize"(const Source&, uint32_t, float, int, void*,
                                                   vector[Rgba]*)
    shared_ptr[CSettings] seam_settings "pixpress::seam::MakeSettings"(
        int, int, float, float, int, int, int, int, float, int, int, int, int)
    string seam_codecs "pixpress::seam::DescribeCodecs"()
    shared_ptr[CSettings] seam_with_format "pixpress::seam::WithFormat"(const CSettings&, int)
