// One libFuzzer program per target: BIDBOARD_FUZZ_TARGET names it.
#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bidboard::fuzz::BIDBOARD_FUZZ_TARGET({data, size});
  return 0;
}
