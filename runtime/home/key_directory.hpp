// The keys of a board (.bidboard/keys, mode 0700): who may connect over TCP, and by which key the controller
// proves that it is this board's. Edge code. Secrets stand in files of mode 0600 and are never printed.
//
//   server.key   the controller's own pair            NAME.key   a client's pair and the controller's public
//   NAME.pub     a public key that may connect                   key: the file to hand over, if made here
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "runtime/home/board_directory.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard {

/// Makes the directory and the controller's pair where they are missing; the pair. Errors: storage, refused
/// (others may read it), failed (no random bytes).
Result<KeyPair> make_keys(const BoardDirectory& board);
/// Errors: not_found (`bidboard keys init` makes one), refused (others may read it), corrupt.
Result<KeyPair> server_keys(const BoardDirectory& board);

/// Errors: as of server_keys, corrupt (names the file).
Result<std::vector<AllowedKey>> allowed_keys(const BoardDirectory& board);
/// Makes a pair for a client and allows it; the path of the file to hand over. Errors: invalid (name),
/// conflict (there is one), storage.
Result<std::string> add_key(const BoardDirectory& board, const std::string& name, bool operates);
/// Allows a public key that was made elsewhere. Errors: as of add_key.
Result<void> import_key(const BoardDirectory& board, const AllowedKey& key);
/// Errors: not_found, storage.
Result<void> revoke_key(const BoardDirectory& board, const std::string& name);

/// What a client reads from the file that was handed over. Errors: not_found, refused (others may read it),
/// corrupt.
Result<CurveKeys> read_client_keys(const std::string& file);
/// A public key as people write it: 64 hexadecimal digits. Errors: invalid.
Result<std::string> parse_public_key(const std::string& text);

/// The allowed keys as they stand on disk, read again when they have changed. A directory that cannot be read
/// allows nobody.
class KeyWatch {
 public:
  explicit KeyWatch(BoardDirectory board);
  const std::vector<AllowedKey>& keys() const { return keys_; }
  /// Why the directory cannot be read; empty: it can.
  const std::string& trouble() const { return trouble_; }
  /// Looks whether anything has changed. True: a key that was allowed is so no more, or with lesser rights.
  bool look();

 private:
  BoardDirectory board_;
  std::vector<AllowedKey> keys_;
  std::string trouble_;
  timespec seen_{};
};

}  // namespace bidboard
