#include "codecs/jpeg/output.h"

#include <jerror.h>

namespace pixpress {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

JpegOutput* Of(j_compress_ptr info) { return reinterpret_cast<JpegOutput*>(info->dest); }

// Kept apart from the callbacks, which may be left by longjmp: this one has destructors.
bool Refill(JpegOutput* output) {
  Result<std::span<uint8_t>> space = output->chain->Reserve(kPieceBytes);
  if (!space.ok()) return false;
  output->library.next_output_byte = space.value().data();
  output->library.free_in_buffer = output->reserved_bytes = space.value().size();
  return true;
}

void Begin(j_compress_ptr info) {
  if (!Refill(Of(info))) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
}

boolean Empty(j_compress_ptr info) {
  Of(info)->chain->Commit(Of(info)->reserved_bytes);
  if (!Refill(Of(info))) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
  return TRUE;
}

void End(j_compress_ptr info) {
  Of(info)->chain->Commit(Of(info)->reserved_bytes - info->dest->free_in_buffer);
}

}  // namespace

jpeg_destination_mgr* JpegOutput::Install(ByteChain* out) {
  chain = out;
  library.init_destination = Begin;
  library.empty_output_buffer = Empty;
  library.term_destination = End;
  return &library;
}

}  // namespace pixpress
