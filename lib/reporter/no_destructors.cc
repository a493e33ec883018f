// Nothing of the core is destroyed when the process ends: threads outlive main, and what is given
// back then is given back to nobody.  A short child would run four destructors of the C++ library,
// each on a page of code that nothing else of it needs.
//
// Hidden, and before the C library's for the whole core, the C++ library inside it included.
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) noexcept;
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) noexcept { return 0; }
