#include "experiments/bench/raw_lmdb.hpp"

#include <lmdb.h>

#include <map>

#include "blackboard/format/keys.hpp"

namespace bidboard::bench {

struct RawLmdb::Impl {
  MDB_env* env = nullptr;
  MDB_dbi table = 0;
  Seq last;
  ~Impl() {
    if (env) mdb_env_close(env);
  }
};

RawLmdb::RawLmdb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawLmdb::~RawLmdb() = default;

namespace {

Error lmdb_error(int code) { return {Errc::storage, std::string("raw LMDB: ") + mdb_strerror(code)}; }

int put(MDB_txn* txn, MDB_dbi table, std::string_view key, std::string_view value) {
  MDB_val k{key.size(), const_cast<char*>(key.data())};
  MDB_val v{value.size(), const_cast<char*>(value.data())};
  return mdb_put(txn, table, &k, &v, 0);
}

int remove(MDB_txn* txn, MDB_dbi table, std::string_view key) {
  MDB_val k{key.size(), const_cast<char*>(key.data())};
  const int rc = mdb_del(txn, table, &k, nullptr);
  return rc == MDB_NOTFOUND ? 0 : rc;
}

}  // namespace

Result<std::unique_ptr<RawLmdb>> RawLmdb::create(const std::string& folder) {
  auto impl = std::make_unique<Impl>();
  int rc = mdb_env_create(&impl->env);
  if (rc == 0) rc = mdb_env_set_mapsize(impl->env, std::size_t{64} << 30);
  if (rc == 0) rc = mdb_env_open(impl->env, folder.c_str(), MDB_NOTLS, 0600);
  MDB_txn* txn = nullptr;
  if (rc == 0) rc = mdb_txn_begin(impl->env, nullptr, 0, &txn);
  if (rc == 0) rc = mdb_dbi_open(txn, nullptr, 0, &impl->table);
  if (rc == 0) rc = mdb_txn_commit(txn);
  if (rc != 0) return fail(lmdb_error(rc));
  return std::unique_ptr<RawLmdb>(new RawLmdb(std::move(impl)));
}

Result<void> RawLmdb::write(std::span<const Written> turns) {
  MDB_txn* txn = nullptr;
  if (const int rc = mdb_txn_begin(impl_->env, nullptr, 0, &txn)) return fail(lmdb_error(rc));
  int rc = 0;
  std::map<std::string_view, const Put*> last;
  for (const Written& turn : turns) {
    for (const std::string& event : turn.events) {
      impl_->last = impl_->last.next();
      if (rc == 0) rc = put(txn, impl_->table, keys::event(impl_->last), event);
    }
    for (const Put& change : turn.puts) last[change.key] = &change;
  }
  for (const auto& [key, change] : last) {
    if (rc != 0) break;
    rc = change->value ? put(txn, impl_->table, key, *change->value) : remove(txn, impl_->table, key);
  }
  if (rc != 0) {
    mdb_txn_abort(txn);
    return fail(lmdb_error(rc));
  }
  if (rc = mdb_txn_commit(txn); rc != 0) return fail(lmdb_error(rc));
  return {};
}

}  // namespace bidboard::bench
