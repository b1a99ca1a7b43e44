// Standard output: every byte that a command prints passes here and is checked, so that a full disk is
// noticed at once, not after hours of work for nothing. For one thread.
#pragma once

#include <string_view>

namespace bidboard {

/// Standard output took no more bytes. Thrown by write_out and flush_out and caught in run_command_line: no
/// command goes on when what it says is lost.
struct OutputFailed {
  int error;  ///< errno
};

/// Exactly these bytes. Kept until 64 KB are together, on a terminal until the end of a line. Throws
/// OutputFailed.
void write_out(std::string_view bytes);
/// Writes what is kept: before a pause, before a message on stderr, and at the end. Throws OutputFailed.
void flush_out();
/// To stderr, in order with what was written before. If stderr fails there is nowhere to say so.
void write_error(std::string_view text);

/// Opens those of the descriptors 0 to 2 that are closed, in a way that reading and writing still fail. A
/// file of the board that got descriptor 1 would be overwritten by what is printed.
void occupy_standard_descriptors();

}  // namespace bidboard
