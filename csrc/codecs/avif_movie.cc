#include "codecs/avif_movie.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace pixpress {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint64_t kEndless = std::numeric_limits<uint64_t>::max();

uint64_t ReadNumber(Bytes bytes, size_t at, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i) number = number << 8 | bytes[at + i];
  return number;
}

void WriteNumber(uint64_t number, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(number >> 8 * (count - 1 - i));
}

void AppendNumber(uint64_t number, size_t count, std::vector<uint8_t>* to) {
  to->resize(to->size() + count);
  WriteNumber(number, count, to->data() + to->size() - count);
}

struct Box {
  size_t at = 0;
  size_t body = 0;
  size_t end = 0;

  std::string_view type(Bytes file) const {
    return {reinterpret_cast<const char*>(file.data()) + at + 4, 4};
  }
  size_t body_bytes() const { return end - body; }
};

// The box at `*at`, which moves behind it; none at `end` and if it is not whole.
std::optional<Box> TakeBox(Bytes file, size_t* at, size_t end) {
  if (end - *at < kHeadBytes) return std::nullopt;
  Box box{.at = *at, .body = *at + kHeadBytes, .end = end};
  uint64_t size = ReadNumber(file, *at, 4);
  if (size == 1) {
    if (end - *at < 2 * kHeadBytes) return std::nullopt;
    size = ReadNumber(file, box.body, 8);
    box.body += kHeadBytes;
  }
  if (size == 0) size = end - *at;
  if (size < box.body - *at || size > end - *at) return std::nullopt;
  *at += static_cast<size_t>(size);
  box.end = *at;
  return box;
}

std::optional<Box> Find(Bytes file, const Box& in, std::string_view type) {
  for (size_t at = in.body; const auto box = TakeBox(file, &at, in.end);) {
    if (box->type(file) == type) return box;
  }
  return std::nullopt;
}

std::optional<Box> Find(Bytes file, const Box& in, std::string_view outer, std::string_view inner) {
  const auto box = Find(file, in, outer);
  return box.has_value() ? Find(file, *box, inner) : std::nullopt;
}

// A number of a full box whose fields of 8 bytes have 4 in version 0. `wide` of them and
// `narrow` of 4 bytes come before it.
struct Field {
  size_t at = 0;
  size_t bytes = 0;
};
std::optional<Field> FieldOf(Bytes file, const Box& box, size_t wide, size_t narrow) {
  if (box.body_bytes() < 4) return std::nullopt;
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
    const std::string_view type = box.type(file_);
    const size_t start = out_->size();
    if (type == "moov" || type == "trak") {
      out_->insert(out_->end(), file_.begin() + static_cast<std::ptrdiff_t>(box.at),
                   file_.begin() + static_cast<std::ptrdiff_t>(box.body));
      for (size_t at = box.body; const auto child = TakeBox(file_, &at, box.end);) {
        if (!Copy(*child)) return false;
        if (child->type(file_) == "tkhd") AppendEditList();
      }
      if (box.body - box.at != kHeadBytes) return false;
      WriteNumber(out_->size() - start, 4, out_->data() + start);
      return true;
    }
    out_->insert(out_->end(), file_.begin() + static_cast<std::ptrdiff_t>(box.at),
                 file_.begin() + static_cast<std::ptrdiff_t>(box.end));
    if (type != "mvhd" && type != "tkhd") return true;
    const auto duration = FieldOf(file_, box, 2, type == "mvhd" ? 1 : 2);
    if (!duration.has_value() || duration->bytes != 8) return false;
    WriteNumber(all_units_, 8, out_->data() + start + (duration->at - box.at));
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
  const Box file{.at = 0, .body = 0, .end = encoded.size()};
  const auto track = Find(encoded, file, "moov", "trak");
  if (!track.has_value()) return 0;
  const auto header = Find(encoded, *track, "tkhd");
  const auto list = Find(encoded, *track, "edts", "elst");
  if (!header.has_value() || !list.has_value()) return 0;
  const auto all = FieldOf(encoded, *header, 2, 2);
  const auto shown = FieldOf(encoded, *list, 0, 1);
  if (!all.has_value() || !shown.has_value()) return 0;
  if ((encoded[list->body + 3] & 1) == 0) return 1;
  const uint64_t all_units = ReadNumber(encoded, all->at, all->bytes);
  const uint64_t shown_units = ReadNumber(encoded, shown->at, shown->bytes);
  const bool is_endless = all_units == kEndless >> (64 - 8 * all->bytes);
  if (is_endless || shown_units == 0) return 0;
  const uint64_t loops = all_units / shown_units + (all_units % shown_units != 0 ? 1 : 0);
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(loops, 1, std::numeric_limits<uint32_t>::max()));
}

Status FinishAvifMovie(uint32_t loop_count, std::span<uint8_t> file, std::vector<uint8_t>* tail) {
  const Box whole{.at = 0, .body = 0, .end = file.size()};
  const auto movie = Find(file, whole, "moov");
  if (!movie.has_value()) return Status();
  const auto header = Find(file, *movie, "mvhd");
  ForgetDates(file, header);
  bool has_list = false;
  for (size_t at = movie->body; const auto track = TakeBox(file, &at, movie->end);) {
    if (track->type(file) != "trak") continue;
    ForgetDates(file, Find(file, *track, "tkhd"));
    ForgetDates(file, Find(file, *track, "mdia", "mdhd"));
    has_list |= Find(file, *track, "edts").has_value();
  }
  if (has_list) return Status();
  const auto duration = header.has_value() ? FieldOf(file, *header, 2, 1) : std::nullopt;
  if (duration.has_value()) {
    const uint64_t shown = ReadNumber(file, duration->at, duration->bytes);
    MovieCopy copy(file, shown, UnitsOfAll(shown, loop_count), tail);
    if (copy.Copy(*movie)) {
      WriteNumber(0x66726565, 4, file.data() + movie->at + 4);  // "free"
      std::fill(file.begin() + static_cast<std::ptrdiff_t>(movie->body),
                file.begin() + static_cast<std::ptrdiff_t>(movie->end), uint8_t{0});
      return Status();
    }
  }
  return Status(StatusCode::kInternal, "AVIF: libavif wrote another movie box than expected");
}

}  // namespace pixpress
