#include "base/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pixpress {
namespace {

// Something whose address tells which loaded object is ours.
const char kAnchor = 0;

struct Search {
  uintptr_t address = 0;
  std::string id = {};
};

bool Contains(const dl_phdr_info& object, uintptr_t address) {
  for (size_t i = 0; i < object.dlpi_phnum; ++i) {
    const auto& segment = object.dlpi_phdr[i];
    const uintptr_t start = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address - start < segment.p_memsz) return true;
  }
  return false;
}

// Each note is a header, a name and a content, both padded.
std::string IdAmong(std::string_view notes, size_t alignment) {
  const auto padded = [&](size_t size) { return (size + alignment - 1) / alignment * alignment; };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(notes.data());
    const size_t content_at = sizeof(*note) + padded(note->n_namesz);
    if (content_at + note->n_descsz > notes.size()) break;
    const std::string_view name = notes.substr(sizeof(*note), note->n_namesz);
    if (note->n_type == NT_GNU_BUILD_ID && name == std::string_view("GNU\0", 4)) {
      return std::string(notes.substr(content_at, note->n_descsz));
    }
    const size_t size = content_at + padded(note->n_descsz);
    if (size > notes.size()) break;
    notes.remove_prefix(size);
  }
  return {};
}

int Look(dl_phdr_info* object, size_t /*size*/, void* data) {
  auto& search = *static_cast<Search*>(data);
  if (!Contains(*object, search.address)) return 0;
  for (size_t i = 0; i < object->dlpi_phnum && search.id.empty(); ++i) {
    const auto& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* start = reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr);
    search.id = IdAmong({start, segment.p_memsz}, segment.p_align == 8 ? 8 : 4);
  }
  return 1;
}

}  // namespace

std::string BuildId() {
  Search search{.address = reinterpret_cast<uintptr_t>(&kAnchor)};
  dl_iterate_phdr(Look, &search);
  return search.id;
}

}  // namespace pixpress
