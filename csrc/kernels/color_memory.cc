#include "kernels/color_memory.h"

#include <lcms2_plugin.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace pixpress {

// In front of what is handed out. The library allocates its context before it can say whose that
// is.
struct alignas(std::max_align_t) ColorMemory::Block {
  ColorMemory* owner;
  size_t bytes;  // Without this head.
  Block* previous;
  Block* next;
};

namespace {

// The library does not check all of its small allocations, so that these never fail by the bound.
constexpr size_t kSmallBytes = 16u << 10;

void* OnAllocate(cmsContext lcms, cmsUInt32Number bytes) {
  return ColorMemory::AllocateFor(static_cast<ColorMemory*>(cmsGetContextUserData(lcms)), bytes);
}

void OnFree(cmsContext, void* pointer) { ColorMemory::Free(pointer); }

void* OnReallocate(cmsContext lcms, void* pointer, cmsUInt32Number bytes) {
  void* made = OnAllocate(lcms, bytes);
  if (made == nullptr || pointer == nullptr) return made;
  std::memcpy(made, pointer, std::min<size_t>(bytes, ColorMemory::SizeOf(pointer)));
  ColorMemory::Free(pointer);
  return made;
}

void StaySilent(cmsContext, cmsUInt32Number, const char*) {}

cmsPluginMemHandler MakePlugin() {
  cmsPluginMemHandler plugin = {};
  plugin.base = {cmsPluginMagicNumber, 2000, cmsPluginMemHandlerSig, nullptr};
  plugin.MallocPtr = OnAllocate;
  plugin.FreePtr = OnFree;
  plugin.ReallocPtr = OnReallocate;
  return plugin;
}

}  // namespace

ColorMemory::ColorMemory(Meter& meter, size_t most_bytes) : meter_(meter), most_bytes_(most_bytes) {
  cmsPluginMemHandler plugin = MakePlugin();
  lcms_ = cmsCreateContext(&plugin, this);
  if (lcms_ != nullptr) cmsSetLogErrorHandlerTHR(lcms_, StaySilent);
}

ColorMemory::~ColorMemory() {
  if (lcms_ != nullptr) cmsDeleteContext(lcms_);
  while (blocks_ != nullptr) Free(blocks_ + 1);
}

void* ColorMemory::AllocateFor(ColorMemory* owner, size_t bytes) {
  const size_t whole = sizeof(Block) + bytes;
  if (owner == nullptr) {
    auto* block = static_cast<Block*>(std::malloc(whole));
    if (block == nullptr) return nullptr;
    *block = {nullptr, bytes, nullptr, nullptr};
    return block + 1;
  }
  const std::lock_guard lock(owner->mutex_);
  Block* block = nullptr;
  if (whole < kSmallBytes || owner->held_bytes_ + whole <= owner->most_bytes_) {
    block = static_cast<Block*>(std::malloc(whole));
  }
  if (block == nullptr) {
    owner->was_refused_.store(true, std::memory_order_relaxed);
    return nullptr;
  }
  *block = {owner, bytes, nullptr, owner->blocks_};
  if (owner->blocks_ != nullptr) owner->blocks_->previous = block;
  owner->blocks_ = block;
  owner->held_bytes_ += whole;
  owner->meter_.Charge(whole);
  return block + 1;
}

void ColorMemory::Remove(Block* block) {
  const std::lock_guard lock(mutex_);
  if (block->previous != nullptr) block->previous->next = block->next;
  if (block->next != nullptr) block->next->previous = block->previous;
  if (blocks_ == block) blocks_ = block->next;
  held_bytes_ -= sizeof(Block) + block->bytes;
  meter_.Return(sizeof(Block) + block->bytes);
}

void ColorMemory::Free(void* pointer) {
  if (pointer == nullptr) return;
  Block* block = static_cast<Block*>(pointer) - 1;
  if (block->owner != nullptr) block->owner->Remove(block);
  std::free(block);
}

size_t ColorMemory::SizeOf(void* pointer) { return (static_cast<Block*>(pointer) - 1)->bytes; }

}  // namespace pixpress
