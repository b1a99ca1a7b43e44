// Simulated worlds from seeds, for people and for CI. Prints what was drawn and the outcome, and for a seed
// that fails the command that replays it. Exits with 1 if any failed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "blackboard/fmt.hpp"
#include "blackboard/format/to_value.hpp"
#include "experiments/bench/simulated_load.hpp"
#include "runtime/sim/scenario.hpp"

using namespace bidboard;
using namespace bidboard::sim;

namespace {

constexpr const char* usage =
    "simulate --seed N          one world, in detail\n"
    "simulate --seeds A..B      many, briefly; stops at the first that fails\n"
    "simulate --load STRATEGY:AGENTS:TASKS[:INVITED]   plain load, and what it costs; \"live\": live "
    "auction\n"
    "  --jobs N                 at once (2)\n"
    "  --sabotage GUARANTEE     switches one off (blackboard/checks/sabotage.hpp): a run must fail\n"
    "  --hashes                 prints the seeds with their log hashes\n"
    "  --events                 with --seed: every event and fault, as it happens\n";

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  unsigned jobs = 2;
  bool hashes = false;
  bool events = false;
  std::string sabotage;
  std::string load;
  std::string program;
};

class Teller final : public Observer {
 public:
  void on_saved(const Saved& saved, const Store&, Instant at) override {
    for (std::size_t i = 0; i < saved.events.size(); ++i) {
      const Event& event = saved.events[i];
      tell(at, fmt::format("{} {} {}", saved.first.value + i, kind(event), to_json(to_value(event.body))));
    }
  }
  void on_fault(const Fault& fault, Instant at) override {
    tell(at, fmt::format("FAULT {}, agent{}, {}", fault.kind, fault.agent, fault.lasts));
  }
  void on_note(const Note& note, Instant at) override { tell(at, "note " + note.text); }

 private:
  static void tell(Instant at, const std::string& what) {
    std::printf("%.6f %s\n", from_micros(at.us), what.c_str());
  }
};

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("  %s\n", line.c_str());
}

std::string replay(const Options& options, std::uint64_t seed) {
  return fmt::format("{} --seed {}{}", options.program, seed,
                     (options.sabotage.empty() ? "" : " --sabotage " + options.sabotage));
}

bool run_one(const Options& options, std::uint64_t seed) {
  const Scenario scenario = draw_scenario(seed);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  print(describe(scenario));
  std::fflush(stdout);
  Teller teller;
  const ScenarioReport report = run_scenario(scenario, options.events ? &teller : nullptr);
  std::printf(
      "%llu of %llu tasks done in %s of virtual time; %llu events, %llu messages, %llu faults, %llu failed "
      "commits, %llu late results\nlog hash %016llx\n",
      static_cast<unsigned long long>(report.done), static_cast<unsigned long long>(report.tasks),
      format_duration(report.took).c_str(), static_cast<unsigned long long>(report.events),
      static_cast<unsigned long long>(report.messages), static_cast<unsigned long long>(report.faults),
      static_cast<unsigned long long>(report.failed_commits),
      static_cast<unsigned long long>(report.late_results), static_cast<unsigned long long>(report.log_hash));
  if (report.violations.empty()) return true;
  std::printf("FAILED:\n");
  print(report.violations);
  std::printf("replay it with: %s\n", replay(options, seed).c_str());
  return false;
}

/// Runs seeds on several threads; each world runs in one thread.
class Many {
 public:
  explicit Many(const Options& options) : options_(options), next_(options.first) {}

