#pragma once
// Whether a sanitizer is built in, which needs terabytes of addresses and system calls of its own.

namespace pixpress {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace pixpress
