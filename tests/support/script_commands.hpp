// The vocabulary of controller scripts: words into values. All functions throw std::runtime_error on words
// that they do not know.
#pragma once

#include <string>
#include <vector>

#include "blackboard/board/board.hpp"

namespace bidboard::script {

std::vector<std::string> split(const std::string& text, char separator);
std::int64_t whole(const std::string& text);
Micros micros(const std::string& text);
Duration duration(const std::string& text);
/// "t1?": satisfied however t1 ends.
Need need(const std::string& text);
/// "t3,t7,a12" → those, or the words to be explained.
template <class IdType>
IdType id(const std::string& text);
std::vector<Skill> skills(const std::string& text);
std::vector<SkillNeed> skill_needs(const std::string& text);
/// How the task's last award was decided, several lines.
std::string auction_of(const Snapshot& snapshot, TaskId task);

}  // namespace bidboard::script
