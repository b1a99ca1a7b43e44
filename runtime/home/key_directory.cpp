#include "runtime/home/key_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/text/shell.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_bytes = curve_key_bytes;
constexpr std::size_t name_bytes_max = 64;
constexpr const char* public_suffix = ".pub";
constexpr const char* secret_suffix = ".key";
/// The controller's own file is in the same folder as those of the clients.
constexpr const char* server_name = "server";
/// File times are as coarse as the system's clock: a directory that changed this recently is read again.
constexpr time_t grain_seconds = 2;

std::string file_of(const BoardDirectory& board, const std::string& name, const char* suffix) {
  return fmt::format("{}/{}{}", board.keys(), name, suffix);
}

Result<void> check_name(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= name_bytes_max && name[0] != '.' && name[0] != '-' &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             c == '.' || c == '_' || c == '-';
                    });
  if (fits && name != server_name) return {};
  return fail(Errc::invalid,
              fmt::format("'{}' is not a valid key name: 1 to 64 letters, digits, dots, dashes "
                          "or underscores, not starting with a dot or dash, and not 'server'",
                          name));
}

Result<std::string> bytes_of(const std::string& digits) {
  std::string bytes;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int high = digit(digits[i]), low = digit(digits[i + 1]);
    if (high < 0 || low < 0) break;
    bytes += static_cast<char>(high * 16 + low);
  }
  if (bytes.size() == key_bytes && digits.size() == 2 * key_bytes) return bytes;
  return fail(Errc::invalid, "a key is written as 64 hexadecimal digits");
}

