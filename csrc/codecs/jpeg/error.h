#pragma once
// libjpeg's errors as values: a fence around each library call, and warnings that mean damage.

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "base/status.h"
#include "base/stop_token.h"

namespace pixpress {

// Set as cinfo.err of one codec object; used by one thread; outlives the object.
struct JpegErrors {
  jpeg_error_mgr library;  // First: libjpeg hands back a pointer to it.
  std::jmp_buf fence;
  char message[JMSG_LENGTH_MAX] = {};
  char damage[JMSG_LENGTH_MAX] = {};  // The first warning that means lost pixels.
  int code = 0;

  jpeg_error_mgr* Install();
  bool is_damaged() const { return damage[0] != '\0'; }
  // Why the fenced call failed: kMemoryLimit, kUnsupportedFormat or `otherwise`.
  Status Failure(StatusCode otherwise) const;
  // kCorruptImage if a warning meant lost pixels.
  Status Damage() const;
};

// Call `operation`; false if the library gave up. It must own nothing that needs a destructor, for
// the library leaves it by longjmp.
template <typename Operation>
bool RunFenced(JpegErrors& errors, const Operation& operation) {
  if (setjmp(errors.fence) != 0) return false;
  operation();
  return true;
}

}  // namespace pixpress
