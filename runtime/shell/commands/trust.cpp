// trust: boards that other users can change.

#include "runtime/home/trust.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {

Command trust_command() {
  return {
      "trust",
      "Board",
      "Use a board that other users can change",
      "A board and its bidboard.yaml say which commands `up` and agents run, as you. So one that belongs to "
      "another\nuser, or that others can change, is refused until you trust its folder.",
      {{"bidboard trust /srv/team", "from now on commands use the board in /srv/team"}},
      [](Options& o) -> Action0 {
        auto folder = std::make_shared<std::string>();
        o.argument("DIR", *folder, "The folder that holds the board");
        return [folder](const Globals&) -> Result<Exit> {
          const Result<std::string> trusted = trust_folder(*folder);
          if (!trusted) return fail(trusted.error());
          say("Trusted: {}", *trusted);
          return Exit::ok;
        };
      }};
}

}  // namespace bidboard
