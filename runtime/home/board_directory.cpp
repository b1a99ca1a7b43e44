#include "runtime/home/board_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "agents/guard/descriptor.hpp"
#include "blackboard/checks/sabotage.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"
#include "runtime/home/random_bytes.hpp"
#include "runtime/home/trust.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = 32;

fs::path folder_of(const fs::path& given) {
  if (given.filename() == board_folder) return given;
  return given / board_folder;
}

constexpr std::string_view state_names[] = {"embedded", "starting", "serving"};

std::string to_text(const Writer& writer) {
  std::ostringstream out;
  const auto or_dash = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  out << state_names[static_cast<int>(writer.state)] << ' ' << writer.pid << ' ' << writer.term.value;
  for (const std::string* address : {&writer.endpoint, &writer.feed, &writer.tcp, &writer.tcp_feed})
    out << ' ' << or_dash(*address);
  out << '\n';
  return out.str();
}

std::optional<Writer> parse_writer(const std::string& text) {
  std::istringstream in(text);
  std::string state;
  Writer writer;
  if (!(in >> state >> writer.pid >> writer.term.value >> writer.endpoint >> writer.feed)) return {};
  in >> writer.tcp >> writer.tcp_feed;  // an earlier version does not write these
  for (int i = 0; i < 3; ++i)
    if (state == state_names[i]) {
      writer.state = static_cast<Writer::State>(i);
      for (std::string* address : {&writer.endpoint, &writer.feed, &writer.tcp, &writer.tcp_feed})
        if (*address == "-") address->clear();
      return writer;
    }
  return {};
}

std::optional<Writer> read_writer(int fd) {
  char buffer[1024];
  const ssize_t n = ::pread(fd, buffer, sizeof buffer, 0);
  return n > 0 ? parse_writer(std::string(buffer, static_cast<std::size_t>(n))) : std::nullopt;
}

bool write_all_of(int fd, const std::string& text) {
  return ::ftruncate(fd, 0) == 0 &&
         ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

/// A controller that was killed leaves its entry in the file, and tools that read it share the lock for a
/// moment: only an exclusive lock means that there is a writer.
bool held_by_a_writer(int fd) {
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) return true;
  ::flock(fd, LOCK_UN);
  return false;
}

/// A controller must be seen serving this many times before another one is refused: after a new holder takes
/// the lock and before it writes its entry, the file still shows the previous holder's.
constexpr int looks_before_refusal = 3;

int open_lock(const BoardDirectory& board) {
  return ::open(board.writer_lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/// Also for who may only read it, such as a process in a sandbox: where a controller serves, that is enough.
int open_lock_to_look(const BoardDirectory& board) {
  const int fd = ::open(board.writer_lock().c_str(), O_RDWR | O_CLOEXEC);
  return fd >= 0 ? fd : ::open(board.writer_lock().c_str(), O_RDONLY | O_CLOEXEC);
}

Error not_writable(const BoardDirectory& board, int error) {
  if (error != EACCES && error != EROFS && error != EPERM)
    return {Errc::storage, fmt::format("cannot open {}: {}", board.writer_lock(), std::strerror(error))};
  return {Errc::refused,
          fmt::format("the board in {} is not writable by you ({}); in a sandbox, allow writing "
                      "there or run a controller outside (`bidboard up`)",
                      board.path, std::strerror(error))};
}

Error already_served(const Writer& by) {
  return {Errc::conflict, fmt::format("a controller serves this board already (process {})", by.pid)};
}

/// The file appears with its content or not at all; an existing file is not changed. False: see errno.
bool make_file_at_once(const std::string& path, const std::string& content) {
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  bool made = false;
  {
    const Descriptor file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    made = file &&
           ::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
           ::fsync(file.get()) == 0 && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  }
  const int error = errno;
  ::unlink(draft.c_str());
  errno = error;
  return made;
}

}  // namespace

bool is_board(const BoardDirectory& board) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(board.store(), error);
  return !error && bytes > 0;
}

namespace {

Result<BoardDirectory> trusted(const BoardDirectory& board) {
  if (const Result<void> ok = check_trust(board.path); !ok) return fail(ok.error());
  return board;
}

/// Whether there is a board that this user may read. Errors: refused, when there is one that he may not: it
/// must not look like none, or the board of a folder above would be used.
Result<bool> is_readable_board(const BoardDirectory& board) {
  struct stat info {};
  const std::string file = board.store();
  const auto hidden = [&] {
    return fail(Errc::refused, fmt::format("the board in {} is not readable by you", board.path));
  };
  if (::stat(file.c_str(), &info) != 0)
    return errno == EACCES && ::lstat(board.path.c_str(), &info) == 0 ? Result<bool>(hidden()) : false;
  if (info.st_size == 0) return false;
  return ::access(file.c_str(), R_OK) == 0 ? Result<bool>(true) : hidden();
}

}  // namespace

