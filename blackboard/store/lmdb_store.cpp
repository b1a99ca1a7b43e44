#include "blackboard/store/lmdb_store.hpp"

#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"

namespace bidboard {
namespace {

/// Reader slots: one per tool that reads at this moment.
constexpr unsigned max_readers = 512;

Error lmdb_error(const char* doing, int code) {
  const Errc kind = code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
                            code == MDB_VERSION_MISMATCH
                        ? Errc::corrupt
                        : Errc::storage;
  std::string text = fmt::format("the board's store: {}: {}", doing, mdb_strerror(code));
  if (code == MDB_MAP_FULL) text += "; the board has reached its size limit";
  if (code == ENOSPC) text += "; free some disk space and try again";
  return {kind, std::move(text)};
}

MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view to_view(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }

/// LMDB breaks its own locks when one process opens a file twice: remembers which are open.
class OpenFiles {
 public:
  static bool add(dev_t device, ino_t inode) { return set().insert({device, inode}).second; }
  static void remove(dev_t device, ino_t inode) { set().erase({device, inode}); }

 private:
  static std::set<std::pair<dev_t, ino_t>>& set() {
    static std::set<std::pair<dev_t, ino_t>> open;
    return open;
  }
};

/// An open environment with its one table; closes it and frees the process for opening it again.
struct Environment {
  MDB_env* env = nullptr;
  MDB_dbi table = 0;
  dev_t device = 0;
  ino_t inode = 0;
  bool registered = false;

  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    if (env) mdb_env_close(env);
    if (registered) OpenFiles::remove(device, inode);
  }
};

/// The number of the commit that a header of the file is of. LMDB's data format 1 on 64 bits: behind a page
/// header of 16 bytes stand magic and version, the map's address and size, two tables of 48 bytes and the
/// last page.
std::optional<std::uint64_t> commit_number(int file, std::size_t page, std::size_t page_bytes) {
  std::uint64_t number = 0;
  const auto at = static_cast<off_t>(page * page_bytes + 16 + 8 + 16 + 2 * 48 + 8);
  if (::pread(file, &number, sizeof number, at) != sizeof number) return {};
  return number;
}

/// Commits write the two headers by turns, and the later one counts. A flipped bit in a number would make a
/// board of long ago the present one: each state of it looks whole.
Result<void> check_headers(const std::string& path, MDB_env* env) {
  static_assert(sizeof(std::size_t) == 8, "the headers of other machines are laid out differently");
  MDB_stat stat;
  mdb_filehandle_t file = -1;
  if (mdb_env_get_fd(env, &file) != 0 || mdb_env_stat(env, &stat) != 0) return {};
  std::optional<std::uint64_t> even, odd;
  for (int attempt = 0; attempt < 20; ++attempt) {  // a writer may commit between the two looks
    even = commit_number(file, 0, stat.ms_psize);
    odd = commit_number(file, 1, stat.ms_psize);
    if (!even || !odd) return {};
    const bool fresh = *even == 0 && *odd == 0;
    if (fresh || (*even % 2 == 0 && (*odd == *even + 1 || *odd + 1 == *even))) return {};
  }
  return fail(
      Errc::corrupt,
      fmt::format(
          "the headers of {} are damaged: they name commits {} and {}, which do not follow each other", path,
          *even, *odd));
}

bool may_write_lock(const std::string& directory) {
  const std::string lock = directory + "/lock.mdb";
  if (::access(lock.c_str(), F_OK) == 0) return ::access(lock.c_str(), R_OK | W_OK) == 0;
  return ::access(directory.c_str(), W_OK | X_OK) == 0;
}

Result<std::unique_ptr<Environment>> open_environment(const std::string& directory,
                                                      const StoreOptions& options, unsigned flags) {
  const std::string file = directory + "/data.mdb";
  const auto denied = [&](const char* what) {
    return fail(Errc::refused, fmt::format("the board in {} is not {} by you", directory, what));
  };
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0 || info.st_size == 0) {  // empty: its making was cut off
    if (info.st_ino == 0 && errno == EACCES) return denied("readable");
    if (!options.create)
      return fail(Errc::not_found, fmt::format("no board in {}; `bidboard init` makes one", directory));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(Errc::storage, fmt::format("cannot make {}: {}", directory, std::strerror(errno)));
  }
  auto opened = std::make_unique<Environment>();
  if (const int rc = mdb_env_create(&opened->env)) return fail(lmdb_error("set up", rc));
  mdb_env_set_maxreaders(opened->env, max_readers);
  mdb_env_set_mapsize(opened->env, options.bytes_max);
  const auto remember = [&] {
    opened->device = info.st_dev;
    opened->inode = info.st_ino;
    return opened->registered = OpenFiles::add(info.st_dev, info.st_ino);
  };
  if (info.st_ino != 0 && !remember())
    return fail(Errc::conflict, fmt::format("the board in {} is already open in this process", directory));
  if (info.st_ino != 0 && ::access(file.c_str(), R_OK) != 0) return denied("readable");
  // A reader's slot in the lock file keeps the writer from using its pages again. Who may not write there
  // reads without one: what the writer then overwrites fails its checksum.
  if ((flags & MDB_RDONLY) != 0 && !may_write_lock(directory)) flags |= MDB_NOLOCK;
  if (const int rc = mdb_env_open(opened->env, directory.c_str(), flags | MDB_NOTLS, 0600)) {
    if (rc == EACCES || rc == EROFS) return denied("writable");
    return fail(lmdb_error("open", rc));
  }
  if (info.st_ino == 0 && ::stat(file.c_str(), &info) == 0) remember();
  if (const Result<void> sound = check_headers(file, opened->env); !sound) return fail(sound.error());

