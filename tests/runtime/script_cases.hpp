// The scripts in tests/runtime/scripts as test cases. CMake writes a source file into the build folder with
// one TEST_CASE per script, named "script NAME" with NAME the file name without ".txt"; each calls
// check_script.
#pragma once

#include <string>
#include <vector>

namespace bidboard::script {

/// Runs the script NAME.txt and CHECKs that what follows is what it says. BIDBOARD_REWRITE=1 writes what
/// follows into the script instead.
void check_script(const std::string& name);

/// The names of all scripts that are test cases of this program, in order. Defined in the generated file.
std::vector<std::string> script_cases();

}  // namespace bidboard::script
