// The keys of a board (.bidboard/keys, mode 0700): who may connect over TCP, and the key by which the
// controller proves that it serves this board. Edge code. Secrets are in files of mode 0600 and are never
// printed.
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

/// Creates the directory and the controller's pair if they are missing; returns the pair. Errors: storage,
/// refused (others may read it), failed (no random bytes).
Result<KeyPair> make_keys(const BoardDirectory& board);
/// Errors: not_found (`bidboard keys init` creates one), refused (others may read it), corrupt.
Result<KeyPair> server_keys(const BoardDirectory& board);

/// Errors: as for server_keys, and corrupt (names the file).
Result<std::vector<AllowedKey>> allowed_keys(const BoardDirectory& board);
/// Creates a pair for a client and allows it; returns the path of the file for the client. Errors: invalid
/// (name), conflict (it exists already), storage.
Result<std::string> add_key(const BoardDirectory& board, const std::string& name, bool operates);
/// Allows a public key that was created elsewhere. Errors: as for add_key.
Result<void> import_key(const BoardDirectory& board, const AllowedKey& key);
/// Errors: not_found, storage.
Result<void> revoke_key(const BoardDirectory& board, const std::string& name);

/// Reads the client's key file. Errors: not_found, refused (others may read it), corrupt.
Result<CurveKeys> read_client_keys(const std::string& file);
/// A public key as people write it: 64 hexadecimal digits. Errors: invalid.
Result<std::string> parse_public_key(const std::string& text);

/// The allowed keys as they are on disk, read again when they have changed. If the directory cannot be read,
/// no key is allowed.
class KeyWatch {
 public:
  explicit KeyWatch(BoardDirectory board);
  const std::vector<AllowedKey>& keys() const { return keys_; }
  /// Why the directory cannot be read; empty: it can.
  const std::string& trouble() const { return trouble_; }
  /// Checks for changes. True: a key is no longer allowed, or has fewer rights.
  bool look();

 private:
  BoardDirectory board_;
  std::vector<AllowedKey> keys_;
  std::string trouble_;
  timespec seen_{};
};

}  // namespace bidboard