  MDB_txn* txn = nullptr;
  if (const int rc = mdb_txn_begin(opened->env, nullptr, flags & MDB_RDONLY, &txn))
    return fail(lmdb_error("open", rc));
  int rc = mdb_dbi_open(txn, nullptr, 0, &opened->table);
  if (rc == 0)
    rc = mdb_txn_commit(txn);
  else
    mdb_txn_abort(txn);
  if (rc != 0) return fail(lmdb_error("open the table", rc));
  return opened;
}

Result<std::optional<std::string_view>> get_in(MDB_txn* txn, MDB_dbi table, std::string_view key) {
  MDB_val k = to_val(key);
  MDB_val v;
  const int rc = mdb_get(txn, table, &k, &v);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  if (rc != 0) return fail(lmdb_error("read", rc));
  return to_view(v);
}

Result<void> scan_in(MDB_txn* txn, MDB_dbi table, std::string_view prefix, std::string_view from,
                     const Snapshot::Visitor& visit) {
  MDB_cursor* cursor = nullptr;
  if (const int rc = mdb_cursor_open(txn, table, &cursor)) return fail(lmdb_error("read", rc));
  const std::unique_ptr<MDB_cursor, decltype(&mdb_cursor_close)> closed(
      cursor, mdb_cursor_close);  // a visitor may throw
  MDB_val key = to_val(std::max(prefix, from));
  MDB_val value;
  // LMDB refuses an empty key; the first entry is what an empty bound means.
  int rc = mdb_cursor_get(cursor, &key, &value, key.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
  while (rc == 0 && to_view(key).starts_with(prefix) && visit(to_view(key), to_view(value)))
    rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  if (rc != 0 && rc != MDB_NOTFOUND) return fail(lmdb_error("read", rc));
  return {};
}

unsigned flags_of(const StoreOptions& options) {
  return options.durability == Durability::none ? MDB_NOSYNC : 0;
}

struct Meta {
  Seq seq;
  Term term;
};

/// Last sequence number and term, 8 bytes each. Written by every commit.
Result<Meta> meta_in(MDB_txn* txn, MDB_dbi table) {
  const Result<std::optional<std::string_view>> bytes = get_in(txn, table, keys::meta);
  if (!bytes) return fail(bytes.error());
  if (!*bytes) return Meta{};
  if ((*bytes)->size() != 16)
    return fail(Errc::corrupt, "the board's store: its last sequence number and term are damaged");
  return Meta{{read_big_endian(**bytes, 0)}, {read_big_endian(**bytes, 8)}};
}

/// LMDB keeps the numbers of free pages in its table 0, which may be read: under each transaction a list that
/// begins with its length.
std::size_t free_pages_in(MDB_txn* txn) {
  constexpr MDB_dbi free_list = 0;
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(txn, free_list, &cursor) != 0) return 0;
  MDB_val key;
  MDB_val list;
  std::size_t pages = 0;
  while (mdb_cursor_get(cursor, &key, &list, MDB_NEXT) == 0) {
    std::size_t length = 0;
    std::memcpy(&length, list.mv_data, sizeof length);
    pages += length;
  }
  mdb_cursor_close(cursor);
  return pages;
}

class LmdbSnapshot final : public Snapshot {
 public:
  static Result<std::unique_ptr<Snapshot>> open(std::shared_ptr<Environment> environment) {
    MDB_txn* txn = nullptr;
    if (const int rc = mdb_txn_begin(environment->env, nullptr, MDB_RDONLY, &txn))
      return fail(lmdb_error("read", rc));
    std::unique_ptr<LmdbSnapshot> snapshot(new LmdbSnapshot(std::move(environment), txn));
    const Result<Meta> meta = meta_in(txn, snapshot->env_->table);
    if (!meta) return fail(meta.error());
    snapshot->last_seq_ = meta->seq;
    return snapshot;
  }
  ~LmdbSnapshot() override { mdb_txn_abort(txn_); }
  Result<std::optional<std::string_view>> get(std::string_view key) const override {
    return get_in(txn_, env_->table, key);
  }
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override {
    return scan_in(txn_, env_->table, prefix, from, visit);
  }
  Seq last_seq() const override { return last_seq_; }