/// Writes the file completely or not at all, and never over an existing file.
Result<void> write_new(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool written = file &&
                       ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(file.get()) == 0 && ::link(fresh.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(fresh.c_str());
  if (written) return {};
  if (error == EEXIST) return fail(Errc::conflict, path + " exists already");
  return fail(Errc::storage, fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

/// Refuses a secret file that others can read.
Result<void> check_private(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return fail(Errc::not_found, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  if ((info.st_mode & 077) == 0 && (info.st_uid == ::getuid() || ::getuid() == 0)) return {};
  return fail(Errc::refused,
              fmt::format("{} must belong to you and be readable only by you; type `chmod go= {}`", path,
                          shell_quoted(path)));
}

/// The members of a small YAML map, each of them text.
class KeyFile {
 public:
  static Result<KeyFile> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Errc::not_found, "cannot read " + path);
    Result<Value> value = parse_yaml(std::string(std::istreambuf_iterator<char>(file), {}));
    if (!value || !value->is_object()) return fail(Errc::corrupt, path + " is not a key file");
    return KeyFile(path, std::move(*value));
  }
  Result<std::string> key(std::string_view name) const {
    const Value* value = value_.find(name);
    Result<std::string> bytes =
        value && value->is_string() ? bytes_of(value->string()) : fail(Errc::invalid, "it is missing");
    if (bytes) return bytes;
    return fail(Errc::corrupt,
                fmt::format("{} is not a key file: '{}': {}", path_, name, bytes.error().text));
  }
  bool says(std::string_view name, std::string_view expected) const {
    const Value* value = value_.find(name);
    return value && value->is_string() && value->string() == expected;
  }

 private:
  KeyFile(std::string path, Value value) : path_(std::move(path)), value_(std::move(value)) {}
  std::string path_;
  Value value_;
};

std::string line(const char* name, const std::string& bytes) {
  return fmt::format("{}: \"{}\"\n", name, to_hex(bytes));
}

}  // namespace

Result<KeyPair> make_keys(const BoardDirectory& board) {
  if (::mkdir(board.keys().c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::storage, fmt::format("cannot create {}: {}", board.keys(), std::strerror(errno)));
  if (Result<KeyPair> known = server_keys(board); known || known.error().code != Errc::not_found)
    return known;
  const Result<KeyPair> made = make_key_pair();
  if (!made) return fail(made.error());
  const Result<void> written =
      write_new(file_of(board, server_name, secret_suffix),
                fmt::format("# With this the controller proves to remote agents that it serves this board. "
                            "Anyone who has it can pose as the controller.\n{}{}",
                            line("public", made->public_key), line("secret", made->secret_key)));
  if (!written && written.error().code != Errc::conflict) return fail(written.error());
  return server_keys(board);
}

Result<KeyPair> server_keys(const BoardDirectory& board) {
  const std::string path = file_of(board, server_name, secret_suffix);
  if (!fs::exists(path))
    return fail(Errc::not_found,
                "this board has no keys; `bidboard keys init` creates the controller's, `bidboard keys add "
                "NAME` one per client");
  for (const std::string& secret : {board.keys(), path})
    if (const Result<void> ok = check_private(secret); !ok) return fail(ok.error());
  const Result<KeyFile> file = KeyFile::read(path);
  if (!file) return fail(file.error());
  const Result<std::string> public_key = file->key("public");
  if (!public_key) return fail(public_key.error());
  const Result<std::string> secret_key = file->key("secret");
  if (!secret_key) return fail(secret_key.error());
  return KeyPair{*public_key, *secret_key};
}

Result<std::vector<AllowedKey>> allowed_keys(const BoardDirectory& board) {
  if (const Result<KeyPair> server = server_keys(board); !server) return fail(server.error());
  std::vector<AllowedKey> keys;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(board.keys(), error)) {
    if (entry.path().extension() != public_suffix) continue;
    const Result<KeyFile> file = KeyFile::read(entry.path().string());
    if (!file) return fail(file.error());
    const Result<std::string> public_key = file->key("public");
    if (!public_key) return fail(public_key.error());
    keys.push_back({entry.path().stem().string(), *public_key, file->says("rights", "operator")});
  }
  if (error) return fail(Errc::storage, fmt::format("cannot read {}: {}", board.keys(), error.message()));
  std::ranges::sort(keys, {}, &AllowedKey::name);
  return keys;
}

Result<void> import_key(const BoardDirectory& board, const AllowedKey& key) {
  if (const Result<void> ok = check_name(key.name); !ok) return ok;
  if (const Result<KeyPair> server = make_keys(board); !server) return fail(server.error());
  const Result<std::vector<AllowedKey>> known = allowed_keys(board);
  if (!known) return fail(known.error());
  for (const AllowedKey& other : *known) {
    if (other.name == key.name)
      return fail(
          Errc::conflict,
          fmt::format("a key '{}' exists already; `bidboard keys revoke {}` removes it", key.name, key.name));
    if (other.public_key == key.public_key)
      return fail(Errc::conflict, fmt::format("this key is allowed already, as '{}'", other.name));
  }
  return write_new(
      file_of(board, key.name, public_suffix),
      fmt::format("{}rights: {}\n", line("public", key.public_key), (key.operates ? "operator" : "agent")));
}

Result<std::string> add_key(const BoardDirectory& board, const std::string& name, bool operates) {
  if (const Result<void> ok = check_name(name); !ok) return fail(ok.error());
  const Result<KeyPair> server = make_keys(board);
  if (!server) return fail(server.error());
  const Result<KeyPair> made = make_key_pair();
  if (!made) return fail(made.error());
  // The file for the client is written first: an allowed key whose secret does not exist is useless.
  const std::string path = file_of(board, name, secret_suffix);
  const Result<void> written = write_new(
      path, fmt::format("# The key '{}' of a Bidboard board. Anyone who has this file may connect to its "
                        "controller:\n#   bidboard agent --connect tcp://HOST:PORT --key FILE ...\n{}{}{}",
                        name, line("public", made->public_key), line("secret", made->secret_key),
                        line("server", server->public_key)));
  if (!written) return fail(written.error());
  if (const Result<void> allowed = import_key(board, {name, made->public_key, operates}); !allowed) {
    ::unlink(path.c_str());
    return fail(allowed.error());
  }
  return path;
}

Result<void> revoke_key(const BoardDirectory& board, const std::string& name) {
  if (const Result<void> ok = check_name(name); !ok) return ok;
  const std::string path = file_of(board, name, public_suffix);
  if (::unlink(path.c_str()) != 0)
    return errno == ENOENT
               ? fail(Errc::not_found,
                      fmt::format("there is no key '{}'; `bidboard keys list` shows them", name))
               : fail(Errc::storage, fmt::format("cannot remove {}: {}", path, std::strerror(errno)));
  ::unlink(file_of(board, name, secret_suffix).c_str());
  return {};
}

Result<CurveKeys> read_client_keys(const std::string& path) {
  if (const Result<void> ok = check_private(path); !ok) return fail(ok.error());
  const Result<KeyFile> file = KeyFile::read(path);
  if (!file) return fail(file.error());
  CurveKeys keys;
  for (const auto& [name, into] :
       {std::pair("public", &keys.own.public_key), std::pair("secret", &keys.own.secret_key),
        std::pair("server", &keys.server)}) {
    Result<std::string> bytes = file->key(name);
    if (!bytes) return fail(bytes.error());
    *into = std::move(*bytes);
  }
  return keys;
}

Result<std::string> parse_public_key(const std::string& text) { return bytes_of(text); }

KeyWatch::KeyWatch(BoardDirectory board) : board_(std::move(board)) { look(); }

bool KeyWatch::look() {
  struct stat info {};
  const bool there = ::stat(board_.keys().c_str(), &info) == 0;
  const timespec changed = there ? info.st_mtim : timespec{};
  if (there && changed.tv_sec == seen_.tv_sec && changed.tv_nsec == seen_.tv_nsec) return false;
  Result<std::vector<AllowedKey>> now = there ? allowed_keys(board_) : std::vector<AllowedKey>{};
  // Remembered only once it is old enough that another change would alter the file time.
  seen_ = ::time(nullptr) - changed.tv_sec > grain_seconds ? changed : timespec{};
  trouble_ = now ? "" : now.error().text;
  const std::vector<AllowedKey> before =
      std::exchange(keys_, now ? std::move(*now) : std::vector<AllowedKey>{});
  return std::ranges::any_of(before, [&](const AllowedKey& key) {
    const auto same = std::ranges::find(keys_, key.name, &AllowedKey::name);
    return same == keys_.end() || same->public_key != key.public_key || (key.operates && !same->operates);
  });
}

}  // namespace bidboard
