// Writing without the heap, locks or streams: for code between fork and exec.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace bidboard {

inline void write_all(int fd, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

/// A line of text; what does not fit is cut. Numbers are not negative.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != '\0' && size_ < sizeof text_ - 1) text_[size_++] = *text++;
    return *this;
  }
  Line& operator<<(std::int64_t number) {
    char digits[24];
    char* at = digits + sizeof digits;
    *--at = '\0';
    do *--at = static_cast<char>('0' + number % 10);
    while ((number /= 10) > 0);
    return *this << at;
  }
  void write_to(int fd) {
    text_[size_++] = '\n';
    write_all(fd, text_, size_);
  }

 private:
  char text_[512];
  std::size_t size_ = 0;
};

}  // namespace bidboard
