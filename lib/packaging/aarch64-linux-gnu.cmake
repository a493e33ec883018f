# Builds for AArch64 with Debian's cross compiler, against an unpacked root of the distribution's arm64 packages
# (`.ci/cross` makes one).  HEAPGAUGE_CROSS_ROOT says where it is; what is built is run by qemu-user-static.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HEAPGAUGE_CROSS_ROOT)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc-12)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++-12)
set(CMAKE_SYSROOT ${HEAPGAUGE_CROSS_ROOT})
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${HEAPGAUGE_CROSS_ROOT})

# Programs are this machine's, everything else is the root's.
set(CMAKE_FIND_ROOT_PATH ${HEAPGAUGE_CROSS_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${HEAPGAUGE_CROSS_ROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${HEAPGAUGE_CROSS_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${HEAPGAUGE_CROSS_ROOT}/usr/share/pkgconfig)
