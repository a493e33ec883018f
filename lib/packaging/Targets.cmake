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

# Eight files of a target as one, where HEAPGAUGE_UNITY is set: what they include is parsed once.  Their anonymous namespaces
# are one, then.  What the linker is to find by its file's name (child_pages.ld) stays by itself.
file(STRINGS ${PROJECT_SOURCE_DIR}/lib/reporter/child_pages.ld heapgauge_placed REGEX "\\.a:[a-z_]+\\.cc")
list(TRANSFORM heapgauge_placed REPLACE ".*\\.a:([a-z_]+\\.cc).*" "\\1")
function(heapgauge_unity target)
  if(HEAPGAUGE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE BATCH UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${heapgauge_placed} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# One layer of lib/ as a static library.  RUNTIME marks code that runs inside a host's malloc: no exceptions, no
# RTTI, and frame pointers so that the frame-pointer unwinder can walk out of our own frames.  A program takes the functions of a
# layer that it calls, whatever files they stand in: files that are compiled as one are not linked as one.
function(heapgauge_layer name)
  cmake_parse_arguments(LAYER "RUNTIME" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(heapgauge_${name} STATIC ${LAYER_SOURCES})
  heapgauge_target_defaults(heapgauge_${name})
  target_include_directories(heapgauge_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(heapgauge_${name} PUBLIC ${LAYER_DEPENDS})
  if(NOT LAYER_RUNTIME)
    heapgauge_unity(heapgauge_${name})
    target_compile_options(heapgauge_${name} PRIVATE -ffunction-sections -fdata-sections)
    target_link_options(heapgauge_${name} INTERFACE -Wl,--gc-sections)
  endif()
  if(LAYER_RUNTIME)
    target_compile_options(heapgauge_${name} PRIVATE -fno-omit-frame-pointer -ftls-model=initial-exec
      $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics>)
  endif()
endfunction()

# What a layer depends on: the shared library `target`, or, in a program that is linked statically (heapgauge_static_program),
# the archives of those names.
function(heapgauge_library_of variable target)
  list(JOIN ARGN "$<SEMICOLON>" archives)
  set(is_static $<BOOL:$<TARGET_PROPERTY:HEAPGAUGE_STATIC>>)
  set(${variable} "$<$<NOT:${is_static}>:${target}>" "$<${is_static}:${archives}>" PARENT_SCOPE)
endfunction()

# A program that needs no file of the system it runs on.  It loads nothing while it runs: a library of that system would need
# that system's C library.
function(heapgauge_static_program target)
  cmake_parse_arguments(PROGRAM "" "NAME;DIRECTORY" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${target} EXCLUDE_FROM_ALL ${PROGRAM_SOURCES} ${PROJECT_SOURCE_DIR}/lib/packaging/no_plugins.c)
  heapgauge_target_defaults(${target})
  set_target_properties(${target} PROPERTIES HEAPGAUGE_STATIC ON OUTPUT_NAME ${PROGRAM_NAME}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/image/${PROGRAM_DIRECTORY})
  target_link_libraries(${target} PRIVATE ${PROGRAM_DEPENDS})
  # The linker's warnings are about functions that read the system's accounts, by plugins: none is called.
  target_link_options(${target} PRIVATE -static -Wl,--gc-sections -Wl,--no-warnings)
endfunction()

# Drops sanitizers and the like from a test victim: victims are ordinary programs.
function(heapgauge_plain_program target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -g -fno-builtin-malloc)
endfunction()
