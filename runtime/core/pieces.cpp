#include "runtime/core/pieces.hpp"

#include <utility>

namespace bidboard {
namespace {

/// Numbers, lengths and short texts of an item.
constexpr std::size_t item_bytes = 128;
constexpr std::size_t need_bytes = 16;

std::size_t bytes_of(const Revocation& revocation) { return item_bytes + revocation.reason.size(); }
std::size_t bytes_of(const PeerOffer& offer) { return item_bytes + bidboard::bytes_of(offer.offer); }

/// Fills messages of one kind with the items and sends each when it is full; the last one stays in `piece`.
template <class Body, class Item>
void fill(Body& piece, std::vector<Item> Body::*list, std::vector<Item> items,
          const std::function<void(Message)>& send) {
  std::size_t bytes = 0;
  for (Item& item : items) {
    const std::size_t more = bytes_of(item);
    if (bytes > 0 && bytes + more > message_bytes_max) {
      Body full = piece;
      full.*list = std::exchange(piece.*list, {});
      send(std::move(full));
      bytes = 0;
    }
    bytes += more;
    (piece.*list).push_back(std::move(item));
  }
}

template <class Body, class Item>
void split(Body message, std::vector<Item> Body::*list, const std::function<void(Message)>& send) {
  std::vector<Item> items = std::exchange(message.*list, {});
  fill(message, list, std::move(items), send);
  send(std::move(message));
}

}  // namespace

std::size_t bytes_of(const TaskOffer& offer) {
  const TaskSpec& spec = offer.spec;
  std::size_t bytes = item_bytes + spec.title.size() + spec.body.size() + spec.run.size() + spec.key.size() +
                      spec.needs.size() * need_bytes;
  for (const SkillNeed& skill : spec.skills) bytes += need_bytes + skill.name.size();
  for (const std::string& label : spec.labels) bytes += need_bytes + label.size();
  for (const AttemptFailure& failure : offer.failures) bytes += need_bytes + failure.reason.size();
  return bytes;
}

std::size_t bytes_of(const NeedResult& need) { return need_bytes + need.name.size() + need.result.size(); }

std::size_t bytes_of(const AwardItem& award) {
  std::size_t bytes = item_bytes + bytes_of(award.offer);
  for (const NeedResult& need : award.needs) bytes += bytes_of(need);
  for (const SignedComment& comment : award.comments)
    bytes += need_bytes + comment.author.size() + comment.text.size();
  return bytes;
}

void in_pieces(Message message, const std::function<void(Message)>& send) {
  if (auto* announcement = std::get_if<Announcement>(&message))
    split(std::move(*announcement), &Announcement::offers, send);
  else if (auto* awards = std::get_if<Awards>(&message))
    split(std::move(*awards), &Awards::awards, send);
  else if (auto* revocations = std::get_if<Revocations>(&message))
    split(std::move(*revocations), &Revocations::items, send);
  else if (auto* offers = std::get_if<PeerOffers>(&message))
    split(std::move(*offers), &PeerOffers::offers, send);
  else
    send(std::move(message));
}

}  // namespace bidboard
