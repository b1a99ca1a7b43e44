// Variables, secrets and folders of agents and tasks, with real processes: what reaches the commands, and
// where the values of secrets must not be.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "blackboard/fmt.hpp"
#include "runtime/coordination/strategy.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/client_agents.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

namespace fs = std::filesystem;

const std::string from_env = "env-value-0123456789";
const std::string from_file = "file-value-0123456789\nwith a second line";
const std::string from_dotenv = "dotenv-value-0123456789";

/// The board's folder, with secrets beside it, not in it.
class SecretBoard : public TestBoard {
 public:
  SecretBoard() {
    private_file("../key", from_file + "\n");
    private_file("../dotenv", "PLAIN=from a file\nDOTENV_KEY='" + from_dotenv + "'\n");
    fs::create_directories(path("work/sub"));
  }
  void private_file(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    write(name, content);
    REQUIRE(::chmod(path(name).c_str(), mode) == 0);
  }
  ProcessOptions with_key() const {
    ProcessOptions options = surroundings();
    options.environment["OUTER_KEY"] = from_env;
    return options;
  }
};

constexpr const char* settings = R"(
project: secrets
backoff: 10ms
agents:
- name: keeper
  allow_run: true
  capacity: 3
  dir: work
  env: {LEVEL: "3"}
  env_file: ../dotenv
  secrets: {KEY: {env: OUTER_KEY}, PEM: {file: ../key}, DOTENV_KEY: }
- {name: other, allow_run: true, env: {LEVEL: "4"}}
)";

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void check_without_secrets(const std::string& place, const std::string& content) {
  INFO(place);
  for (const std::string& secret : {from_env, from_dotenv, lines_of(from_file)[0], lines_of(from_file)[1]})
    CHECK_FALSE(contains(content, secret));
}

/// Command lines of all processes of this machine that this user may see.
std::string command_lines() {
  std::string all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error))
    if (entry.path().filename().string().find_first_not_of("0123456789") == std::string::npos)
      all += content_of(entry.path() / "cmdline") + "\n";
  return all;
}

}  // namespace

TEST_CASE("Secrets reach the commands of an agent and are in no command line, file of the board or output") {
  const SecretBoard board;
  board.write("bidboard.yaml", settings);
  const Process up = board.start({"up"}, board.with_key());
  board.await_agents(2);
  // The length shows that the value is there; the rest that it is hidden, also in two writes and in JSON.
  board.write_script("work/use.sh",
                     "#!/bin/sh\necho \"${#KEY} ${#PEM} ${#DOTENV_KEY} $PLAIN $LEVEL $OWN $(pwd)\"\n"
                     "printf '%s' \"${KEY%56789}\"; until [ -e go ]; do sleep 0.02; done; printf '56789\\n'\n"
                     "echo \"$PEM\"; echo \"$DOTENV_KEY\" >&2\n"
                     "bidboard progress 0.5 \"key $KEY\" >&2; bidboard post \"below $KEY\" --run true >&2\n");
  const std::string used = board.must({"post", "use", "--run", "../use.sh", "--secret", "KEY", "--secret",
                                       "PEM", "--env", "OWN=mine", "--dir", "sub"});
  REQUIRE(board.task_becomes(used, "running"));
  const std::string lines = command_lines();
  CHECK(contains(lines, "use.sh"));
  check_without_secrets("command lines", lines);
  board.write("work/sub/go", "");
  REQUIRE(board.task_becomes(used, "done"));
  CHECK(board.value("SELECT holder FROM tasks WHERE id = 't1'") == "keeper");
  const std::string expected =
      fmt::format("{} {} {} from a file 3 mine {}\n[secret KEY]\n[secret PEM]", from_env.size(),
                  from_file.size(), from_dotenv.size(), fs::canonical(board.path("work/sub")).string());
  CHECK(board.value("SELECT result FROM tasks WHERE id = 't1'") == expected);
  CHECK(contains(board.must({"output", used}), "[secret DOTENV_KEY]"));
  CHECK(board.value("SELECT title FROM tasks WHERE id = 't2'") == "below [secret KEY]");
  CHECK(contains(board.must({"log"}), "key [secret KEY]"));

  const std::string failed = board.must(
      {"post", "fail", "--run", "echo \"no $KEY\" >&2; exit 1", "--attempts", "1", "--secret", "KEY"});
  REQUIRE(board.task_becomes(failed, "failed"));
  CHECK(contains(board.must({"show", failed}), "no [secret KEY]"));

  board.must({"down"});
  const std::map<std::string, std::vector<std::string>> outputs{
      {"agents", {"agents", "--all", "--json"}},
      {"show", {"show", used, "--json"}},
      {"log", {"log", "--json"}},
      {"explain", {"explain", used, "--json"}},
      {"output", {"output", used}},
      {"doctor", {"doctor", "--deep"}},
      {"agents table", {"query", "SELECT * FROM agents", "--json"}}};
  for (const auto& [name, words] : outputs) check_without_secrets(name, board.must(words));
  CHECK(contains(board.must({"agents", "--all", "--json"}), "\"DOTENV_KEY\""));  // names are told
  check_without_secrets("up", up.out() + up.err());
  for (const auto& entry : fs::recursive_directory_iterator(board.home()))
    if (entry.is_regular_file()) check_without_secrets(entry.path(), content_of(entry.path()));
  // The search covers what it should.
  CHECK(contains(board.read(".bidboard/data.mdb"), "[secret KEY]"));
}

