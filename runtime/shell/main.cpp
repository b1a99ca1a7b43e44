#include <signal.h>

#include "runtime/shell/command_line.hpp"

int main(int argc, char** argv) {
  // A file that may not grow further fails a write, like a full disk; it does not end the process.
  ::signal(SIGXFSZ, SIG_IGN);
  return bidboard::run_command_line(argc, argv);
}
