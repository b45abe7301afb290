// How threads of the runtime are started.
#ifndef HEDDLE_RUNTIME_STARTTHREAD_H
#define HEDDLE_RUNTIME_STARTTHREAD_H
#include <pthread.h>

#include <cstddef>

namespace heddle {

/// Bytes of a thread's stack. Ours to choose: a small `ulimit -s` would be the threads' too, and an unlimited one gives each
/// of them some MB of address space. Kernels keep what is large in scratch; this is many times what they spill.
constexpr size_t kThreadStack = size_t(1) << 20;

/// pthread_create with that stack; 0, or its error.
inline int startThread(pthread_t& thread, void* (*run)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStack);
  int error = pthread_create(&thread, &attributes, run, argument);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace heddle
#endif  // HEDDLE_RUNTIME_STARTTHREAD_H
