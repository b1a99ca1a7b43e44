#include "runtime/drivers/compaction_run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "agents/guard/descriptor.hpp"
#include "blackboard/board/board.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

/// A snapshot that ends early when it is asked to stop.
class Stoppable final : public Snapshot {
 public:
  Stoppable(const Snapshot& snapshot, const std::atomic<bool>& stop) : snapshot_(snapshot), stop_(stop) {}
  Result<std::optional<std::string_view>> get(std::string_view key) const override {
    return snapshot_.get(key);
  }
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override {
    return snapshot_.scan(prefix, from, [&](std::string_view key, std::string_view value) {
      return !stop_ && visit(key, value);
    });
  }
  void prefetch(const KeyList& keys) const override { snapshot_.prefetch(keys); }
  Seq last_seq() const override { return snapshot_.last_seq(); }

 private:
  const Snapshot& snapshot_;
  const std::atomic<bool>& stop_;
};

}  // namespace

struct CompactionRun::Proof {
  std::atomic<bool> stop = false;
  std::atomic<bool> done = false;
  std::vector<std::string> findings;  ///< written before `done`
  Descriptor readable, writable;
  std::thread thread;

  explicit Proof(const Snapshot& snapshot) {
    int ends[2];
    BB_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
    readable = Descriptor(ends[0]);
    writable = Descriptor(ends[1]);
    thread = std::thread([this, &snapshot] {
      try {
        findings = reasons_against_compaction(Stoppable(snapshot, stop));
      } catch (const DamagedRecord& damaged) {
        findings = {damaged.error.text};
      }
      done = true;
      writable.reset();  // the other end becomes readable
    });
  }
  ~Proof() {
    stop = true;
    thread.join();
  }
};

CompactionRun::CompactionRun(Store& store) : store_(store) {}
CompactionRun::~CompactionRun() = default;

void CompactionRun::ask(const CompactionAsked& asked) {
  if (std::find(waiting_.begin(), waiting_.end(), asked) == waiting_.end()) waiting_.push_back(asked);
  if (proof_ || compaction_) return;
  Result<std::unique_ptr<Snapshot>> snapshot = store_.snapshot();
  if (!snapshot) {
    no_snapshot_ = snapshot.error();  // has_work() reports it, work() replies with it
    return;
  }
  snapshot_ = std::move(*snapshot);
  proof_ = std::make_unique<Proof>(*snapshot_);
}

int CompactionRun::descriptor() const { return proof_ ? proof_->readable.get() : -1; }

bool CompactionRun::has_work() const {
  if (must_end()) return true;
  if (proof_) return proof_->done;
  return !waiting_.empty();
}

bool CompactionRun::must_end() const { return snapshot_ && store_.awaits_snapshots(); }

std::vector<Send> CompactionRun::work() {
  if (must_end())
    return answer(
        fail(Errc::storage,
             "the compaction was ended, because the controller could not write to the board; start it "
             "again when that works"));
  if (!snapshot_) return answer(fail_in("the board is not compacted", no_snapshot_));
  if (proof_) {
    const std::vector<std::string> findings = std::move(proof_->findings);
    proof_.reset();
    if (!findings.empty()) return answer(fail(refuse_compaction(findings)));
    compaction_ = std::make_unique<Compaction>(store_, *snapshot_);
  }
  const Result<bool> done = compaction_->step();
  if (!done) return answer(fail(done.error()));
  if (!*done) return {};
  return answer(compaction_->result());
}

std::vector<Send> CompactionRun::answer(const Result<Compacted>& result) {
  Reply reply;
  if (result)
    reply.body = CompactionDone{result->base.seq, result->removed, result->kept};
  else
    reply.code = result.error().code, reply.text = result.error().text;
  std::vector<Send> sends;
  for (const CompactionAsked& asked : waiting_) {
    reply.number = asked.request;
    sends.push_back({asked.by, reply});
  }
  waiting_.clear();
  compaction_.reset();
  proof_.reset();
  snapshot_.reset();
  return sends;
}

}  // namespace bidboard
