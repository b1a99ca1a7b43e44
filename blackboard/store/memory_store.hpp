// A Store in memory: for the simulator, `--at`, and tests. Nothing survives the process.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "blackboard/store/store.hpp"

namespace bidboard {

class MemoryStore : public Store {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  MemoryStore() = default;
  /// As it was after event `seq`, the log before it left out.
  MemoryStore(Seq seq, Term term, Map content) : map_(std::move(content)), seq_(seq), term_(term) {}

  Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override;
  Result<std::optional<std::string_view>> get(std::string_view key) const override;
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override;
  Seq last_seq() const override { return seq_; }
  Term last_term() const override { return term_; }
  std::int64_t fullness() const override { return 0; }
  /// A copy.
  Result<std::unique_ptr<Snapshot>> snapshot() const override;

 private:
  Map map_;
  Seq seq_;
  Term term_;
};

}  // namespace bidboard