TEST_CASE("A task that requires a secret waits for an agent that offers it, under every strategy") {
  const SecretBoard board;
  const Process controller = board.serve();
  const Process other = board.agent("other", {"--allow-run", "--exec", "cat"});
  board.await_agents(1);
  std::vector<std::string> waiting;
  for (const std::string& strategy : strategy_names()) {
    Config config;
    config.strategy = strategy;
    board.configure(config);
    waiting.push_back(board.must({"post", strategy, "--run", "echo \"${#KEY}\"", "--secret", "KEY"}));
    // Decided after it, by the same agent: it was passed over.
    REQUIRE(board.task_becomes(board.must({"post", "free", "--run", "true"}), "done"));
    CHECK(board.value(fmt::format("SELECT attempts FROM tasks WHERE id = '{}'", waiting.back())) == "0");
  }
  CHECK(contains(board.must({"explain", waiting[0]}), "offers no secret KEY (see --secret)"));
  CHECK(contains(board.must({"status"}), "that no connected agent can do"));
  std::vector<std::string> words = {"agent", "--name", "keeper", "--allow-run", "--secret", "KEY=OUTER_KEY"};
  const Process keeper = board.start(words, board.with_key());
  for (const std::string& task : waiting) {
    REQUIRE(board.task_becomes(task, "done"));
    CHECK(board.value(fmt::format("SELECT holder || result FROM tasks WHERE id = '{}'", task)) ==
          fmt::format("keeper{}", from_env.size()));
  }
}

TEST_CASE("Variables of a task do not reach an agent's own command unless its owner allows it") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process strict = board.agent("strict", {"--exec", "echo ${MODEL:-none}"});
  board.await_agents(1);
  const std::string task = board.must({"post", "x", "--env", "MODEL=big"});
  REQUIRE(board.task_becomes(board.must({"post", "y"}), "done"));
  CHECK(contains(board.must({"explain", task}), "takes no variables from tasks (see --allow-env)"));
  const Process open = board.agent("open", {"--exec", "echo ${MODEL:-none}", "--allow-env"});
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value(fmt::format("SELECT holder || result FROM tasks WHERE id = '{}'", task)) == "openbig");
}

TEST_CASE("What an agent lacks is said at its start, and by up and run before they start anything") {
  const SecretBoard board;
  board.private_file("../open", "A=1\n", 0644);
  const auto refused = [&](const std::vector<std::string>& words, const std::string& why) {
    const Finished finished = board.run(words);
    INFO(finished.err);
    CHECK(finished.exit_code > 1);
    CHECK(contains(finished.err, why));
  };
  const auto agent = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"agent", "--name", "a", "--exec", "cat"});
    return more;
  };
  refused(agent({"--secret", "KEY"}), "there is no variable KEY in its env_file or environment; export it");
  refused(agent({"--secret", "KEY=@../absent"}), "../absent: No such file or directory");
  refused(agent({"--secret", "KEY=@../open"}), "chmod 600 ");
  refused(agent({"--env-file", "../open"}), "chmod 600 ");
  refused(agent({"--secret", "KEY=s3cret-value"}), "values do not belong here");
  refused(agent({"--dir", "absent"}), "is no folder");
  board.write("bidboard.yaml", settings);
  refused({"up"}, "agent 'keeper': the secret KEY is missing");
  refused({"up", "--detach"}, "agent 'keeper': the secret KEY is missing");
  board.write("job.yaml", "agents: [{name: a, exec: cat, secrets: [KEY]}]\ntasks: {t: {title: T}}\n");
  refused({"run", "job.yaml"}, "agent 'a': the secret KEY is missing");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'controller_started'") == "0");
}

