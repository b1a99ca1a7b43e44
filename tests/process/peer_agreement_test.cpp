// Strategy `peer` as processes: agents that agree over their own sockets, with the controller stopped.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "blackboard/fmt.hpp"
#include "runtime/net/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

Config peer_config() {
  Config config;
  config.project = "peers";
  config.strategy = "peer";
  return config;
}

/// The last agreement that an agent printed; empty: none yet.
std::string last_agreement(const Process& agent) {
  const std::string said = agent.err() + agent.out();
  const std::string words = "the peers agree:";
  const std::size_t at = said.rfind(words);
  const std::size_t end = at == std::string::npos ? at : said.find('\n', at);
  return end == std::string::npos ? "" : said.substr(at + words.size(), end - at - words.size());
}

/// Whether the winner of an award such as "t1=a3" ever printed an agreement that says so.
bool agreed_by_winner(const std::vector<Process>& peers, const std::string& award) {
  const std::string registered = "registered as " + award.substr(award.find('=') + 1) + "\n";
  return std::ranges::any_of(peers, [&](const Process& peer) {
    const std::string said = peer.err() + peer.out();
    const auto has = [&](const std::string& text) { return said.find(text) != std::string::npos; };
    return has(registered) && (has(" " + award + " ") || has(" " + award + "\n"));
  });
}

/// The winners: of " t1=a3 t2=a1", a1 and a3.
std::set<std::string> winners_in(const std::string& agreement) {
  std::set<std::string> winners;
  for (std::size_t at = agreement.find('='); at != std::string::npos; at = agreement.find('=', at + 1))
    winners.insert(agreement.substr(at + 1, agreement.find(' ', at) - at - 1));
  return winners;
}

std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

std::vector<TaskSpec> tasks(std::size_t count) {
  TaskSpec spec;
  spec.title = "work";
  return std::vector<TaskSpec>(count, spec);
}

}  // namespace

TEST_CASE("eight agents agree while the controller is stopped, and claims are made as agreed") {
  constexpr int agents = 8;
  const TestBoard board;
  REQUIRE(::mkdir(board.path("asked").c_str(), 0700) == 0);
  // No agent knows its bids before the controller is stopped.
  board.write_script("bid.sh",
                     "#!/bin/sh\n: > asked/$$\nuntil [ -e go ]; do sleep 0.02; done\n"
                     "echo '{\"seconds\": 100}'\n");
  Process controller = board.serve();
  board.configure(peer_config());
  std::vector<Process> peers;
  for (int i = 0; i < agents; ++i)
    peers.push_back(board.agent(fmt::format("peer{}", i),
                                {"--exec", "echo done", "--bid", "./bid.sh", "--bid-timeout", "600"}));
  board.await_agents(agents);
  board.post(tasks(agents));
  REQUIRE(eventually([&] { return files_in(board.path("asked")) >= agents; }, patience));
  REQUIRE(board.value("SELECT count(*) FROM tasks WHERE state = 'ready'") == std::to_string(agents));
  controller.signal(SIGSTOP);
  board.write("go", "");

  const auto agreed = [&] {
    const std::string first = last_agreement(peers[0]);
    // Bids arrive one after the other: the agreement is final when no agent is idle any more.
    if (winners_in(first).size() != agents) return false;
    return std::ranges::all_of(peers, [&](const Process& peer) { return last_agreement(peer) == first; });
  };
  const bool all_agree = eventually(agreed, patience);
  const std::string agreement = last_agreement(peers[0]);
  INFO(agreement);
  REQUIRE(all_agree);
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_awarded'") == "0");

  controller.signal(SIGCONT);
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", std::to_string(agents)));
  // The first bidders may have agreed, and claimed, before the last bids came in: a claim that was sent
  // stands.
  const std::vector<std::string> awards = board.rows(
      "SELECT task || '=' || agents.id FROM log JOIN agents ON agents.name = agent "
      "WHERE kind = 'task_awarded' ORDER BY task");
  CHECK(awards.size() == agents);
  for (const std::string& award : awards) CHECK(agreed_by_winner(peers, award));
}

TEST_CASE("a peer that is killed loses nothing, and leaves no socket behind") {
  const TestBoard board;
  Process controller = board.serve();
  board.configure(peer_config());
  std::vector<Process> peers;
  for (int i = 0; i < 4; ++i)
    peers.push_back(board.agent(fmt::format("peer{}", i), {"--exec", "sleep 0.05; echo done"}));
  board.await_agents(4);
  board.post(tasks(60));
  REQUIRE(board.becomes("SELECT count(*) >= 12 FROM tasks WHERE state = 'done'", "1"));
  peers[1].kill();
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", "60"));
  CHECK(board.value("SELECT count(*) - count(DISTINCT task) FROM log WHERE kind = 'task_finished'") == "0");
  CHECK(board.value("SELECT count(DISTINCT agent) FROM log WHERE kind = 'task_finished'") == "4");
  const Finished doctor = board.run({"doctor", "--deep"});
  INFO(doctor.out);
  CHECK(doctor.exit_code == 0);
  peers.clear();
  controller.signal(SIGTERM);
  CHECK(controller.wait() == 0);
}
