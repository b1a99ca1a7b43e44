// Catch2 2 has no library with a main function; Catch2 3 brings one and this file is then empty.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
