// What a controller was working on when it crashed. An input that crashes the core is sent again by whoever
// sent it, to the controller that comes after: without a memory of it the board would never serve again. So
// the inputs under way stand in a small mapped file, which outlives the process; after a crash by signal they
// are suspects, are given to the core one by one, and who crashes it a second time is refused. Edge code, for
// one thread; one object per process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

class Suspects {
 public:
  /// Takes over the file, made when missing; what an earlier process crashed on becomes suspect. Another
  /// version of Bidboard begins anew. From now on the signals of a crash (SEGV, ABRT, BUS, FPE, ILL) are
  /// noted in the file before they end the process. Errors: storage.
  static Result<std::unique_ptr<Suspects>> open(const std::string& path);
  ~Suspects();

  /// These are under way now; digests of inputs, at most `most_under_way` are remembered.
  void begin(std::span<const std::uint64_t> digests);
  /// They are done: those that were suspect are cleared.
  void end();
  /// Crashes that it was under way in.
  std::uint32_t crashes(std::uint64_t digest) const;
  bool any() const;

  static constexpr std::size_t most_under_way = 1024;
  /// From so many crashes on an input is refused.
  static constexpr std::uint32_t refused_from = 2;

 private:
  struct Mapped;
  explicit Suspects(Mapped* mapped) : mapped_(mapped) {}
  Mapped* mapped_;
};

}  // namespace bidboard
