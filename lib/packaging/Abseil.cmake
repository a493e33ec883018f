# Abseil, out of the distribution's archives: as shared libraries it would be some thirty objects more for a program to
# load, and in a host none may come with us.
find_package(PkgConfig REQUIRED)

# heapgauge_abseil(<name> <pkg-config module>...): heapgauge_abseil_<name>, the modules and what they need
function(heapgauge_abseil name)
  pkg_check_modules(ABSL_${name} REQUIRED QUIET ${ARGN})
  add_library(heapgauge_abseil_${name} INTERFACE)
  foreach(library ${ABSL_${name}_STATIC_LIBRARIES})
    if(library MATCHES "^absl_")
      find_library(HEAPGAUGE_${library} NAMES lib${library}.a REQUIRED)
      mark_as_advanced(HEAPGAUGE_${library})
      target_link_libraries(heapgauge_abseil_${name} INTERFACE ${HEAPGAUGE_${library}})
    endif()
  endforeach()
endfunction()

# What may be in a host: these archives keep no state in thread-local storage of the local-exec kind.
heapgauge_abseil(strings absl_strings absl_cleanup absl_span)
# For programs of their own alone.
heapgauge_abseil(status absl_status absl_statusor)
