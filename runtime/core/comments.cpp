#include "runtime/core/comments.hpp"

#include <algorithm>
#include <ranges>

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"
#include "runtime/core/posting.hpp"

namespace bidboard {

Result<Commented> add_comment(Core& core, const Actor& actor, const AddComment& request) {
  const Task* task = core.board.task(request.task);
  if (!task)
    return fail(Errc::not_found, fmt::format("no task {}; `bidboard tasks` lists them", request.task));
  if (request.text.empty()) return fail(Errc::invalid, "a comment needs a text");
  if (request.text.size() > max_comment_bytes)
    return fail(Errc::invalid, fmt::format("the comment has {} bytes, more than {}; put it into a file and "
                                           "name the file",
                                           request.text.size(), max_comment_bytes));
  if (task->comment_count >= max_comments)
    return fail(
        Errc::conflict,
        fmt::format("{0} has {1} comments, as many as a task may have, and the earlier ones stay; post "
                    "a task for what is new: `bidboard post TITLE --parent {0}`",
                    task->id, max_comments));
  if (const Result<void> room = check_room(core.board, "comments"); !room) return fail(room.error());
  const CommentId id{core.board.counters().comment.value + 1};
  core.emit(CommentPosted{{id, request.task, actor.agent, core.now.wall, request.text}});
  return Commented{id};
}

std::vector<SignedComment> latest_comments(const Core& core, const Task& task) {
  std::vector<SignedComment> latest;
  if (task.comment_count == 0) return latest;
  std::size_t bytes = 0;
  const std::vector<CommentId> ids = core.board.comments_on(task.id);
  for (const CommentId id : std::views::reverse(ids)) {
    const Comment* comment = core.board.get<Comment>(id);
    if (!comment) continue;
    bytes += comment->text.size();
    if (bytes > comment_bytes_in_award) break;
    const Agent* author = comment->agent ? core.board.agent(comment->agent) : nullptr;
    latest.push_back({author ? author->profile.name : "operator", comment->at, comment->text});
  }
  std::ranges::reverse(latest);
  return latest;
}

}  // namespace bidboard
