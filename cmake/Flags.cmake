# Compiler settings shared by every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# GCC 12 sees ghosts in std::optional and std::variant when it optimises or sanitizes: -Wno-maybe-uninitialized.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -Wno-maybe-uninitialized")
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")

# One build folder finds in the cache what another one has compiled with the same options.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_library(bidboard_flags INTERFACE)
# -ffp-contract=off: a fused multiply-add would make results differ between machines (design, section 3).
target_compile_options(bidboard_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wno-sign-conversion -Wnon-virtual-dtor -Werror=return-type -ffp-contract=off)
target_compile_definitions(bidboard_flags INTERFACE BIDBOARD_VERSION="${PROJECT_VERSION}")
# For the product alone (tests/CMakeLists.txt).
add_library(sanitizers INTERFACE)
if(BIDBOARD_SANITIZE)
  target_compile_options(sanitizers INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                         -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # What costs much and finds nothing else: AddressSanitizer sees a null pointer too, and -fsanitize=bounds arrays that are global.
  # Their records, read by the search for leaks at each exit, took half the time of every process that a test starts.
  target_compile_options(sanitizers INTERFACE -fno-sanitize=null,object-size
                         "$<$<CXX_COMPILER_ID:GNU>:SHELL:--param asan-globals=0>")
  # Not position-independent: two million relocations took half the time of every process that a test starts.
  target_link_options(sanitizers INTERFACE -fsanitize=address,undefined
                      $<$<AND:$<CXX_COMPILER_ID:GNU>,$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>>:-no-pie>)
endif()
if(BIDBOARD_TESTS)
  target_compile_definitions(bidboard_flags INTERFACE BIDBOARD_SABOTAGE)  # blackboard/sabotage.hpp
endif()
if(BIDBOARD_FUZZ)
  target_compile_options(sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(LLD ld.lld)
if(LLD)
  target_link_options(bidboard_flags INTERFACE -fuse-ld=lld)
endif()