Result<BoardDirectory> find_board(const std::string& chosen) {
  const char* from_environment = std::getenv("BIDBOARD_DIR");
  const char* elsewhere = std::getenv(connect_variable);
  if (chosen.empty() && elsewhere && *elsewhere != '\0')
    return fail(Errc::unavailable, fmt::format("the board is on another machine (BIDBOARD_CONNECT is {}), "
                                               "and this command works on the board's files: run it there",
                                               elsewhere));
  const std::string given = !chosen.empty() ? chosen : from_environment ? from_environment : "";
  std::error_code error;
  if (!given.empty()) {
    const BoardDirectory board{folder_of(fs::absolute(fs::path(given), error).lexically_normal()).string()};
    const Result<bool> found = is_readable_board(board);
    if (!found) return fail(found.error());
    if (*found) return trusted(board);
    return fail(Errc::not_found,
                fmt::format("no board in {}; `bidboard -C {} init` makes one", given, given));
  }
  for (fs::path at = fs::current_path(error); !at.empty(); at = at.parent_path()) {
    const BoardDirectory board{(at / board_folder).string()};
    const Result<bool> found = is_readable_board(board);
    if (!found) return fail(found.error());
    if (*found) return trusted(board);
    if (at == at.root_path()) break;
  }
  return fail(Errc::not_found,
              "no board here or in any folder above; `bidboard init` makes one in this folder");
}

Result<BoardDirectory> make_board_folder(const std::string& home) {
  std::error_code error;
  const fs::path folder =
      folder_of(fs::absolute(fs::path(home.empty() ? "." : home), error).lexically_normal());
  BoardDirectory board{folder.string()};
  fs::create_directories(folder.parent_path(), error);
  const auto make = [](const std::string& path) -> Result<void> {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return fail(Errc::storage, fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  };
  if (const Result<void> made = make(board.path); !made) return fail(made.error());
  if (const Result<void> own = check_own_folder(board.path); !own) return fail(own.error());
  for (const std::string& path : {board.output(), board.run()})
    if (const Result<void> made = make(path); !made) return fail(made.error());
  std::ofstream(folder / ".gitignore") << "*\n";
  if (const Result<std::string> key = secret_key(board); !key) return fail(key.error());
  return board;
}

Result<std::string> secret_key(const BoardDirectory& board) {
  const std::string path = board.secret_file();
  std::string key(key_bytes, '\0');
  if (const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}) {
    if (::read(file.get(), key.data(), key.size()) == static_cast<ssize_t>(key_bytes)) return key;
    return fail(Errc::corrupt,
                path + " is damaged: it must hold 32 bytes; with no task running it can be moved away");
  }
  const Result<std::string> fresh = random_bytes(key_bytes);
  if (!fresh) return fail(fresh.error());
  return make_file_at_once(path, *fresh)
             ? secret_key(board)
             : fail(Errc::storage, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
}

Result<std::string> board_id(const BoardDirectory& board) {
  const Result<std::string> key = secret_key(board);
  if (!key) return fail(key.error());
  struct stat info {};
  if (::stat(board.path.c_str(), &info) != 0)
    return fail(Errc::storage, fmt::format("cannot read {}: {}", board.path, std::strerror(errno)));
  return to_hex(content_hash(fmt::format("board {} {} {}", to_hex(*key), info.st_dev, info.st_ino)))
      .substr(0, 32);
}

Result<WriterLock> WriterLock::acquire(const BoardDirectory& board, Writer::State as, Duration patience,
                                       Writer* serving) {
  using Clock = std::chrono::steady_clock;
  const auto give_up = Clock::now() + std::chrono::microseconds(patience.us);
  const int fd = open_lock(board);
  if (fd < 0) {
    const Error why = not_writable(board, errno);
    const std::optional<Writer> holder = as == Writer::State::embedded ? serving_writer(board) : std::nullopt;
    if (!holder) return fail(why);
    if (serving) *serving = *holder;
    return fail(already_served(*holder));
  }
  std::chrono::milliseconds pause(1);
  int seen_serving = 0;
  while (!sabotaged("lock") && ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::optional<Writer> holder = read_writer(fd);
    const bool serves = holder && holder->state == Writer::State::serving && held_by_a_writer(fd);
    seen_serving = serves ? seen_serving + 1 : 0;
    if (seen_serving == looks_before_refusal || (serves && as == Writer::State::embedded)) {
      if (serving) *serving = *holder;
      ::close(fd);
      return fail(already_served(*holder));
    }
    if (Clock::now() >= give_up) {
      ::close(fd);
      return fail(Errc::timed_out,
                  fmt::format("process {} is writing to the board and did not release it within {}",
                              holder ? holder->pid : 0, patience));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(16));
  }
  WriterLock lock(fd);
  if (const Result<void> said = lock.announce({as, ::getpid(), {}, {}, {}, {}, {}}); !said)
    return fail(said.error());
  return lock;
}

WriterLock::WriterLock(WriterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

WriterLock::~WriterLock() {
  if (fd_ < 0) return;
  write_all_of(fd_, "");
  ::close(fd_);
}

Result<void> WriterLock::announce(const Writer& writer) {
  if (write_all_of(fd_, to_text(writer))) return {};
  return fail(Errc::storage, std::string("cannot write the lock file: ") + std::strerror(errno));
}

std::optional<Writer> serving_writer(const BoardDirectory& board) {
  const int fd = open_lock_to_look(board);
  if (fd < 0) return {};
  std::optional<Writer> writer;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) writer = read_writer(fd);
  ::close(fd);
  if (writer && writer->state != Writer::State::serving) writer.reset();
  return writer;
}

}  // namespace bidboard
