# What `cmake --install` puts into a prefix, and how a consumer finds it: the two shared objects, the command, the
# headers, the CMake package and heapgauge.pc.  The prefix may be moved afterwards; nothing below names it.
#
# libheapgauge.so finds its core beside itself, so the two always travel together.
#
# Components, which Debian.cmake makes packages of: library (what a process loads), command (what people type, and the
# helpers), development (what a consumer builds with).

# Whoever builds the library alone (add_subdirectory, EXCLUDE_FROM_ALL) gets its core too and the programs that the
# library starts; the command is another half of the work, and heapgauge_command when it is wanted.  .ci/cross asks for
# each of them by itself.
if(NOT CMAKE_CROSSCOMPILING)
  foreach(companion heapgauge_core heapgauge_symbolize_program heapgauge_alert_program heapgauge_serve_program heapgauge_lsan)
    if(TARGET heapgauge AND TARGET ${companion})
      add_dependencies(heapgauge ${companion})
    endif()
  endforeach()
endif()

if(NOT HEAPGAUGE_INSTALL OR NOT TARGET heapgauge)
  return()
endif()

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/heapgauge)

# With the unversioned name: it is the one that is preloaded.
install(TARGETS heapgauge EXPORT heapgaugeTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT library NAMELINK_COMPONENT development)
if(TARGET heapgauge_core)
  install(TARGETS heapgauge_core LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
endif()
if(TARGET heapgauge_command)
  install(TARGETS heapgauge_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
endif()
if(TARGET heapgauge_command)
  install(FILES ${PROJECT_SOURCE_DIR}/lib/cli/completion/heapgauge.bash RENAME heapgauge
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT command)
  install(FILES ${PROJECT_SOURCE_DIR}/lib/cli/completion/_heapgauge DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
    COMPONENT command)
endif()
if(TARGET heapgauge_man)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command
    FILES_MATCHING PATTERN "*.1")
endif()
# Not CMAKE_INSTALL_LIBEXECDIR: the library looks for them from where it lies.
install(TARGETS heapgauge_symbolize_program heapgauge_alert_program heapgauge_serve_program
  RUNTIME DESTINATION libexec/heapgauge COMPONENT command)
if(TARGET heapgauge_lsan)
  install(TARGETS heapgauge_lsan LIBRARY DESTINATION libexec/heapgauge COMPONENT command)
endif()

install(FILES
  ${PROJECT_SOURCE_DIR}/include/heapgauge/heapgauge.h
  ${PROJECT_SOURCE_DIR}/include/heapgauge/heapgauge.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/heapgauge COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT licence)

install(FILES ${CMAKE_CURRENT_LIST_DIR}/heapgauge-drop-in.conf ${CMAKE_CURRENT_LIST_DIR}/heapgauge-preload.conf
  DESTINATION ${CMAKE_INSTALL_DATADIR}/heapgauge COMPONENT command)

# find_package(heapgauge), target heapgauge::heapgauge
install(EXPORT heapgaugeTargets NAMESPACE heapgauge:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/heapgaugeConfig.cmake.in ${PROJECT_BINARY_DIR}/package/heapgaugeConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a minor version may break what the one before promised.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/heapgaugeConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/package/heapgaugeConfig.cmake
  ${PROJECT_BINARY_DIR}/package/heapgaugeConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)

# heapgauge.pc: the prefix is where the file lies, a few levels up.  An absolute CMAKE_INSTALL_LIBDIR has no such
# relation, so it is written as it is.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  set(pc_libdir ${CMAKE_INSTALL_FULL_LIBDIR})
  set(pc_includedir ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
  file(RELATIVE_PATH pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
  set(pc_prefix "\${pcfiledir}/${pc_up}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/heapgauge.pc.in ${PROJECT_BINARY_DIR}/package/heapgauge.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/heapgauge.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)

include(${CMAKE_CURRENT_LIST_DIR}/Debian.cmake)
