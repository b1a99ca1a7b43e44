// An agent's description: read from a file, printed for the child process, read again there.
#include "runtime/jobs/agent_entry.hpp"

#include <map>
#include <set>

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/jobs/variables.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

PlannedAgent agent_of(const std::string& text) {
  Result<PlannedAgent> agent = read_agent(text, "description");
  INFO(text << (agent ? "" : "\n" + agent.error().text));
  REQUIRE(agent.has_value());
  agent->place = {};  // its position in the text
  return *agent;
}

std::string error_of(const std::string& text) {
  const Result<PlannedAgent> agent = read_agent(text, "description");
  REQUIRE_FALSE(agent.has_value());
  CHECK(agent.error().code == Errc::invalid);
  return agent.error().text;
}

std::string child_input(const PlannedAgent& agent) {
  return agent_child(BoardDirectory{"/board"}, agent, "/work").input;
}

/// For every key a description with a value that is not the default; its keys are in the order of the table.
const std::map<std::string, std::string> samples{
    {"name", R"({"name":"far","executor":"simulated"})"},
    {"role", R"({"name":"a","role":"manager","executor":"command"})"},
    {"parent", R"({"name":"a","parent":"boss","executor":"simulated"})"},
    {"project", R"({"name":"a","project":"demo","executor":"simulated"})"},
    {"skills", R"({"name":"a","skills":{"cpp":0.9,"go":2.5},"executor":"simulated"})"},
    {"speed", R"({"name":"a","speed":1.5,"executor":"simulated"})"},
    {"capacity", R"({"name":"a","capacity":3,"executor":"simulated"})"},
    {"executor", R"({"name":"a","executor":"coprocess","exec":"./agent"})"},
    {"exec", R"({"name":"a","executor":"command","exec":"- 'x' \"y\"\n$HOME"})"},
    {"preset", R"({"name":"a","executor":"command","exec":"./my-claude","preset":"claude"})"},
    {"model", R"({"name":"a","executor":"command","exec":"./my-codex","preset":"codex","model":"gpt"})"},
    {"permission",
     R"({"name":"a","executor":"command","exec":"./my-gemini","preset":"gemini","permission":"yolo"})"},
    {"account", R"({"name":"a","executor":"simulated","account":"team"})"},
    {"input", R"({"name":"a","executor":"command","exec":"cat","input":"json"})"},
    {"allow_run", R"({"name":"a","executor":"command","allow_run":true})"},
    {"bid", R"({"name":"a","executor":"command","exec":"cat","bid":"./bid"})"},
    {"bid_timeout",
     R"({"name":"a","executor":"command","exec":"cat","bid":"./bid","bid_timeout":"250000us"})"},
    {"cost", R"({"name":"a","executor":"simulated","cost":"size / 2"})"},
    {"live", R"({"name":"a","executor":"simulated","live":true})"},
    {"price_per_second", R"({"name":"a","executor":"simulated","price_per_second":0.000001})"},
    {"set_up", R"({"name":"a","executor":"simulated","set_up":"1us"})"},
    {"answers_bids", R"({"name":"a","executor":"coprocess","exec":"./agent","answers_bids":false})"},
    {"price_field", R"({"name":"a","executor":"command","exec":"cat","price_field":"cost.usd"})"},
    {"tokens_field", R"({"name":"a","executor":"command","exec":"cat","tokens_field":"usage.tokens"})"},
    {"result_field", R"({"name":"a","executor":"command","exec":"cat","result_field":"answer"})"},
    {"token_price",
     R"({"name":"a","executor":"command","exec":"cat","tokens_field":"usage.tokens","token_price":{"input":1.25,"cached":0.125,"output":10.0}})"},
    {"noise", R"({"name":"a","executor":"simulated","noise":0.2})"},
    {"failure_rate", R"({"name":"a","executor":"simulated","failure_rate":0.1})"},
    {"seed", R"({"name":"a","executor":"simulated","seed":9007199254740993})"},
    {"serves", R"({"name":"a","executor":"simulated","serves":"w3"})"},
    {"dir", R"({"name":"a","executor":"simulated","dir":"/srv/work"})"},
    {"env", R"({"name":"a","executor":"simulated","env":{"MODEL":"big","EMPTY":""}})"},
    {"env_file", R"({"name":"a","executor":"simulated","env_file":"/srv/.env"})"},
    {"secrets",
     R"({"name":"a","executor":"simulated","secrets":{"KEY":{"env":"OTHER"},"PEM":{"file":"/srv/pem"}}})"},
    {"allow_env", R"({"name":"a","executor":"command","exec":"cat","allow_env":true})"},
    {"worktree", R"({"name":"a","executor":"command","exec":"cat","worktree":"agent"})"},
    {"restart", R"({"name":"a","executor":"simulated","restart":false})"},
};

