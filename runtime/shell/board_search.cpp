#include "runtime/shell/board_search.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

/// Letters of ASCII only: no tables of other scripts are needed to find what is written the same.
std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// The part of the text around a position that makes one line of a list.
std::string around(std::string_view text, std::size_t at) {
  constexpr std::size_t before_max = 40, after_max = 100;
  const std::size_t line_begin = text.rfind('\n', at) == text.npos ? 0 : text.rfind('\n', at) + 1;
  std::size_t begin = std::max(line_begin, at > before_max ? at - before_max : 0);
  while (begin < at && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) ++begin;
  const std::size_t end = std::min(text.find('\n', at), text.size());
  const std::string_view kept = utf8_prefix(text.substr(begin, end - begin), at - begin + after_max);
  return (begin > line_begin ? "…" : "") + std::string(kept) + (begin + kept.size() < end ? "…" : "");
}

class Search {
 public:
  explicit Search(const std::vector<std::string>& words) {
    for (const std::string& word : words) words_.push_back(lower_case(word));
  }

  /// Every word must be in the text.
  void look_in(const Task& task, std::string where, std::string_view text) {
    if (text.empty()) return;
    const std::string lower = lower_case(text);
    std::size_t first = std::string::npos;
    for (const std::string& word : words_) {
      const std::size_t at = lower.find(word);
      if (at == std::string::npos) return;
      first = std::min(first, at);
    }
    hits_.push_back(
        {to_string(task.id), std::string(name(task.state)), std::move(where), around(text, first)});
  }
  std::vector<Hit> take_hits() { return std::move(hits_); }

 private:
  std::vector<std::string> words_;
  std::vector<Hit> hits_;
};

Result<void> look_in_discoveries(const BoardView& board, Search& search) {
  Result<void> fine;
  const Result<void> read =
      board.snapshot().scan(keys::all_of<Discovery>(), {}, [&](std::string_view, std::string_view bytes) {
        const Result<Discovery> found = unseal<Discovery>(bytes);
        if (!found) fine = fail(found.error());
        const Result<Task> task = found ? board.task(found->task) : fail(Errc::not_found, {});
        if (task) search.look_in(*task, found->kind, found->title + "\n" + found->body);
        return fine.has_value();
      });
  return fine ? read : fine;
}

Result<void> look_in_comments(const BoardView& board, const Task& task, Search& search) {
  if (task.comment_count == 0) return {};
  const Result<std::vector<Comment>> comments = board.comments_on(task.id);
  if (!comments) return fail(comments.error());
  for (const Comment& comment : *comments) search.look_in(task, to_string(comment.id), comment.text);
  return {};
}

}  // namespace

Result<std::vector<Hit>> find_text(const BoardView& board, const std::vector<std::string>& words) {
  if (std::ranges::find(words, "") != words.end())
    return fail(Errc::invalid, "a word to search for is empty: every text would have it");
  const Result<std::vector<Task>> tasks = board.tasks();
  if (!tasks) return fail(tasks.error());
  Search search(words);
  for (const Task& task : *tasks) {
    search.look_in(task, "title", task.spec.title);
    search.look_in(task, "body", task.spec.body);
    search.look_in(task, "run", task.spec.run);
    search.look_in(task, "reason", task.state == TaskState::done ? "" : task.reason);
    const Result<std::string> result = board.result_of(task);
    if (!result) return fail(result.error());
    search.look_in(task, "result", *result);
    for (const AttemptFailure& failure : task.failures)
      search.look_in(task, fmt::format("epoch {}", failure.epoch), failure.reason);
    if (const Result<void> read = look_in_comments(board, task, search); !read) return fail(read.error());
  }
  if (const Result<void> read = look_in_discoveries(board, search); !read) return fail(read.error());
  return search.take_hits();
}

}  // namespace bidboard