TEST_CASE("What a task may not set is refused when it is posted, under a token too") {
  const TestBoard board;
  const auto refused = [&](const std::vector<std::string>& words, const std::string& why) {
    std::vector<std::string> all{"post", "x", "--run", "true"};
    all.insert(all.end(), words.begin(), words.end());
    const Finished finished = board.run(all);
    INFO(finished.err);
    CHECK(finished.exit_code == 2);
    CHECK(contains(finished.err, why));
  };
  refused({"--env", "LD_PRELOAD=/tmp/x.so"}, "a task may not set LD_PRELOAD");
  refused({"--env", "PATH=/tmp"}, "a task may not set PATH");
  refused({"--env", "BIDBOARD_TOKEN=x"}, "Bidboard sets what begins with BIDBOARD_");
  refused({"--env", "A"}, "write A=VALUE");
  refused({"--env", "A=1", "--env", "A=2"}, "it sets A twice");
  refused({"--env", "A=" + std::string(64 << 10, 'x')}, "its variables have more than 64 KB");
  refused({"--secret", "A B"}, "is not the name of a variable");
  refused({"--dir", "/etc"}, "its dir is absolute");
  refused({"--dir", "a/../.."}, "its dir leads out");
  const Process controller = board.serve();
  const Process agent = board.agent("a", {"--allow-run"});
  board.must(
      {"post", "under a token", "--run",
       "bidboard post a --run true --env LD_AUDIT=x; bidboard agent --name b --exec cat --secret HOME; "
       "bidboard post b --run true --env A=1 --dir ."});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.task_becomes("t2", "done"));
  CHECK(contains(board.must({"output", "t1"}), "a task may not set LD_AUDIT"));
  CHECK(board.value("SELECT count(*) FROM agents") == "1");
}

TEST_CASE("A task whose dir leads out by a link fails with that reason") {
  const TestBoard board;
  fs::create_directory_symlink("/", board.path("out"));
  const Process controller = board.serve();
  const Process agent = board.agent("a", {"--allow-run"});
  const std::string task = board.must({"post", "x", "--run", "pwd", "--dir", "out/etc", "--attempts", "1"});
  REQUIRE(board.task_becomes(task, "failed"));
  CHECK(contains(board.must({"show", task}), "leads out of the agent's directory"));
}

TEST_CASE("A secret that a client's JSON escapes in its own way is hidden in result, reason and output") {
  const TestBoard board;
  const std::string secret = "tok_ABCDEFGHIJ/klm";
  ProcessOptions options = with_client(board, "claude", R"sh(
echo '{"type":"assistant","message":{"content":[{"type":"text","text":"I have tok_ABCDEFGHIJ\/klm."}]}}'
if [ -e "$0.fails" ]; then
  echo '{"type":"result","subtype":"success","is_error":true,"result":"no: \u0074ok_ABCDEFGHIJ/klm","total_cost_usd":0}'
else
  echo '{"type":"result","subtype":"success","is_error":false,"result":"R \u0074ok_ABCDEFGHIJ\/klm","total_cost_usd":0}'
fi
)sh");
  options.environment["KEY"] = secret;
  const Process controller = board.serve();
  const Process agent =
      board.start({"agent", "--name", "one", "--preset", "claude", "--secret", "KEY"}, options);
  board.await_agents(1);
  REQUIRE(board.task_becomes(board.must({"post", "tell"}), "done"));
  CHECK(board.value("SELECT result FROM tasks") == "R [secret KEY]");
  CHECK(contains(board.must({"output", "t1"}), "I have [secret KEY]."));
  board.write("bin/claude.fails", "");
  REQUIRE(board.task_becomes(board.must({"post", "fail", "--attempts", "1"}), "failed"));
  CHECK(contains(board.value("SELECT reason FROM tasks WHERE id = 't2'"), "[secret KEY]"));
  for (const auto& entry : fs::recursive_directory_iterator(board.home())) {
    INFO(entry.path().string());
    if (entry.is_regular_file()) CHECK_FALSE(contains(content_of(entry.path()), secret));
  }
}
