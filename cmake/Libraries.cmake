# Third-party libraries, each as one imported target. All are Debian packages (see ./dev setup).
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED)

function(add_pkgconfig_library target module)
  string(MAKE_C_IDENTIFIER ${target} prefix)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${target} INTERFACE PkgConfig::${prefix})
endfunction()

add_pkgconfig_library(lmdb::lmdb lmdb)
add_pkgconfig_library(lua::lua lua5.4-c++)
add_pkgconfig_library(xxhash::xxhash libxxhash)
add_pkgconfig_library(sodium::sodium libsodium)
add_pkgconfig_library(zeromq::zeromq libzmq)
add_pkgconfig_library(editline::editline libedit)
add_pkgconfig_library(curl::curl libcurl)

# msgpack's package is called "msgpack" in Debian 12 (target msgpackc-cxx) and msgpack-cxx in newer systems.
find_package(msgpack CONFIG QUIET NAMES msgpackc-cxx msgpack-cxx msgpack)
if(TARGET msgpackc-cxx)
  add_library(msgpack-cxx::any ALIAS msgpackc-cxx)
else()
  add_library(msgpack-cxx::any ALIAS msgpack-cxx)
endif()

# A faster allocator for the product where there is one: the controller spends a fifth of its time in malloc.
# Sanitizers bring their own.
add_library(allocator INTERFACE)
pkg_check_modules(JEMALLOC QUIET IMPORTED_TARGET jemalloc)
if(JEMALLOC_FOUND AND NOT BIDBOARD_SANITIZE)
  target_link_libraries(allocator INTERFACE PkgConfig::JEMALLOC)
endif()
