#pragma once
// The thread under a worker: how it is started, named and measured.

#include <pthread.h>

#include <cstddef>
#include <cstdint>

namespace pixpress {

// Start a thread that blocks all signals but those that it raises by its own fault. False if the
// system gives no thread.
bool StartThread(pthread_t* thread, size_t stack_bytes, void* (*main)(void*), void* argument);

// Name the calling thread, and lower its priority to `nice`; a refusal only costs politeness.
void SetUpThread(const char* name, int nice);

// CPU time of a thread that has not been joined; 0 if it has ended.
int64_t ThreadCpuNs(pthread_t thread);

}  // namespace pixpress
