#include "runtime/shell/notes.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "blackboard/text/readable.hpp"

namespace bidboard {

void print_note(const Note& note) {
  static const std::shared_ptr<spdlog::logger> log = [] {
    auto made = spdlog::stderr_color_st("bidboard");
    made->set_pattern("%H:%M:%S %^%l%$ %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  const std::string text = readable(note.text);
  switch (note.level) {
    case Note::Level::info:
      log->info(text);
      break;
    case Note::Level::warning:
      log->warn(text);
      break;
    case Note::Level::error:
      log->error(text);
      break;
  }
}

}  // namespace bidboard
