# Debian packages, by the script `debian_packages`, which runs `cpack -G DEB`:
#
#   libheapgauge0      what a process loads          libheapgauge0-dbgsym   its debug symbols
#   libheapgauge-dev   what a consumer builds with
#   heapgauge          the command and the helpers   heapgauge-dbgsym       their debug symbols
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME heapgauge)
set(CPACK_PACKAGE_VENDOR heapgauge)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL library development command)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# The symbols go to packages of their own, which `debian_packages` makes: those of CPack 3.25 have wrong checksums and no
# copyright.
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(HEAPGAUGE_PACKAGE_MAINTAINER "heapgauge developers <heapgauge@packages.invalid>" CACHE STRING
  "Maintainer in the Debian packages: whoever builds and hands them out")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${HEAPGAUGE_PACKAGE_MAINTAINER}")
# Else it becomes the first line of each description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(soname ${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libheapgauge${soname})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS heapgauge)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "sampled heap tracking that stays on in production - library
Preloaded into or linked with a C or C++ service, it samples allocations and
reports which line of code is growing the heap, how fast, and how sure that
is.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libheapgauge-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libheapgauge${soname} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "sampled heap tracking that stays on in production - development files
Headers, the CMake package and the pkg-config file of heapgauge, for services
that are linked with it.")

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME heapgauge)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "libheapgauge${soname} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_COMMAND_DESCRIPTION "sampled heap tracking that stays on in production - command
Runs a program under heapgauge, attaches to one that runs, shows and compares
reports, serves them, and soaks a service before the night: does it leak, and
how small a leak would have been seen?")

# What Debian wants beside the files: a shlibs file, the trigger, copyright, changelog.
set(package_dir ${PROJECT_BINARY_DIR}/package/debian)
file(WRITE ${package_dir}/shlibs "libheapgauge ${soname} libheapgauge${soname} (>= ${PROJECT_VERSION})\n")
file(WRITE ${package_dir}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${package_dir}/shlibs ${package_dir}/triggers)
file(WRITE ${package_dir}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: heapgauge

Files: *
Copyright: 2026 heapgauge developers
License: Apache-2.0
 On Debian systems, the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
")
file(WRITE ${package_dir}/changelog "heapgauge (${PROJECT_VERSION}) unstable; urgency=medium

  * What is new is in CHANGELOG.md.

 -- ${HEAPGAUGE_PACKAGE_MAINTAINER}  Sat, 28 Nov 2026 12:00:00 +0000
")
set(zlib_reason "# A shared zlib would call the functions of the same names that the host defines.")
file(WRITE ${package_dir}/library.overrides "${zlib_reason}
libheapgauge${soname}: embedded-library zlib [*]
# Private, found beside the library by its path; it has no interface that others link.
libheapgauge${soname}: shared-library-lacks-version *
")
file(WRITE ${package_dir}/command.overrides "${zlib_reason}
# The command and the page server are made of the same layers.
heapgauge: embedded-library zlib [*]
")
install(FILES ${package_dir}/library.overrides RENAME libheapgauge${soname}
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT library EXCLUDE_FROM_ALL)
install(FILES ${package_dir}/command.overrides RENAME heapgauge
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT command EXCLUDE_FROM_ALL)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/compress_manual.cmake)
find_program(HEAPGAUGE_GZIP gzip)
if(HEAPGAUGE_GZIP)
  execute_process(COMMAND ${HEAPGAUGE_GZIP} -9nf ${package_dir}/changelog)
  foreach(pair library:libheapgauge${soname} development:libheapgauge-dev command:heapgauge)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 component)
    list(GET pair 1 package)
    # No part of a plain `cmake --install`.
    install(FILES ${package_dir}/copyright ${package_dir}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
      COMPONENT ${component} EXCLUDE_FROM_ALL)
  endforeach()
endif()
include(CPack)
