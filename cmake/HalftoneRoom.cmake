# Flags that every translation unit of the project is compiled with.
add_library(halftone_flags INTERFACE)
target_compile_options(halftone_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
# A fused multiply-add rounds once where the documented arithmetic rounds twice; results must not depend on the
# compiler's choice.
target_compile_options(halftone_flags INTERFACE -ffp-contract=off)
if(HALFTONE_WERROR)
  target_compile_options(halftone_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(halftone_flags INTERFACE -march=x86-64-v2)
endif()
if(HALFTONE_SANITIZE)
  target_compile_options(halftone_flags INTERFACE -fsanitize=${HALFTONE_SANITIZE} -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  target_link_options(halftone_flags INTERFACE -fsanitize=${HALFTONE_SANITIZE})
  # Whatever is read or written through a null pointer or beyond an object stops at the address sanitizer anyway; checked
  # twice it takes a fifth of the time that the compiler needs.
  if(HALFTONE_SANITIZE MATCHES "address.*undefined|undefined.*address")
    target_compile_options(halftone_flags INTERFACE -fno-sanitize=null,object-size)
  endif()
endif()

# Flags of the sources that are written for one instruction-set level, by the end of their names.
set(HALFTONE_ISA_avx2 -mavx2 -mfma)
set(HALFTONE_ISA_avxvnni ${HALFTONE_ISA_avx2} -mavxvnni)
# GCC 12 calls the undefined operands inside its own AVX-512 intrinsics uninitialized (PR 105593).
set(HALFTONE_ISA_avx512 ${HALFTONE_ISA_avx2} -mavx512f -mavx512bw -mavx512vl -mavx512dq
                        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
set(HALFTONE_ISA_avx512vnni ${HALFTONE_ISA_avx512} -mavx512vnni)
set(HALFTONE_ISA_avx512vbmi ${HALFTONE_ISA_avx512vnni} -mavx512vbmi)
# Clang takes minutes for an unrolled kernel with every check at once, and a fraction of that with those of memory alone,
# which are the ones that kernels can break: their integers wrap on purpose, in intrinsics. Calls that check an access,
# in the place of instructions, make that a third again.
if(HALFTONE_SANITIZE MATCHES "address.*undefined|undefined.*address")
  set(HALFTONE_ISA_CHECKS -fno-sanitize=undefined
                          "$<$<CXX_COMPILER_ID:Clang>:-mllvm;-asan-instrumentation-with-call-threshold=0>")
endif()

# Half of what a compiler does here is reading the same headers again, which sources compiled as one read once, those of
# the standard library even once for all rooms. Whoever compiles again and again has a cache, which likes sources apart,
# as editing does; only so is it seen that each source includes what it uses.
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(HALFTONE_UNITY_DEFAULT OFF)
else()
  set(HALFTONE_UNITY_DEFAULT ON)
endif()
option(HALFTONE_UNITY "Compile sources thirty at a time, with precompiled headers: for builds from nothing"
       ${HALFTONE_UNITY_DEFAULT})
set(HALFTONE_COMMON_HEADERS <fmt/core.h> <fmt/format.h> <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem>
    <functional> <limits> <map> <memory> <numeric> <optional> <set> <span> <string> <string_view> <utility> <vector>)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/empty.cc CONTENT "// Only its precompiled header is used.\n")
if(HALFTONE_UNITY)
  add_library(halftone_headers OBJECT ${PROJECT_BINARY_DIR}/generated/empty.cc)
  target_link_libraries(halftone_headers PRIVATE fmt::fmt halftone_flags)
  target_precompile_headers(halftone_headers PRIVATE ${HALFTONE_COMMON_HEADERS})
endif()
function(halftone_common_headers target)
  if(TARGET halftone_headers)
    target_precompile_headers(${target} REUSE_FROM halftone_headers)
  endif()
endfunction()
function(halftone_unity target)
  if(HALFTONE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 30)
    # GCC takes a source for a header then, where a class with members of the source's own types would be a mistake.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# With HALFTONE_QUICK_CHECKS, which is what script/test sets, tests have precompiled headers, too, and their own sources
# are optimized little, with sanitizers not at all: compiling their checks takes several times as long as running them.
# Tests that link libtorch go without: its macros don't fit the other headers, and they are three sources.
if(HALFTONE_QUICK_CHECKS AND HALFTONE_BUILD_TESTS)
  set(HALFTONE_TEST_OPTIONS -Og)
  if(HALFTONE_SANITIZE)
    set(HALFTONE_TEST_OPTIONS -O0)
  endif()
  add_library(halftone_test_headers OBJECT ${PROJECT_BINARY_DIR}/generated/empty.cc)
  target_link_libraries(halftone_test_headers PRIVATE fmt::fmt GTest::gtest halftone_flags)
  target_compile_options(halftone_test_headers PRIVATE ${HALFTONE_TEST_OPTIONS})
  target_precompile_headers(halftone_test_headers PRIVATE <gtest/gtest.h> ${HALFTONE_COMMON_HEADERS})
endif()

# Libraries, so that these flags come behind those that hold for all sources: the last word about a check counts.
foreach(isa avx2 avxvnni avx512 avx512vnni avx512vbmi)
  add_library(halftone_flags_${isa} INTERFACE)
  target_compile_options(halftone_flags_${isa} INTERFACE ${HALFTONE_ISA_${isa}} ${HALFTONE_ISA_CHECKS})
endforeach()

# halftone_isa_objects(ROOM libraries...)
#
# Takes those written for an instruction-set level out of `sources` and compiles each level as a library of its own, whose
# objects become `isa_objects`: precompiled headers, without which small kernels are nine parts headers, hold for one set
# of flags. One or two sources are faster without.
set(HALFTONE_ISA_HEADERS <immintrin.h> <algorithm> <cstddef> <cstdint> <cstring> <memory> <span> <string> <string_view>
    <vector>)
function(halftone_isa_objects room)
  set(isa_objects "")
  foreach(isa avx2 avxvnni avx512 avx512vnni avx512vbmi)
    set(isa_sources ${sources})
    list(FILTER isa_sources INCLUDE REGEX "_${isa}\\.cc$")
    if(isa_sources)
      list(REMOVE_ITEM sources ${isa_sources})
      add_library(${room}_${isa} OBJECT ${isa_sources})
      target_link_libraries(${room}_${isa} PRIVATE ${ARGN} halftone_flags halftone_flags_${isa})
      target_include_directories(${room}_${isa} PRIVATE ${PROJECT_SOURCE_DIR})
      list(LENGTH isa_sources count)
      if(HALFTONE_UNITY AND count GREATER 2)
        target_precompile_headers(${room}_${isa} PRIVATE ${HALFTONE_ISA_HEADERS})
      endif()
      list(APPEND isa_objects $<TARGET_OBJECTS:${room}_${isa}>)
    endif()
  endforeach()
  set(sources ${sources} PARENT_SCOPE)
  set(isa_objects ${isa_objects} PARENT_SCOPE)
endfunction()

# halftone_room(NAME [ROOMS lower rooms...] [LINK public libraries...] [PRIVATE private libraries...] [RELEASE flags...])
#
# Builds halftone/NAME/ into the static library halftone_NAME. Sources are whatever lies in the folder, so that adding
# a file needs no second list; *_test.cc become the executable NAME_test, labelled `unit`; X_bench.cc the program
# bench_X, built on request. A room without sources yet is header-only. RELEASE: optimizes the room, in that build type,
# otherwise than the others.
set_property(GLOBAL PROPERTY HALFTONE_ROOMS "")
function(halftone_room name)
  cmake_parse_arguments(arg "" "" "ROOMS;LINK;PRIVATE;RELEASE" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/halftone/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM arg_ROOMS PREPEND halftone_)
  halftone_isa_objects(halftone_${name} ${arg_ROOMS} ${arg_LINK} ${arg_PRIVATE})

  if(sources)
    add_library(halftone_${name} STATIC ${sources} ${isa_objects})
    target_include_directories(halftone_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                       $<INSTALL_INTERFACE:include>)
    target_compile_features(halftone_${name} PUBLIC cxx_std_20)
    target_compile_options(halftone_${name} PRIVATE "$<$<CONFIG:Release>:${arg_RELEASE}>")
    target_link_libraries(halftone_${name} PUBLIC ${arg_ROOMS} ${arg_LINK}
                                           PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:halftone_flags>)
    if(NOT "halftone_torch" IN_LIST arg_PRIVATE)
      halftone_common_headers(halftone_${name})
    endif()
    # A room's names are its own, so that its files can be read as one; those of kernels repeat each other's. Tests each
    # have a namespace of their own.
    if(NOT name STREQUAL "kernels")
      halftone_unity(halftone_${name})
    endif()
  else()
    add_library(halftone_${name} INTERFACE)
    target_include_directories(halftone_${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                                                          $<INSTALL_INTERFACE:include>)
    target_link_libraries(halftone_${name} INTERFACE ${arg_ROOMS} ${arg_LINK})
  endif()
  set_property(GLOBAL APPEND PROPERTY HALFTONE_ROOMS ${name})

  foreach(bench ${benches})
    get_filename_component(bench_name ${bench} NAME_WE)
    string(REGEX REPLACE "(.*)_bench" "bench_\\1" bench_name ${bench_name})
    add_executable(${bench_name} EXCLUDE_FROM_ALL ${bench})
    target_link_libraries(${bench_name} PRIVATE halftone_${name} halftone_flags)
  endforeach()

  if(HALFTONE_BUILD_TESTS AND tests)
    halftone_test(${name}_test LABEL unit SOURCES ${tests} LINK halftone_${name} ${arg_PRIVATE})
    halftone_unity(${name}_test)
  endif()
endfunction()

# halftone_test(NAME LABEL label [WHOLE] SOURCES files... [LINK libraries...])
#
# A suite's executables can be built alone: target suite_LABEL. Each test case is one of ctest's; with WHOLE, for suites
# of very many short ones, and with HALFTONE_QUICK_CHECKS, the executable is.
function(halftone_test name)
  cmake_parse_arguments(arg "WHOLE" "LABEL" "SOURCES;LINK" ${ARGN})
  include(GoogleTest)
  enable_testing()
  add_executable(${name} ${arg_SOURCES})
  if(NOT TARGET suite_${arg_LABEL})
    add_custom_target(suite_${arg_LABEL})
  endif()
  add_dependencies(suite_${arg_LABEL} ${name})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest_main halftone_flags)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  if(HALFTONE_QUICK_CHECKS)
    target_compile_options(${name} PRIVATE ${HALFTONE_TEST_OPTIONS})
    if(NOT "halftone_torch" IN_LIST arg_LINK)
      target_precompile_headers(${name} REUSE_FROM halftone_test_headers)
    endif()
  endif()
  if(arg_WHOLE OR HALFTONE_QUICK_CHECKS)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    # The largest start first, so that none is left over for one core at the end.
    list(LENGTH arg_SOURCES size)
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} COST ${size})
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                         PROPERTIES LABELS ${arg_LABEL})
  endif()
endfunction()