 private:
  LmdbSnapshot(std::shared_ptr<Environment> environment, MDB_txn* txn)
      : env_(std::move(environment)), txn_(txn) {}

  std::shared_ptr<Environment> env_;
  MDB_txn* txn_;
  Seq last_seq_;
};

}  // namespace

struct LmdbStore::Impl {
  std::string directory;
  StoreOptions options;
  std::shared_ptr<Environment> environment;  ///< shared with snapshots; nullptr: it could not be opened again
  Meta meta;
  MDB_txn* reader = nullptr;
  bool reader_is_current = false;
  bool panicked = false;  ///< the environment refuses everything from now on

  ~Impl() { drop_reader(); }

  void drop_reader() {
    if (reader) mdb_txn_abort(std::exchange(reader, nullptr));
    reader_is_current = false;
  }
  /// The environment as it can be used now. Once LMDB could not write the page that makes a commit, it
  /// refuses everything but what snapshots of it read (MDB_PANIC). A new one shows the last commit that
  /// succeeded; the old one must be closed before, so that waits until the snapshots have ended.
  Result<Environment*> usable() {
    if (environment && !panicked) return environment.get();
    if (environment.use_count() > 1)
      return fail(Errc::storage,
                  "the board's store: a write failed; it is opened again when those who read it have ended");
    drop_reader();
    environment.reset();
    Result<std::unique_ptr<Environment>> opened = open_environment(directory, options, flags_of(options));
    if (!opened)
      return fail(Errc::storage,
                  "the board's store cannot be opened again after a failed write: " + opened.error().text);
    environment = std::move(*opened);
    panicked = false;
    return environment.get();
  }
  /// A read transaction that shows the last commit. It is let go of during commits, so that it never keeps
  /// old pages alive.
  Result<MDB_txn*> read() {
    const Result<Environment*> in = usable();
    if (!in) return fail(in.error());
    int rc = 0;
    if (!reader)
      rc = mdb_txn_begin((*in)->env, nullptr, MDB_RDONLY, &reader);
    else if (!reader_is_current)
      rc = mdb_txn_renew(reader);
    if (rc != 0) return fail(lmdb_error("begin to read", rc));
    reader_is_current = true;
    return reader;
  }
  /// Also after a failed read: LMDB then refuses everything else in that transaction. Views given out stay
  /// valid, since only a commit reuses pages.
  void let_go() {
    if (reader && reader_is_current) mdb_txn_reset(reader);
    reader_is_current = false;
  }
  void open_again_after_panic() {
    MDB_txn* probe = nullptr;
    const int rc = mdb_txn_begin(environment->env, nullptr, MDB_RDONLY, &probe);
    if (rc == 0) mdb_txn_abort(probe);
    panicked = rc == MDB_PANIC;
    static_cast<void>(usable());  // if not now, then when it is needed
  }
};

LmdbStore::LmdbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LmdbStore::~LmdbStore() = default;

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const std::string& directory,
                                                   const StoreOptions& options) {
  Result<std::unique_ptr<Environment>> environment = open_environment(directory, options, flags_of(options));
  if (!environment) return fail(environment.error());
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  impl->options = options;
  impl->environment = std::move(*environment);
  const Result<MDB_txn*> txn = impl->read();
  const Result<Meta> meta = txn ? meta_in(*txn, impl->environment->table) : fail(txn.error());
  if (!meta) return fail(meta.error());
  impl->meta = *meta;
  std::unique_ptr<LmdbStore> store(new LmdbStore(std::move(impl)));
  store->clear_stale_readers();
  return store;
}