  bool run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options_.jobs; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (options_.hashes)
      for (std::size_t i = 0; i < hashes_.size(); ++i)
        std::printf("%llu %016llx\n", static_cast<unsigned long long>(options_.first + i),
                    static_cast<unsigned long long>(hashes_[i]));
    if (!failed_)
      std::printf("%llu seeds, %llu tasks done, %llu events, %llu messages, %llu faults: everything held\n",
                  static_cast<unsigned long long>(seeds_), static_cast<unsigned long long>(sum_.done),
                  static_cast<unsigned long long>(sum_.events),
                  static_cast<unsigned long long>(sum_.messages),
                  static_cast<unsigned long long>(sum_.faults));
    return !failed_;
  }

 private:
  void work() {
    while (true) {
      std::uint64_t seed = 0;
      {
        const std::lock_guard lock(mutex_);
        if (failed_ || next_ > options_.last) return;
        seed = next_++;
      }
      const Scenario scenario = draw_scenario(seed);
      const ScenarioReport report = run_scenario(scenario);
      const std::lock_guard lock(mutex_);
      count(seed, report);
      if (report.violations.empty() || std::exchange(failed_, true)) continue;
      std::printf("seed %llu FAILED:\n", static_cast<unsigned long long>(seed));
      print(describe(scenario));
      print(report.violations);
      std::printf("replay it with: %s\n", replay(options_, seed).c_str());
      std::fflush(stdout);
    }
  }
  void count(std::uint64_t seed, const ScenarioReport& report) {
    ++seeds_;
    sum_.done += report.done;
    sum_.events += report.events;
    sum_.messages += report.messages;
    sum_.faults += report.faults;
    if (!options_.hashes) return;
    if (hashes_.size() <= seed - options_.first) hashes_.resize(seed - options_.first + 1);
    hashes_[seed - options_.first] = report.log_hash;
  }

  const Options& options_;
  std::mutex mutex_;
  std::uint64_t next_;
  bool failed_ = false;
  std::uint64_t seeds_ = 0;
  ScenarioReport sum_;
  std::vector<std::uint64_t> hashes_;
};

int run_load(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text) c == ':' ? parts.emplace_back() : parts.back() += c;
  if (parts.size() < 3) return 2;
  bench::Load load;
  load.live_bids = parts[0] == "live";
  load.strategy = load.live_bids ? "auction" : parts[0];
  load.agents = static_cast<std::uint32_t>(std::stoul(parts[1]));
  load.tasks = std::stoull(parts[2]);
  if (parts.size() > 3) load.invite_max = static_cast<std::uint32_t>(std::stoul(parts[3]));
  if (parts.size() > 4) load.mechanism = parts[4];
  const bench::LoadCost cost = bench::simulate_load(load);
  std::printf(
      "%llu of %llu tasks done in %.1f s (%.1f s in the controller: %.1f us per task), %.2f messages per "
      "task, "
      "%s of virtual time\n",
      static_cast<unsigned long long>(cost.done), static_cast<unsigned long long>(load.tasks), cost.seconds,
      cost.controller_seconds, cost.controller_seconds * 1e6 / static_cast<double>(load.tasks),
      cost.messages_per_task, format_duration(cost.took).c_str());
  return cost.done == load.tasks ? 0 : 1;
}

bool parse(int argc, char** argv, Options& options) {
  options.program = argv[0];
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--hashes" || word == "--events") {
      (word == "--hashes" ? options.hashes : options.events) = true;
      continue;
    }
    if (!value) return false;
    ++i;
    if (word == "--seed") {
      options.first = options.last = std::strtoull(value, nullptr, 10);
    } else if (word == "--seeds") {
      const char* dots = std::strstr(value, "..");
      if (!dots) return false;
      options.first = std::strtoull(value, nullptr, 10);
      options.last = std::strtoull(dots + 2, nullptr, 10);
    } else if (word == "--jobs") {
      options.jobs = static_cast<unsigned>(std::max(1L, std::strtol(value, nullptr, 10)));
    } else if (word == "--load") {
      options.load = value;
    } else if (word == "--sabotage") {
      options.sabotage = value;
    } else {
      return false;
    }
  }
  return options.first <= options.last || !options.load.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (!options.load.empty()) return run_load(options.load);
  if (!options.sabotage.empty()) ::setenv("SABOTAGE_BIDBOARD", options.sabotage.c_str(), 1);
  if (options.first == options.last && !options.hashes) return run_one(options, options.first) ? 0 : 1;
  return Many(options).run() ? 0 : 1;
}
