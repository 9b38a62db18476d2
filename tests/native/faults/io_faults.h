#pragma once
// Failures of the system on demand. Linked into a program, or preloaded into one, io_faults.cc
// takes the place of libc's functions for files and lets one call, or each from one on, fail.

extern "C" {

// From now on count the calls that may fail with `error` and are about `folder`, what is in it, an
// anonymous memory file, or a mapping, by any thread; the call number `nth`, from 1, fails. `error`
// is an errno, or kIoFaultShort: a read or write of half of the bytes.
void io_faults_arm(const char* folder, long nth, int error, bool is_lasting);
// Call the system again, and return how many calls were counted.
long io_faults_disarm(void);
// Which function failed first since the last arm, "" if none did, and whether an output had its
// name already.
const char* io_faults_failed(void);
bool io_faults_was_renamed(void);
}

inline constexpr int kIoFaultShort = -1;
