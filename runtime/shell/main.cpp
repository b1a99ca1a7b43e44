#include "runtime/shell/command_line.hpp"

int main(int argc, char** argv) { return bidboard::run_command_line(argc, argv); }
