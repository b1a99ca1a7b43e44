// Which records a message names: what the controller will probably read to answer it.
#pragma once

#include <string>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard {

/// Adds the key of every record whose id occurs in the message, at any depth; a key may occur twice.
void add_keys_named_in(const Message& message, std::vector<std::string>& keys);

}  // namespace bidboard
