// The providers of a simulated world: accounts that agents share, what is refused to them and what they are
// billed. Whether a call is refused depends on the account, the world's time and the calls before it; what is
// billed is counted here, from the world's time, independently of what agents report and of what the board
// records (bills.hpp compares them). For one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "blackboard/accounts.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/random.hpp"
#include "blackboard/time.hpp"

namespace bidboard::sim {

/// Outages of one kind that come and go at random. Gaps and lengths are uniform between 0 and twice the mean.
struct OutageSpec {
  Outage outage = Outage::overload;
  Duration every = minutes(10);  ///< mean time from the end of one to the beginning of the next
  Duration lasts = minutes(1);   ///< mean length
  Micros stated = one;  ///< share of the rest of the outage that a refusal states; 0: it states no time
};

/// An attempt makes a call when it begins and then again and again; the first call that is refused ends it.
struct AccountSpec {
  std::string name;
  std::vector<OutageSpec> outages;
  std::uint32_t calls_max =
      0;  ///< in each window; 0: no limit. Further ones meet a rate limit that states its end
  Duration window = minutes(1);
  Duration call_every = seconds(10);
  Micros price = 0;             ///< of each attempt whose first call is not refused
  Micros price_per_second = 0;  ///< and of its work
  std::int64_t tokens_per_second = 0;
};
/// "rate_limit every 5m, for 1m".
std::vector<std::string> describe(const AccountSpec& account);

/// Whether it strikes one agent and not all of the account.
bool strikes_one_agent(Outage outage);

struct CallRefused {
  Outage outage = Outage::rate_limit;
  Duration stated;  ///< how long it lasts, as the provider says; 0: it does not say
};

struct Bill {
  std::string account;
  TaskId task;
  Epoch epoch;
  Amount amount;
  /// lost: its process died; it can tell nobody.
  enum class End : std::uint8_t { under_way, ended, lost } end = End::under_way;
};

class Provider {
 public:
  Provider(std::vector<AccountSpec> accounts, std::uint64_t seed);

  /// nullptr: no such account.
  const AccountSpec* account(const std::string& name) const;
  /// An agent that works with the account, by its position in the world.
  void join(const std::string& account, std::uint32_t agent);

  /// REQUIRES, here and below: the account exists; times do not go back.
  std::optional<CallRefused> call(const std::string& account, std::uint32_t agent, TaskId task, Epoch epoch,
                                  Instant at);
  /// An attempt is let in, and billed from now on.
  void open(const std::string& account, TaskId task, Epoch epoch, Instant at);
  /// Its work is over; returns what is billed.
  Amount close(TaskId task, Epoch epoch, Instant at, Bill::End end = Bill::End::ended);
  /// Nothing is refused from now on.
  void heal() { healed_ = true; }

  const std::map<std::pair<TaskId, Epoch>, Bill>& bills() const { return bills_; }
  /// Whether a refused call ended that attempt.
  bool was_refused(TaskId task, Epoch epoch) const { return refused_.contains({task, epoch}); }
  std::uint64_t calls() const { return calls_; }
  std::uint64_t calls_refused() const { return calls_refused_; }

 private:
  /// The outages of one kind: the current one, or the next.
  struct Weather {
    OutageSpec spec;
    Random random;
    Instant begin{};
    Instant end{};
    std::uint32_t victim = 0;
  };
  struct Account {
    AccountSpec spec;
    std::vector<std::uint32_t> agents;
    std::vector<Weather> weather;
    std::int64_t window = -1;  ///< the one in which `calls` were made
    std::uint32_t calls = 0;
  };
  static void advance(Weather& weather, const std::vector<std::uint32_t>& agents, Instant at);
  std::optional<CallRefused> judge(Account& account, std::uint32_t agent, Instant at) const;

  std::map<std::string, Account> accounts_;
  std::map<std::pair<TaskId, Epoch>, Bill> bills_;
  std::map<std::pair<TaskId, Epoch>, Instant> opened_;
  std::set<std::pair<TaskId, Epoch>> refused_;
  std::uint64_t calls_ = 0;
  std::uint64_t calls_refused_ = 0;
  bool healed_ = false;
};

}  // namespace bidboard::sim
