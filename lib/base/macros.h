// Compiler words used across the runtime.
#ifndef HEAPGAUGE_BASE_MACROS_H_
#define HEAPGAUGE_BASE_MACROS_H_

#define HG_LIKELY(x) __builtin_expect(static_cast<bool>(x), 1)
#define HG_UNLIKELY(x) __builtin_expect(static_cast<bool>(x), 0)
#define HG_ALWAYS_INLINE inline __attribute__((always_inline))
#define HG_NOINLINE __attribute__((noinline))
// Slow paths: out of line, and out of the way of the instruction cache.
#define HG_COLD __attribute__((noinline, cold))
// On declarations: -fvisibility leaves those alone, and what might lie in another module is reached
// by an address that has to be loaded first.
#define HG_HIDDEN __attribute__((visibility("hidden")))
#define HG_EXPORT __attribute__((visibility("default")))
// For what reads other functions' frames on a guess: in the sanitizer builds of our tests a wrong
// turn may lead over poisoned bytes.  Not for functions with inlined callees: gcc 12 poisons their
// variables at the end of a scope and never unpoisons them.
#define HG_NO_SANITIZE_ADDRESS __attribute__((no_sanitize_address))

#endif  // HEAPGAUGE_BASE_MACROS_H_
