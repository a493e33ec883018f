/* Calls of the core that no library may be named for.  Before glibc 2.34 they are in libpthread and
   libdl, since then in libc; and a loader before 2.30 refuses a module whose import is not in the
   file that the linker named for its version.  The core is linked with this file, a library without
   versions, ahead of libc, and it is never loaded (CMakeLists.txt names libc in its place): what it
   has is imported without a version, and found wherever it is.  tests/package/symbol_versions.py holds that nothing is missing here. */
#define CALL(name) \
  void name(void); \
  void name(void) {}

CALL(__pthread_key_create)
CALL(dladdr1)
CALL(dlerror)
CALL(dlinfo)
CALL(dlmopen)
CALL(dlopen)
CALL(dlsym)
CALL(dlvsym)
CALL(pthread_attr_getstack)
CALL(pthread_attr_setstacksize)
CALL(pthread_create)
CALL(pthread_getattr_default_np)
CALL(pthread_getattr_np)
CALL(pthread_key_create)
CALL(pthread_mutex_trylock)
CALL(pthread_once)
CALL(pthread_setspecific)