std::string some_text(Random& random) {
  static const std::vector<std::string> texts{"cat", "--x=1", "a \"b\" 'c'\n\t$(d)", "Grüße",
                                              std::string(200'000, 'x')};
  return texts[random.below(texts.size())];
}

PlannedAgent random_agent(Random& random) {
  const auto maybe = [&] { return random.chance(500'000); };
  const auto up_to = [&](Micros most) {
    return static_cast<Micros>(random.below(static_cast<std::uint64_t>(most) + 1));
  };
  PlannedAgent agent;
  agent.profile.name = fmt::format("agent {}", random.below(100));
  agent.profile.role = static_cast<Role>(random.below(5));
  if (maybe()) agent.profile.parent = "boss";
  if (maybe()) agent.profile.project = "demo";
  for (std::uint64_t n = random.below(4); n > 0; --n)
    agent.profile.skills.push_back({fmt::format("skill{}", n), 1 + up_to(999'999'999)});
  if (maybe()) agent.profile.speed = 1 + up_to(999'999'999'999);
  if (maybe()) agent.profile.capacity = static_cast<std::uint32_t>(1 + random.below(1'000));
  if (maybe()) agent.profile.price_per_second = up_to(1'000'000'000'000);
  if (maybe()) agent.profile.set_up = up_to(10'000'000'000);
  agent.profile.allow_run = maybe();
  agent.executor = static_cast<ExecutorKind>(random.below(3));
  agent.profile.simulated = agent.executor == ExecutorKind::simulated;
  if (agent.executor == ExecutorKind::coprocess || (!agent.profile.simulated && maybe()))
    agent.exec = some_text(random);
  agent.json_input = maybe();
  agent.answers_bids = maybe();
  if (agent.executor == ExecutorKind::command && maybe()) agent.bid = some_text(random);
  if (!agent.bid.empty()) {
    agent.profile.bids = BidStyle::live;
  } else if (maybe()) {
    agent.profile.cost_formula = "size / speed + 1";
    agent.profile.bids = BidStyle::formula;
  } else if (maybe()) {
    agent.profile.bids = BidStyle::live;
  }
  if (maybe()) agent.bid_timeout = Duration{1 + up_to(10'000'000'000)};
  if (maybe()) agent.price_field = "total.price";
  if (maybe()) agent.tokens_field = "usage.tokens";
  if (maybe()) agent.result_field = "result";
  if (agent.executor == ExecutorKind::command && !agent.tokens_field.empty() && maybe())
    agent.token_price = TokenPrice{up_to(1'000'000'000'000'000), up_to(one), up_to(one)};
  agent.noise = up_to(one);
  agent.failure_rate = up_to(one);
  agent.seed = random.below(1ULL << 62);
  agent.restart = maybe();
  if (maybe())
    agent.profile.workflow = WorkflowId{1 + random.below(100)};
  else
    agent.serves_board = maybe();
  if (maybe()) agent.dir = "/srv/a b";
  if (maybe()) agent.env = {{"MODEL", some_text(random)}, {"_x9", ""}};
  if (maybe()) agent.env_file = "/srv/.env";
  if (maybe()) agent.secrets = {{"KEY", "OTHER", ""}, {"PEM", "", "/srv/pem"}};
  for (const SecretSource& secret : agent.secrets) agent.profile.secrets.push_back(secret.name);
  agent.profile.allow_env = agent.executor == ExecutorKind::coprocess || maybe();
  agent.profile.only_commands = agent.executor == ExecutorKind::command && agent.exec.empty();
  return agent;
}

/// The description as typed options: numbers and levels as text, flags as true.
Value typed(const Value& description) {
  Value out;
  for (const auto& [key, value, place] : description.object()) {
    Value text = value;
    if (value.is_number()) text = Value(to_json(value));
    if (value.is_bool()) text = Value(true);
    if (value.is_object()) {
      text = Value(Value::Array{});
      for (const auto& [name, meant, at] : value.object())
        if (const Value* file = meant.find("file"))
          text.push(Value(fmt::format("{}=@{}", name, file->string())));
        else if (const Value* variable = meant.find("env"))
          text.push(Value(fmt::format("{}={}", name, variable->string())));
        else
          text.push(Value(fmt::format("{}={}", name, meant.is_string() ? meant.string() : to_json(meant))));
    }
    out.set(key, std::move(text));
  }
  return out;
}

}  // namespace

TEST_CASE("every key of an agent in a file reaches the child process") {
  for (const KeyInfo& key : agent_keys(true)) {
    if (key.name == "count") continue;  // unfolded into several agents
    INFO(key.name);
    const auto sample = samples.find(std::string(key.name));
    REQUIRE(sample != samples.end());
    const PlannedAgent agent = agent_of(sample->second);
    CHECK(child_input(agent) == to_json(parse_json(sample->second).value()));
    CHECK(agent_of(child_input(agent)) == agent);
    PlannedAgent without = agent_of(R"({"name":"a","executor":"simulated"})");
    CHECK((key.name == "executor" || agent != without));
  }
}

TEST_CASE("every option of `bidboard agent` means what its key means in a file") {
  std::set<std::string_view> keys;
  for (const AgentOption& option : agent_options()) {
    INFO(option.names);
    CHECK(keys.insert(option.key).second);
    const auto sample = samples.find(std::string(option.key));
    REQUIRE(sample != samples.end());
    Result<PlannedAgent> agent = read_agent_options(typed(parse_json(sample->second).value()));
    INFO((agent ? "" : agent.error().text));
    REQUIRE(agent.has_value());
    agent->place = {};
    CHECK(*agent == agent_of(sample->second));
  }
  // `count` makes several agents, `restart` is for the supervisor; --coprocess and --simulate set `executor`.
  for (const KeyInfo& key : agent_keys(true))
    CHECK(keys.contains(key.name) ==
          (key.name != "count" && key.name != "restart" && key.name != "executor"));
}

TEST_CASE("errors in typed options name the options") {
  const auto error = [](std::string_view json) {
    const Result<PlannedAgent> agent = read_agent_options(parse_json(json).value());
    REQUIRE_FALSE(agent.has_value());
    CHECK(agent.error().code == Errc::invalid);
    return agent.error().text;
  };
  CHECK(error(R"({"name": "a", "exec": "x", "skills": ["a b"], "speed": "fast", "capacity": "0"})") ==
        "agent 'a': '--skill' holds 'a b'; write a skill as cpp or cpp=0.9, the level above 0\n"
        "agent 'a': '--speed' must be a number above 0 to 1000000, not 'fast'\n"
        "agent 'a': '--capacity' must be a whole number from 1 to 10000, not 0");
  CHECK(error(R"({"name": "a", "exec": "x", "bid": "./bid", "cost": "size"})") ==
        "agent 'a': has both --bid and --cost; keep the command or the formula");
  CHECK(error(R"({"name": "a", "exec": "x", "live": true, "cost": "size"})") ==
        "agent 'a': has both --live and --cost; an agent with a formula is not asked: keep one");
  CHECK(error(R"({"name": "a", "executor": "simulated", "bid": "./bid"})") ==
        "agent 'a': has --bid but its executor is not command; remove it; a coprocess bids over its JSON "
        "lines");
  CHECK(error(R"({"name": "a", "exec": "x", "token_price": ["input=1"]})") ==
        "agent 'a': '--token-price': has no output; add output: what a million such tokens cost");
  CHECK(error(R"({"name": "a", "exec": "x", "token_price": ["input=1", "output=2"]})") ==
        "agent 'a': has --token-price but tells no tokens; add --preset or --tokens-field, or remove it");
  CHECK(error(R"({"name": "a"})") ==
        "agent 'a': has no way to do a task; add --exec CMD, --coprocess CMD, --simulate, or --allow-run for "
        "tasks with a command");
}

TEST_CASE("a random agent is the same after it was printed and read again") {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    const PlannedAgent agent = random_agent(random);
    CHECK(agent_of(to_json(describe_agent(agent))) == agent);
  }
}

TEST_CASE("an agent's options do not show in its command line") {
  const ChildSpec child = agent_child(BoardDirectory{"/board"},
                                      agent_of(R"({"name":"a","exec":"secret","bid":"secret"})"), "/work");
  for (const std::string& word : child.argv) CHECK(word.find("secret") == std::string::npos);
}

TEST_CASE("a secret that was written where its source belongs is refused and not repeated") {
  for (const std::string secrets : {R"({"KEY": "hunter2hunter2"})", R"({"KEY": {"value": "hunter2hunter2"}})",
                                    R"(["KEY=hunter2-hunter2"])", R"({"KEY": {"env": "hunter2-hunter2"}})"}) {
    const std::string error = error_of(R"({"name": "a", "exec": "cat", "secrets": )" + secrets + "}");
    INFO(error);
    CHECK(error.find("does not say where 'KEY' is") != std::string::npos);
    CHECK(error.find("hunter2") == std::string::npos);
  }
}

TEST_CASE("variables and secrets of an agent are checked when they are read") {
  const auto error = [](const std::string& keys) {
    return error_of(R"({"name": "a", "exec": "cat", )" + keys + "}");
  };
  CHECK(error(R"("env": {"BIDBOARD_TOKEN": "x"})").find("Bidboard sets what begins with BIDBOARD_") !=
        std::string::npos);
  CHECK(error(R"("env": {"A-B": "x"})").find("use letters, digits and _") != std::string::npos);
  CHECK(error(R"("env": {"PORT": 80})").find("put it in quotes") != std::string::npos);
  CHECK(error(R"("env": ["A=1", "A=2"])").find("names 'A' twice") != std::string::npos);
  CHECK(error(R"("env": ["A"])").find("write A=VALUE") != std::string::npos);
  CHECK(error(R"("secrets": ["A", "A=B"])").find("names 'A' twice") != std::string::npos);
  const PlannedAgent agent = agent_of("name: a\nexec: cat\nsecrets: {KEY: }\nenv: [A=1=2]\n");
  CHECK(agent.secrets == std::vector<SecretSource>{{"KEY", "KEY", ""}});
  CHECK(agent.profile.secrets == std::vector<std::string>{"KEY"});
  CHECK(agent.env == std::vector<EnvVariable>{{"A", "1=2"}});
}

TEST_CASE("paths of an agent are relative to the folder of its file") {
  PlannedAgent agent = agent_of(R"({"name": "a", "exec": "cat", "dir": "sub", "env_file": "/etc/x",
                                    "secrets": {"A": {"file": "a"}, "B": {"env": "B"}}})");
  resolve_paths(agent, "/srv/jobs");
  CHECK(agent.dir == "/srv/jobs/sub");
  CHECK(agent.env_file == "/etc/x");
  CHECK(agent.secrets[0].file == "/srv/jobs/a");
  CHECK(agent.secrets[1].file.empty());
}

TEST_CASE("a dotenv file is read as it is written, and faults are named by their line only") {
  const auto read = parse_dotenv(
      "# comment\n\nA=1\nexport B = two words  # comment\r\nC='$A # \\n'\nD=\"x\\n\\\"y\\\" $A\nlast\" # "
      "c\nE=\nF=a#b");
  INFO((read ? "" : read.error().text));
  REQUIRE(read.has_value());
  CHECK(*read == std::vector<EnvVariable>{{"A", "1"},
                                          {"B", "two words"},
                                          {"C", "$A # \\n"},
                                          {"D", "x\n\"y\" $A\nlast"},
                                          {"E", ""},
                                          {"F", "a#b"}});
  const auto error = [](std::string_view text) { return parse_dotenv(text).error().text; };
  CHECK(error("A=1\nhunter2") == "2: is not NAME=VALUE");
  CHECK(error("A=\"1\n2\"\nA=3") == "3: A is set twice");
  CHECK(error("A='hunter2") == "1: its quote is not closed");
  CHECK(error("A='hunter2' 3") == "1: has text behind its closing quote");
  CHECK(error("hun-ter=2").starts_with("1: the name before the ="));
  CHECK(error("BIDBOARD_TOKEN=2").starts_with("1: the name before the ="));
}

TEST_CASE("a description of an agent is refused as a file is") {
  CHECK(error_of(R"({"name": "a", "exce": "cat"})").find("unknown key 'exce'; did you mean 'exec'?") !=
        std::string::npos);
  CHECK(error_of(R"({"name": "a", "exec": "cat", "count": 2})").find("one agent, not several") !=
        std::string::npos);
  CHECK(error_of(R"({"exec": "cat"})").find("has no name") != std::string::npos);
  CHECK(error_of("[1]").find("must be a map") != std::string::npos);
  CHECK(error_of("{").starts_with("description:1:"));
}
