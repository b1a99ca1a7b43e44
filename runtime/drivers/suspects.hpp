// The inputs that a controller was processing when it crashed. The sender of an input that crashes the core
// sends it again to the next controller: without a memory of it the board could never be served again. So the
// current inputs are kept in a small mapped file that outlives the process. After a crash by signal they are
// suspects: they are given to the core one by one, and an input that crashes it a second time is refused.
// Edge code, for one thread; one object per process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

class Suspects {
 public:
  /// Opens the file, creating it if missing; the inputs on which an earlier process crashed become suspects.
  /// A different version of Bidboard starts with an empty list. From now on the signals of a crash (SEGV,
  /// ABRT, BUS, FPE, ILL) are recorded in the file before they end the process. Errors: storage.
  static Result<std::unique_ptr<Suspects>> open(const std::string& path);
  ~Suspects();

  /// These inputs are being processed now; digests, of which at most `most_under_way` are remembered.
  void begin(std::span<const std::uint64_t> digests);
  /// The inputs are done: suspects among them are cleared.
  void end();
  /// The number of crashes in which it was being processed.
  std::uint32_t crashes(std::uint64_t digest) const;
  bool any() const;

  static constexpr std::size_t most_under_way = 1024;
  /// An input with this many crashes is refused.
  static constexpr std::uint32_t refused_from = 2;

 private:
  struct Mapped;
  explicit Suspects(Mapped* mapped) : mapped_(mapped) {}
  Mapped* mapped_;
};

}  // namespace bidboard
