// An LMDB file written to with nothing in between: what Bidboard's store is compared with.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "experiments/bench/recording.hpp"

namespace bidboard::bench {

class RawLmdb {
 public:
  /// A new file in the folder, with the flags of Bidboard's own store. Errors: storage.
  static Result<std::unique_ptr<RawLmdb>> create(const std::string& folder);
  ~RawLmdb();
  /// Appends the events and makes the puts of all the turns in one durable transaction; of several puts to
  /// one key only the last is made. Errors: storage.
  Result<void> write(std::span<const Written> turns);

 private:
  struct Impl;
  explicit RawLmdb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard::bench
