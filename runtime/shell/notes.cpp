#include "runtime/shell/notes.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace bidboard {

void print_note(const Note& note) {
  static const std::shared_ptr<spdlog::logger> log = [] {
    auto made = spdlog::stderr_color_st("bidboard");
    made->set_pattern("%H:%M:%S %^%l%$ %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  switch (note.level) {
    case Note::Level::info:
      log->info(note.text);
      break;
    case Note::Level::warning:
      log->warn(note.text);
      break;
    case Note::Level::error:
      log->error(note.text);
      break;
  }
}

}  // namespace bidboard
