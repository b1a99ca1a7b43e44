// By what client and controller know that they mean the same board: each names its own in its first message,
// as a feature (`board=ID`), and refuses the other if that names another one. Older ones name none, and are
// believed. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard {

constexpr std::string_view board_feature = "board=";
/// The answer, as Malformed, to every message of a client that named another board.
constexpr const char* another_board = "this controller serves another board";

/// `board`: its id (board_directory.hpp); empty: unknown, as on another machine.
inline std::vector<std::string> features_of(const std::string& board) {
  return board.empty() ? std::vector<std::string>{}
                       : std::vector<std::string>{std::string(board_feature) + board};
}

/// Whether these features name another board than this one.
inline bool names_another_board(const std::vector<std::string>& features, const std::string& board) {
  return !board.empty() && std::ranges::any_of(features, [&](const std::string& feature) {
    return feature.starts_with(board_feature) && feature.substr(board_feature.size()) != board;
  });
}

}  // namespace bidboard
