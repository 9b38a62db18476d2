#include "codecs/png/chunks.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <utility>

#include "codecs/png/numbers.h"

namespace pixpress {
namespace {

constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
// Length, type and CRC.
constexpr size_t kFrameBytes = 12;

Status Corrupt(const char* what) { return Status(StatusCode::kCorruptImage, what); }

bool IsData(std::string_view type) { return type == "IDAT" || type == "fdAT"; }

// What decides about pixels, animation and their colours; all else is metadata.
bool IsImage(std::string_view type) {
  constexpr std::array<std::string_view, 11> kTypes = {
      "PLTE", "tRNS", "IDAT", "IEND", "acTL", "fcTL", "fdAT", "sBIT", "bKGD", "mDCV", "cLLI"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace

PngChunkReader::PngChunkReader(Bytes encoded, bool checks_data)
    : encoded_(encoded), checks_data_(checks_data), at_(kSignature.size()) {}

Result<PngChunkReader::Step> PngChunkReader::Next(PngChunk* chunk) {
  *chunk = PngChunk();
  if (has_ended_) return Step::kEnd;
  if (encoded_.size() < at_ + 8) return Step::kCut;
  const uint32_t length = LoadPng32(encoded_.data() + at_);
  if (length > 0x7FFFFFFF) return Corrupt("a chunk is longer than PNG allows");
  chunk->type = {reinterpret_cast<const char*>(encoded_.data()) + at_ + 4, 4};
  if (encoded_.size() - at_ < uint64_t{length} + kFrameBytes) {
    const size_t there = encoded_.size() - at_ - 8;
    chunk->data = encoded_.subspan(at_ + 8, std::min<size_t>(there, length));
    return Step::kCut;
  }
  chunk->whole = encoded_.subspan(at_, length + kFrameBytes);
  chunk->data = encoded_.subspan(at_ + 8, length);
  if ((checks_data_ || !IsData(chunk->type)) &&
      libdeflate_crc32(0, chunk->whole.data() + 4, length + 4u) !=
          LoadPng32(chunk->whole.data() + 8 + length)) {
    return Corrupt("a chunk has a wrong checksum");
  }
  has_ended_ = chunk->type == "IEND";
  at_ += chunk->whole.size();
  return Step::kChunk;
}

bool HasPngSignature(Bytes head) {
  return head.size() >= kSignature.size() &&
         std::equal(kSignature.begin(), kSignature.end(), head.begin());
}

Status CheckPngChunks(Bytes encoded, const StopToken& stop) {
  constexpr uint32_t kChunksPerPoll = 256;
  PngChunkReader reader(encoded, /*checks_data=*/false);
  for (uint32_t chunks = 0;; ++chunks) {
    if (chunks % kChunksPerPoll == 0) PIXPRESS_RETURN_IF_ERROR(stop.Poll());
    PngChunk chunk;
    PIXPRESS_ASSIGN_OR_RETURN(const auto step, reader.Next(&chunk));
    if (step != PngChunkReader::Step::kChunk) return Status();
  }
}

Status AppendPngSignature(ByteChain* out) { return out->Append(kSignature); }

Status AppendPngChunk(ByteChain* out, std::string_view type, Bytes data) {
  std::array<uint8_t, 8> head;
  StorePng32(static_cast<uint32_t>(data.size()), head.data());
  std::copy_n(type.begin(), 4, head.begin() + 4);
  uint32_t crc = libdeflate_crc32(0, head.data() + 4, 4);
  if (!data.empty()) crc = libdeflate_crc32(crc, data.data(), data.size());
  std::array<uint8_t, 4> tail;
  StorePng32(crc, tail.data());
  PIXPRESS_RETURN_IF_ERROR(out->Append(head));
  PIXPRESS_RETURN_IF_ERROR(out->Append(data));
  return out->Append(tail);
}

Status RewritePng(Bytes encoded, MetadataPolicy policy, const Limits& limits,
                  const WorkContext& context, ByteChain* out) {
  PIXPRESS_ASSIGN_OR_RETURN(Metadata metadata, ReadPngMetadata(encoded, limits));
  metadata = ApplyPolicy(std::move(metadata), policy, /*oriented=*/false);
  const bool keeps_all = policy == MetadataPolicy::kAll;
  PIXPRESS_RETURN_IF_ERROR(AppendPngSignature(out));
  PngChunkReader reader(encoded, /*checks_data=*/true);
  while (true) {
    PIXPRESS_RETURN_IF_ERROR(context.stop.Poll());
    PngChunk chunk;
    PIXPRESS_ASSIGN_OR_RETURN(const auto step, reader.Next(&chunk));
    if (step == PngChunkReader::Step::kCut) return Corrupt("the file ends before its last chunk");
    if (step == PngChunkReader::Step::kEnd) return Status();
    const bool is_header = chunk.type == "IHDR";
    if (is_header || keeps_all || IsImage(chunk.type)) {
      PIXPRESS_RETURN_IF_ERROR(out->Append(chunk.whole));
    }
    if (is_header && !keeps_all) PIXPRESS_RETURN_IF_ERROR(AppendPngMetadata(metadata, out));
  }
}

}  // namespace pixpress
