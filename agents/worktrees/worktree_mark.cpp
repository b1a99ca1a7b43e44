#include "agents/worktrees/worktree_mark.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t subject_bytes_max = 200;

Result<std::string> mark_file(const Git& git) {
  return git.ask({"rev-parse", "--path-format=absolute", "--git-path", "bidboard.json"});
}

}  // namespace

Result<void> write_mark(const Git& git, const WorktreeMark& mark) {
  const Result<std::string> file = mark_file(git);
  if (!file) return fail(file.error());
  Value value;
  value.set("board", mark.board);
  value.set("task", to_string(mark.task));
  value.set("epoch", mark.epoch.value);
  value.set("agent", mark.agent);
  value.set("title", mark.title);
  value.set("start", mark.start);
  const std::string next = *file + ".new";
  std::ofstream out(next, std::ios::binary);
  out << to_json(value) << "\n";
  out.close();
  std::error_code error;
  if (out) fs::rename(next, *file, error);
  if (!out || error) return fail(Errc::failed, fmt::format("cannot write {}", *file));
  return {};
}

std::optional<WorktreeMark> read_mark(const Git& git) {
  const Result<std::string> file = mark_file(git);
  if (!file) return {};
  std::ifstream in(*file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  const Result<Value> value = parse_json(text.str());
  if (!in || !value || !value->is_object()) return {};
  const auto word = [&](std::string_view key) {
    const Value* member = value->find(key);
    return member && member->is_string() ? member->string() : std::string();
  };
  WorktreeMark mark;
  mark.board = word("board");
  mark.agent = word("agent");
  mark.title = word("title");
  mark.start = word("start");
  const auto task = parse_id<TaskId>(word("task"));
  const Value* epoch = value->find("epoch");
  if (!task || !epoch || !epoch->is_number()) return {};
  mark.task = *task;
  mark.epoch = Epoch{static_cast<std::uint64_t>(epoch->number())};
  return mark;
}

std::string message_of(const WorktreeMark& mark) {
  const std::string title(utf8_prefix(mark.title.substr(0, mark.title.find('\n')), subject_bytes_max));
  return fmt::format("{}\n\nBidboard-Task: {}\nBidboard-Attempt: {}\nBidboard-Agent: {}\n",
                     title.empty() ? to_string(mark.task) : title, mark.task, mark.epoch.value, mark.agent);
}

void forget_task(const std::string& path) {
  std::error_code error;
  if (const Result<std::string> file = mark_file(Git(path))) fs::remove(*file, error);
}

}  // namespace bidboard
