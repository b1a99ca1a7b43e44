#include "tests/support/test_board.hpp"
#include "tests/support/build.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "blackboard/fmt.hpp"
#include "blackboard/query/query.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/home/doctor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

namespace bidboard::testing {
namespace {

namespace fs = std::filesystem;

std::string text_of(const QueryTable::Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return to_json(Value(*real));
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return {};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text = "bidboard";
  for (const std::string& word : words) text += " " + word;
  return text;
}

}  // namespace

TestBoard::TestBoard(bool made) {
  fs::create_directories(home());
  if (made) must({"init"});
}

TestBoard::~TestBoard() {
  // Guards stop what a killed agent left behind; until then it may still write here.
  eventually([&] {
    std::error_code error;
    fs::remove_all(home(), error);
    return !error;
  });
}

void TestBoard::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name)) << content;
}

void TestBoard::write_script(const std::string& name, const std::string& content) const {
  write(name, content);
  ::chmod(path(name).c_str(), 0755);
}

std::string TestBoard::read(const std::string& name) const {
  std::ifstream file(path(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

ProcessOptions TestBoard::surroundings() const {
  ProcessOptions options;
  options.directory = home();
  options.environment = {{"XDG_RUNTIME_DIR", dir_.path()}, {"TMPDIR", dir_.path()}, {"HOME", dir_.path()}};
  return options;
}

Process TestBoard::start(std::vector<std::string> words, const ProcessOptions& options) const {
  words.insert(words.begin(), bidboard_binary);
  return Process(std::move(words), options);
}
Process TestBoard::start(std::vector<std::string> words) const {
  return start(std::move(words), surroundings());
}

Finished TestBoard::run(std::vector<std::string> words, ProcessOptions options) const {
  words.insert(words.begin(), bidboard_binary);
  return run_program(std::move(words), options);
}

Finished TestBoard::run(std::vector<std::string> words, const std::string& input) const {
  ProcessOptions options = surroundings();
  options.input = input;
  return run(std::move(words), std::move(options));
}

std::string TestBoard::must(std::vector<std::string> words, const std::string& input) const {
  Finished finished = run(words, input);
  INFO(joined(words) << "\n" << finished.out << finished.err);
  REQUIRE(finished.exit_code == 0);
  if (finished.out.ends_with('\n')) finished.out.pop_back();
  return finished.out;
}

Value TestBoard::json(std::vector<std::string> words) const {
  const std::string text = must(words);
  INFO(joined(words) << "\n" << text);
  const Result<Value> value = parse_json(text);
  REQUIRE(value.has_value());
  return *value;
}

Value TestBoard::data(std::vector<std::string> words) const {
  const Value value = json(words);
  INFO(joined(words) << "\n" << to_json(value));
  REQUIRE(value.find("schema") != nullptr);
  REQUIRE(*value.find("schema") == Value("bidboard/1"));
  REQUIRE(value.find("data") != nullptr);
  return *value.find("data");
}

Process TestBoard::serve(std::vector<std::string> options) const {
  options.insert(options.begin(), "controller");
  Process controller = start(std::move(options));
  const bool up = eventually(
      [&] {
        const auto writer = serving_writer(directory());
        return !controller.running() || (writer && writer->pid == controller.pid());
      },
      patience);
  INFO(controller.err());
  REQUIRE(up);
  REQUIRE(controller.running());
  return controller;
}

Process TestBoard::agent(const std::string& name, std::vector<std::string> words) const {
  words.insert(words.begin(), {"agent", "--name", name});
  return start(std::move(words));
}

void TestBoard::await_agents(int count) const {
  REQUIRE(becomes("SELECT count(*) FROM agents WHERE state = 'live'", std::to_string(count)));
}

void TestBoard::configure(const Config& config) const {
  const Result<Nothing> done = call_for<Nothing>(directory(), Configure{config});
  INFO((done ? "" : done.error().text));
  REQUIRE(done.has_value());
}

std::vector<TaskId> TestBoard::post(std::vector<TaskSpec> specs) const {
  Post request;
  request.tasks = std::move(specs);
  const Result<Posted> posted = call_for<Posted>(directory(), std::move(request));
  INFO((posted ? "" : posted.error().text));
  REQUIRE(posted.has_value());
  return posted->ids;
}

std::vector<std::string> TestBoard::rows(const std::string& sql) const {
  const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(directory().path);
  REQUIRE(snapshot.has_value());
  Result<Query> query = Query::open(**snapshot, {seconds(60), 16 << 20});
  REQUIRE(query.has_value());
  const Result<QueryTable> table = query->run(sql);
  INFO(sql << "\n" << (table ? "" : table.error().text));
  REQUIRE(table.has_value());
  std::vector<std::string> lines;
  for (const auto& row : table->rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "|") + text_of(row[i]);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string TestBoard::value(const std::string& sql) const {
  const std::vector<std::string> lines = rows(sql);
  INFO(sql);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

bool TestBoard::becomes(const std::string& sql, const std::string& expected) const {
  std::vector<std::string> last;
  const bool came = eventually([&] { return (last = rows(sql)) == std::vector{expected}; }, patience);
  if (came) return true;
  // In the report of the assertion that asked.
  UNSCOPED_INFO(sql << " did not become " << expected << " but is "
                    << (last.empty() ? "nothing" : last.front()));
  for (const std::string& row :
       rows("SELECT seq, kind, task, agent, body FROM log ORDER BY seq DESC LIMIT 12"))
    UNSCOPED_INFO(row.substr(0, 600));
  return false;
}

bool TestBoard::task_becomes(const std::string& id, const std::string& state) const {
  return becomes(fmt::format("SELECT state FROM tasks WHERE id = '{}'", id), state);
}

std::int64_t TestBoard::seq_of(const std::string& condition) const {
  return std::stoll(value("SELECT coalesce(min(seq), -1) FROM log WHERE " + condition));
}

void check_whole(const BoardDirectory& board) {
  const Result<std::vector<Symptom>> findings = examine(board, true);
  REQUIRE(findings.has_value());
  for (const Symptom& finding : *findings) {
    INFO(finding.text);
    CHECK_FALSE(finding.grave);
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace bidboard::testing
