#include "runtime/shell/mcp_session.hpp"

#include <algorithm>
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/home/random_bytes.hpp"

namespace bidboard {
namespace {

constexpr std::size_t client_name_max = 40;

/// What may stand in an agent's name of it: "Claude Code" gives "claude-code".
std::string as_name(const std::string& client) {
  std::string name;
  for (const char c : client.substr(0, client_name_max)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (kept)
      name += upper ? static_cast<char>(c - 'A' + 'a') : c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "session" : name;
}

}  // namespace

const std::string& McpSession::name() {
  if (identity_.name.empty()) {
    // Of its own: two sessions of one client must not be one agent, or each could end the other's work.
    const Result<std::uint64_t> number = random_number();
    identity_.name =
        fmt::format("{}-{:06x}", as_name(client_ ? client_() : ""), number.value_or(0) & 0xffffff);
  }
  return identity_.name;
}

Result<void> McpSession::may_write(std::string_view command) const {
  if (const Result<void> may = may_run(command); !may) return may;
  const char* task = std::getenv("BIDBOARD_TASK");
  if (token_.empty() && identity_.name.empty() && task)
    return fail(
        Errc::refused,
        fmt::format("this session works on {} (BIDBOARD_TASK), but BIDBOARD_TOKEN did not reach it: its "
                    "client removes such variables; run `bidboard mcp install CLIENT` again, which "
                    "passes it on, or `bidboard mcp --as NAME` to act under a name of your own",
                    task));
  return {};
}

Result<void> McpSession::find() const {
  const Result<Target> target = find_target(globals_);
  return target ? Result<void>() : fail(target.error());
}

Result<Posted> McpSession::post(Post request) {
  if (const Result<void> may = may_write("post"); !may) return fail(may.error());
  const Result<Target> target = find_target(globals_);
  if (!target) return fail(target.error());
  if (has_token() || identity_.name.empty()) return call_for<Posted>(*target, std::move(request), caller());
  Result<Posted> posted = call_for<Posted>(*target, request, caller(name()));
  if (posted || posted.error().code != Errc::not_found) return posted;
  // Nobody of that name yet, or a needed task that is missing, which is said again.
  return call_for<Posted>(*target, std::move(request), caller());
}

bool McpSession::may_try_again() {
  constexpr Duration longest_pause = seconds(2);
  const Result<BoardView> board = look();  // there is none to look at where the board is elsewhere
  const Seq last = board ? board->snapshot().last_seq() : tried_at_;
  const Instant now = read_clocks().mono;
  if (last == tried_at_ && now - tried_when_ < longest_pause) return false;
  tried_at_ = last;
  tried_when_ = now;
  return true;
}

void McpSession::hold(TaskId task, Epoch epoch) {
  release(task);
  held_.push_back({task, epoch});
}

void McpSession::release(TaskId task) {
  std::erase_if(held_, [&](const Held& held) { return held.task == task; });
}

Result<McpSession::Held> McpSession::meant(const std::string& task) const {
  const char* own = has_token() ? std::getenv("BIDBOARD_TASK") : nullptr;
  if (!task.empty() || own) {
    const Result<TaskId> id = read_task_id(task.empty() ? own : task);
    if (!id) return fail(id.error());
    const auto held = std::ranges::find(held_, *id, &Held::task);
    return held != held_.end() ? *held : Held{*id, {}};
  }
  if (held_.size() == 1) return held_.front();
  if (held_.empty()) return fail(Errc::invalid, "name the task: this session holds none; `claim` takes one");
  std::string all;
  for (const Held& held : held_) all += fmt::format("{}{}", all.empty() ? "" : ", ", held.task);
  return fail(Errc::invalid, fmt::format("name the task: this session holds {}", all));
}

}  // namespace bidboard