Result<void> LmdbStore::commit(Seq expected_seq, Term term, std::span<const std::string> events,
                               std::span<const Put> puts) {
  const Result<Environment*> in = impl_->usable();
  if (!in) return fail(in.error());
  const MDB_dbi table = (*in)->table;
  impl_->let_go();
  MDB_txn* txn = nullptr;
  if (const int rc = mdb_txn_begin((*in)->env, nullptr, 0, &txn)) return fail(lmdb_error("begin", rc));
  const Result<Meta> before = meta_in(txn, table);
  if (!before) {
    mdb_txn_abort(txn);
    return fail(before.error());
  }
  if (before->seq != expected_seq || term < before->term) {
    mdb_txn_abort(txn);
    return fail(Errc::conflict, term < before->term ? "a newer controller has taken over the board"
                                                    : "another process wrote to the board meanwhile");
  }
  int rc = 0;
  const auto put = [&](std::string_view key, std::string_view value) {
    if (rc != 0) return;
    MDB_val k = to_val(key);
    MDB_val v = to_val(value);
    rc = mdb_put(txn, table, &k, &v, 0);
  };
  Meta meta{expected_seq, term};
  for (const std::string& event : events) {
    meta.seq = meta.seq.next();
    put(keys::event(meta.seq), event);
  }
  for (const Put& change : puts) {
    BB_CHECK(!change.key.empty() && change.key.size() <= 500, "keys have 1 to 500 bytes");
    if (change.value) {
      put(change.key, *change.value);
    } else if (rc == 0) {
      MDB_val k = to_val(change.key);
      rc = mdb_del(txn, table, &k, nullptr);
      if (rc == MDB_NOTFOUND) rc = 0;
    }
  }
  std::string bytes;
  append_big_endian(bytes, meta.seq.value);
  append_big_endian(bytes, meta.term.value);
  put(keys::meta, bytes);
  if (rc != 0) {
    mdb_txn_abort(txn);  // a failed put poisons its transaction
    return fail(lmdb_error("write", rc));
  }
  if (rc = mdb_txn_commit(txn); rc != 0) {
    impl_->open_again_after_panic();
    return fail(lmdb_error("commit", rc));
  }
  impl_->meta = meta;
  return {};
}

Result<std::optional<std::string_view>> LmdbStore::get(std::string_view key) const {
  const Result<MDB_txn*> txn = impl_->read();
  if (!txn) return fail(txn.error());
  Result<std::optional<std::string_view>> found = get_in(*txn, impl_->environment->table, key);
  if (!found) impl_->let_go();
  return found;
}

Result<void> LmdbStore::scan(std::string_view prefix, std::string_view from, const Visitor& visit) const {
  const Result<MDB_txn*> txn = impl_->read();
  if (!txn) return fail(txn.error());
  Result<void> read = scan_in(*txn, impl_->environment->table, prefix, from, visit);
  if (!read) impl_->let_go();
  return read;
}

Seq LmdbStore::last_seq() const { return impl_->meta.seq; }
Term LmdbStore::last_term() const { return impl_->meta.term; }

std::int64_t LmdbStore::fullness() const {
  MDB_envinfo info;
  MDB_stat stat;
  const Result<Environment*> in = impl_->usable();
  if (!in || mdb_env_info((*in)->env, &info) != 0 || mdb_env_stat((*in)->env, &stat) != 0) return 0;
  const auto share = [&](std::size_t pages) {
    return to_micros(static_cast<double>(pages) * stat.ms_psize /
                     static_cast<double>(impl_->options.bytes_max));
  };
  // The file never shrinks. What has become free in it is counted only where posts would be refused, since
  // that takes a walk over the list of free pages.
  const std::size_t pages = info.me_last_pgno + 1;
  if (share(pages) < nearly_full) return share(pages);
  const Result<MDB_txn*> txn = impl_->read();
  return share(txn ? pages - free_pages_in(*txn) : pages);
}

Result<std::unique_ptr<Snapshot>> LmdbStore::snapshot() const {
  if (const Result<Environment*> in = impl_->usable(); !in) return fail(in.error());
  return LmdbSnapshot::open(impl_->environment);
}

bool LmdbStore::awaits_snapshots() const { return impl_->panicked && impl_->environment.use_count() > 1; }

int LmdbStore::clear_stale_readers() {
  int dead = 0;
  if (impl_->environment) mdb_reader_check(impl_->environment->env, &dead);
  return dead;
}

Result<std::unique_ptr<Store>> open_lmdb(const std::string& directory, const StoreOptions& options) {
  return LmdbStore::open(directory, options);
}

Result<std::unique_ptr<Snapshot>> open_snapshot(const std::string& directory) {
  Result<std::unique_ptr<Environment>> environment = open_environment(directory, {}, MDB_RDONLY);
  if (!environment) return fail(environment.error());
  return LmdbSnapshot::open(std::move(*environment));
}

Result<std::uint64_t> count_entries(const std::string& directory) {
  Result<std::unique_ptr<Environment>> environment = open_environment(directory, {}, MDB_RDONLY);
  if (!environment) return fail(environment.error());
  MDB_stat stat;
  if (const int rc = mdb_env_stat((*environment)->env, &stat)) return fail(lmdb_error("count", rc));
  return stat.ms_entries;
}

Result<void> copy_store(const std::string& from_directory, const std::string& to_directory) {
  Result<std::unique_ptr<Environment>> environment = open_environment(from_directory, {}, MDB_RDONLY);
  if (!environment) return fail(environment.error());
  if (const int rc = mdb_env_copy2((*environment)->env, to_directory.c_str(), MDB_CP_COMPACT))
    return fail(lmdb_error("copy", rc));
  return {};
}

}  // namespace bidboard
