#include "codecs/avif/movie.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "codecs/avif/box_cursor.h"

namespace pixpress {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint64_t kEndless = std::numeric_limits<uint64_t>::max();

void WriteNumber(uint64_t number, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(number >> 8 * (count - 1 - i));
}

void AppendNumber(uint64_t number, size_t count, std::vector<uint8_t>* to) {
  to->resize(to->size() + count);
  WriteNumber(number, count, to->data() + to->size() - count);
}

// A number of a full box whose fields of 8 bytes have 4 in version 0. `wide` of them and
// `narrow` of 4 bytes come before it.
struct Field {
  size_t at = 0;
  size_t bytes = 0;
};
uint64_t NumberAt(Bytes file, const Field& field) {
  return BoxCursor(file, field.at, field.at + field.bytes).Number(field.bytes);
}
std::optional<Field> FieldOf(Bytes file, const Box& box, size_t wide, size_t narrow) {
  if (box.end - box.body < 4) return std::nullopt;
  const size_t bytes = file[box.body] == 1 ? 8 : 4;
  const Field field{box.body + 4 + wide * bytes + narrow * 4, bytes};
  if (field.at + bytes > box.end) return std::nullopt;
  return field;
}

// Movie, track and media headers begin with when they were made and changed.
void ForgetDates(std::span<uint8_t> file, const std::optional<Box>& header) {
  if (!header.has_value()) return;
  const auto changed = FieldOf(file, *header, 1, 0);
  if (!changed.has_value()) return;
  std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(header->body + 4), 2 * changed->bytes, 0);
}

// Copies the movie box with an edit list for each track.
class MovieCopy {
 public:
  MovieCopy(Bytes file, uint64_t shown_units, uint64_t all_units, std::vector<uint8_t>* out)
      : file_(file), shown_units_(shown_units), all_units_(all_units), out_(out) {}

  // False if a box is not as libavif writes it.
  bool Copy(const Box& box) {
    const std::string_view type = box.type;
    const size_t start = out_->size();
    if (type == "moov" || type == "trak") {
      out_->insert(out_->end(), file_.begin() + static_cast<std::ptrdiff_t>(box.begin),
                   file_.begin() + static_cast<std::ptrdiff_t>(box.body));
      BoxCursor children = box.Children(file_);
      while (const auto child = NextBox(&children)) {
        if (!Copy(*child)) return false;
        if (child->type == "tkhd") AppendEditList();
      }
      if (box.body - box.begin != kHeadBytes) return false;
      WriteNumber(out_->size() - start, 4, out_->data() + start);
      return true;
    }
    out_->insert(out_->end(), file_.begin() + static_cast<std::ptrdiff_t>(box.begin),
                 file_.begin() + static_cast<std::ptrdiff_t>(box.end));
    if (type != "mvhd" && type != "tkhd") return true;
    const auto duration = FieldOf(file_, box, 2, type == "mvhd" ? 1 : 2);
    if (!duration.has_value() || duration->bytes != 8) return false;
    WriteNumber(all_units_, 8, out_->data() + start + (duration->at - box.begin));
    return true;
  }

 private:
  void AppendEditList() {
    constexpr uint64_t kRepeats = 1;  // The list is shown again until the track's duration is over.
    constexpr size_t kListBytes = 36;
    AppendNumber(kHeadBytes + kListBytes, 4, out_);
    out_->insert(out_->end(), {'e', 'd', 't', 's'});
    AppendNumber(kListBytes, 4, out_);
    out_->insert(out_->end(), {'e', 'l', 's', 't'});
    AppendNumber(uint64_t{1} << 24 | (all_units_ == shown_units_ ? 0 : kRepeats), 4, out_);
    AppendNumber(1, 4, out_);             // Entries.
    AppendNumber(shown_units_, 8, out_);  // From the first unit on, at the speed of 1.0.
    AppendNumber(0, 8, out_);
    AppendNumber(1u << 16, 4, out_);
  }

  const Bytes file_;
  const uint64_t shown_units_;
  const uint64_t all_units_;
  std::vector<uint8_t>* const out_;  // Not owned.
};

uint64_t UnitsOfAll(uint64_t shown_units, uint32_t loop_count) {
  if (loop_count == 0 || shown_units > (kEndless - 1) / loop_count) return kEndless;
  return shown_units * loop_count;
}

}  // namespace

uint32_t AvifLoopCount(Bytes encoded) {
  const Box file = WholeFile(encoded);
  const auto track = FindBox(encoded, file, "moov", "trak");
  if (!track.has_value()) return 0;
  const auto header = FindBox(encoded, *track, "tkhd");
  const auto list = FindBox(encoded, *track, "edts", "elst");
  if (!header.has_value() || !list.has_value()) return 0;
  const auto all = FieldOf(encoded, *header, 2, 2);
  const auto shown = FieldOf(encoded, *list, 0, 1);
  if (!all.has_value() || !shown.has_value()) return 0;
  if ((encoded[list->body + 3] & 1) == 0) return 1;
  const uint64_t all_units = NumberAt(encoded, *all);
  const uint64_t shown_units = NumberAt(encoded, *shown);
  const bool is_endless = all_units == kEndless >> (64 - 8 * all->bytes);
  if (is_endless || shown_units == 0) return 0;
  const uint64_t loops = all_units / shown_units + (all_units % shown_units != 0 ? 1 : 0);
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(loops, 1, std::numeric_limits<uint32_t>::max()));
}

Status FinishAvifMovie(uint32_t loop_count, std::span<uint8_t> file, std::vector<uint8_t>* tail) {
  const Box whole = WholeFile(file);
  const auto movie = FindBox(file, whole, "moov");
  if (!movie.has_value()) return Status();
  const auto header = FindBox(file, *movie, "mvhd");
  ForgetDates(file, header);
  bool has_list = false;
  BoxCursor tracks = movie->Children(file);
  while (const auto track = NextBox(&tracks)) {
    if (track->type != "trak") continue;
    ForgetDates(file, FindBox(file, *track, "tkhd"));
    ForgetDates(file, FindBox(file, *track, "mdia", "mdhd"));
    has_list |= FindBox(file, *track, "edts").has_value();
  }
  if (has_list) return Status();
  const auto duration = header.has_value() ? FieldOf(file, *header, 2, 1) : std::nullopt;
  if (duration.has_value()) {
    const uint64_t shown = NumberAt(file, *duration);
    MovieCopy copy(file, shown, UnitsOfAll(shown, loop_count), tail);
    if (copy.Copy(*movie)) {
      WriteNumber(0x66726565, 4, file.data() + movie->begin + 4);  // "free"
      std::fill(file.begin() + static_cast<std::ptrdiff_t>(movie->body),
                file.begin() + static_cast<std::ptrdiff_t>(movie->end), uint8_t{0});
      return Status();
    }
  }
  return Status(StatusCode::kInternal, "AVIF: libavif wrote another movie box than expected");
}

}  // namespace pixpress
