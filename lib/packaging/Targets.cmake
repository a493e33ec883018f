# What every target of ours shares.  Private to the target: nothing leaks into a project that embeds us.

# Warnings, visibility and sanitizers for one target.
function(heapgauge_target_defaults target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wundef
    -Wvla -Wformat=2 -fno-strict-aliasing
    # gcc 12 sees overlaps in std::string's own operator+ (its bug 105329).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wextra-semi>
    $<$<BOOL:${HEAPGAUGE_WERROR}>:-Werror>)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  if(HEAPGAUGE_SANITIZE)
    # gcc 12's flow analysis is led astray by the instrumentation: it finds libstdc++'s own std::function
    # uninitialized.
    target_compile_options(${target} PRIVATE -fsanitize=${HEAPGAUGE_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all -Wno-maybe-uninitialized)
    target_link_options(${target} PRIVATE -fsanitize=${HEAPGAUGE_SANITIZE})
  endif()
endfunction()

# One layer of lib/ as a static library.  RUNTIME marks code that runs inside a host's malloc: no exceptions, no
# RTTI, and frame pointers so that the frame-pointer unwinder can walk out of our own frames.
function(heapgauge_layer name)
  cmake_parse_arguments(LAYER "RUNTIME" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(heapgauge_${name} STATIC ${LAYER_SOURCES})
  heapgauge_target_defaults(heapgauge_${name})
  target_include_directories(heapgauge_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(heapgauge_${name} PUBLIC ${LAYER_DEPENDS})
  if(LAYER_RUNTIME)
    target_compile_options(heapgauge_${name} PRIVATE -fno-omit-frame-pointer -ftls-model=initial-exec
      $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics>)
  endif()
endfunction()

# Drops sanitizers and the like from a test victim: victims are ordinary programs.
function(heapgauge_plain_program target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -g -fno-builtin-malloc)
endfunction()
