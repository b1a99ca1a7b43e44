// Commands of controller scripts that become inputs of the node.
#include <stdexcept>

#include "blackboard/fmt.hpp"
#include "tests/support/script_commands.hpp"
#include "tests/support/script_runner.hpp"

namespace bidboard::script {
namespace {

bool yes(const std::string& text) { return text == "yes"; }

Role role_of(const std::string& text) {
  const auto role = parse_role(text);
  if (!role) throw std::runtime_error("no role called " + text);
  return *role;
}

BidStyle style_of(const std::string& text) {
  for (const BidStyle style : {BidStyle::standard, BidStyle::formula, BidStyle::live})
    if (name(style) == text) return style;
  throw std::runtime_error("no way to bid called " + text);
}

/// The options that all ways of posting share.
TaskSpec spec_of(Words& words, const std::string& title) {
  TaskSpec spec;
  spec.title = title;
  spec.body = words.take("body");
  spec.kind = words.take("kind", spec.kind);
  spec.project = words.take("project");
  spec.run = words.take("run");
  spec.secrets = split(words.take("secrets"), ',');
  spec.skills = skill_needs(words.take("skills"));
  for (const std::string& part : split(words.take("needs"), ',')) spec.needs.push_back(need(part));
  spec.size = micros(words.take("size", "1"));
  spec.priority = whole(words.take("priority", "0"));
  spec.timeout = duration(words.take("timeout", "30m"));
  spec.attempts = static_cast<std::uint32_t>(whole(words.take("attempts", "3")));
  spec.repeatable = yes(words.take("repeatable", "yes"));
  spec.budget = micros(words.take("budget", "0"));
  spec.key = words.take("key");
  spec.labels = split(words.take("labels"), ',');
  if (words.has("parent")) spec.parent = id<TaskId>(words.take("parent"));
  if (words.has("workflow")) spec.workflow = id<WorkflowId>(words.take("workflow"));
  return spec;
}

}  // namespace

/// Any message may come over=KEY, with or without rights=operator. An agent keeps the key with which it
/// registered or reconnected.
Input ScriptRunner::input_of(Words& words) {
  Input input = message_of(words);
  auto* from = std::get_if<FromPeer>(&input);
  if (!from) return input;
  if (const auto known = origins_.find(from->peer); known != origins_.end()) from->origin = known->second;
  if (words.has("over")) from->origin = {words.take("over"), words.take("rights") == "operator"};
  if (words.verb() == "agent" || words.verb() == "reconnect") origins_[from->peer] = from->origin;
  return input;
}

Input ScriptRunner::message_of(Words& words) {
  const std::string& verb = words.verb();
  if (verb == "agent") return register_agent(words);
  if (verb == "replay") {
    const Actor& who = actor(words.word(1));
    const PeerId thief{++last_peer_};
    names_[thief] = words.word(2);
    return FromPeer{thief, Register{who.profile, who.incarnation, {}}};
  }
  if (verb == "process-ended") return ProcessEnded{whole(words.word(1))};
  if (verb == "bid") return bid(words);
  if (verb == "choose") return choose(words);
  if (verb == "started" || verb == "progress" || verb == "stalled" || verb == "finished" ||
      verb == "failed" || verb == "unknown" || verb == "declined" || verb == "unavailable" ||
      verb == "settled")
    return report(words);
  if (verb == "hello") {
    const auto version = static_cast<std::uint32_t>(whole(words.take("version", "1")));
    return FromPeer{PeerId{1}, Hello{version, version, {}}};
  }
  if (verb == "heartbeat" || verb == "reconnect") return heartbeat(words);
  if (verb == "take") {
    const Actor& who = actor(words.word(1));
    Take take{who.id, who.secret, {}};
    for (std::size_t i = 2; i < words.count(); ++i) take.tasks.push_back(id<TaskId>(words.word(i)));
    return FromPeer{who.peer, take};
  }
  if (verb == "listening") {
    const Actor& who = actor(words.word(1));
    return FromPeer{who.peer, Listening{who.id, who.secret, who.peers_heard,
                                        words.take("endpoint", "ipc://" + words.word(1))}};
  }
  if (verb == "leave") {
    Actor& who = actor(words.word(1));
    who.next_heartbeat = never;
    return FromPeer{who.peer, Leave{who.id, who.secret, words.take("reason", "asked to stop")}};
  }
  return request(words);
}

Input ScriptRunner::heartbeat(Words& words) {
  Actor& who = actor(words.word(1));
  if (words.verb() == "reconnect") {
    who.peer = PeerId{++last_peer_};
    names_[who.peer] = words.word(1);
  }
  Heartbeat beat = heartbeat_of(who);
  if (words.has("id")) beat.agent = id<AgentId>(words.take("id"));
  if (words.has("secret")) beat.secret = words.take("secret");
  if (words.has("secret_of")) beat.secret = actor(words.take("secret_of")).secret;
  return FromPeer{who.peer, beat};
}

Input ScriptRunner::register_agent(Words& words) {
  const std::string& name = words.word(1);
  Actor& who = actors_[name];
  const bool again = words.count() > 2 && words.word(2) == "again";
  if (!again) {
    who.profile = {};
    who.held.clear();
    who.incarnation = ++last_incarnation_;
    who.profile.pid = whole(words.take("pid", std::to_string(1000 + who.incarnation)));
  }
  AgentProfile& profile = who.profile;
  profile.name = name;
  profile.role = role_of(words.take("role", "specialist"));
  profile.parent = words.take("parent", profile.parent);
  profile.project = words.take("project", profile.project);
  if (words.has("skills")) profile.skills = skills(words.take("skills"));
  profile.speed = micros(words.take("speed", "1"));
  profile.capacity = static_cast<std::uint32_t>(whole(words.take("capacity", "1")));
  profile.cost_formula = words.take("cost");
  profile.bids = style_of(words.take("bids", profile.cost_formula.empty() ? "standard" : "formula"));
  profile.price_per_second = micros(words.take("price", "0"));
  profile.set_up = micros(words.take("set_up", "0"));
  profile.allow_run = yes(words.take("run", "no"));
  profile.account = words.take("account", profile.account);
  profile.secrets = split(words.take("secrets"), ',');
  profile.host = words.take("host", "here");
  who.peer = PeerId{++last_peer_};
  names_[who.peer] = name;
  who.mute = false;
  return FromPeer{who.peer, Register{profile, who.incarnation, again ? who.secret : std::string()}};
}

/// An honest manager's answer, with other choices for some tasks: t1=a3, t2=none, t3=nothing.
Input ScriptRunner::choose(Words& words) {
  const Actor& who = actor(words.word(1));
  if (!who.choices) throw std::runtime_error(words.word(1) + " was asked nothing");
  Choices choices = *who.choices;
  choices.agent = who.id;
  choices.secret = who.secret;
  std::erase_if(choices.chosen, [&](ChosenMember& chosen) {
    const std::string other = words.take(to_string(chosen.task));
    if (other.empty() || other == "nothing") return other == "nothing";
    chosen.member = other == "none" ? AgentId{} : id<AgentId>(other);
    chosen.why = words.take("why", "so it pleases");
    return false;
  });
  return FromPeer{who.peer, std::move(choices)};
}

Input ScriptRunner::report(Words& words) {
  using What = ReportItem::What;
  static const std::map<std::string, What> whats{
      {"started", What::started},   {"progress", What::progress},       {"stalled", What::stalled},
      {"finished", What::finished}, {"failed", What::failed},           {"unknown", What::unknown},
      {"declined", What::declined}, {"unavailable", What::unavailable}, {"settled", What::settled}};
  Actor& who = actor(words.word(1));
  ReportItem item;
  item.what = whats.at(words.verb());
  item.task = id<TaskId>(words.word(2));
  const auto last = std::find_if(who.capabilities.rbegin(), who.capabilities.rend(),
                                 [&](const auto& entry) { return entry.first.task == item.task; });
  item.epoch = last != who.capabilities.rend() ? last->first.epoch : Epoch{1};
  if (words.has("epoch")) item.epoch = Epoch{static_cast<std::uint64_t>(whole(words.take("epoch")))};
  const auto known = who.capabilities.find({item.task, item.epoch});
  item.capability = words.take("capability", known == who.capabilities.end() ? "none" : known->second);
  item.text = words.take(item.what == What::finished ? "result" : "reason",
                         item.what == What::failed ? "it broke" : "");
  item.fraction = micros(words.take("fraction", "0"));
  item.seconds = micros(words.take("seconds", "0"));
  item.price = micros(words.take("price", "0"));
  item.tokens = whole(words.take("tokens", "0"));
  item.work = {words.take("branch"), words.take("commit")};
  if (item.what == What::unavailable) item.outage = outage_named(words.take("class", "rate_limit")).value();
  if (words.has("retry_after")) item.until = now_.wall + duration(words.take("retry_after"));
  const std::string secret = words.take("secret", who.secret);
  const bool ends = item.what >= What::finished;
  const auto held = who.held.find(item.task);
  if (ends && held != who.held.end() && held->second == item.epoch) who.held.erase(held);
  return FromPeer{who.peer, Reports{who.id, secret, ++who.reports, {item}}};
}

Input ScriptRunner::bid(Words& words) {
  const Actor& who = actor(words.word(1));
  Bids bids{who.id, who.secret, {}};
  Bid bid;
  bid.refused = words.has("decline");
  bid.reason = words.take("decline");
  bid.seconds = micros(words.take("seconds", "1"));
  bid.price = micros(words.take("price", "0"));
  bid.confidence = micros(words.take("confidence", "1"));
  for (const std::string& other : split(words.take("with"), ',')) bid.with.push_back(id<TaskId>(other));
  for (std::size_t i = 2; i < words.count(); ++i) {
    bid.task = id<TaskId>(words.word(i));
    bids.bids.push_back(bid);
  }
  return FromPeer{who.peer, bids};
}

Input ScriptRunner::request(Words& words) {
  Request request;
  request.client = ClientId{static_cast<std::uint64_t>(whole(words.take("client", "0")))};
  request.number = static_cast<std::uint64_t>(whole(words.take("number", "1")));
  request.as = words.take("as");
  if (words.has("token")) {  // token=NAME:t1: the token of the agent's last award of that task; anything else
                             // is the token itself
    const std::string token = words.take("token");
    const std::vector<std::string> parts = split(token, ':');
    request.token = token;
    if (parts.size() == 2) {
      const Actor& who = actor(parts[0]);
      for (const auto& [held, capability] : who.capabilities)
        if (held.task == id<TaskId>(parts[1]))
          request.token = fmt::format("{}:{}:{}:{}", who.id, parts[1], held.epoch.value, capability);
    }
  }
  request.body = request_body(words);
  return FromPeer{PeerId{1}, request};
}

RequestBody ScriptRunner::request_body(Words& words) {
  const std::string& verb = words.verb();
  const auto task = [&] { return id<TaskId>(words.word(1)); };
  const auto epoch = [&] { return Epoch{static_cast<std::uint64_t>(whole(words.take("epoch", "0")))}; };
  static const std::map<std::string, Direction> directions{{"cancel", Direction::cancel},
                                                           {"retry", Direction::retry},
                                                           {"pause", Direction::pause},
                                                           {"resume", Direction::resume}};
  if (verb == "post" || verb == "post-flow") return post(words);
  if (verb == "claim")
    return Claim{words.word(1) == "next" ? TaskId{} : task(), skills(words.take("skills"))};
  if (verb == "renew") return Renew{task(), epoch()};
  if (verb == "done") return Finish{task(), epoch(), true, words.take("result"), 0, 0};
  if (verb == "fail") {
    Finish failed{task(), epoch(), false, words.take("reason"), 0, 0};
    if (words.has("class")) failed.outage = outage_named(words.take("class")).value();
    return failed;
  }
  if (verb == "report")
    return Progress{task(), epoch(), micros(words.take("fraction", "0")), words.take("text")};
  if (const auto found = directions.find(verb); found != directions.end())
    return Direct{found->second, task(), words.take("reason")};
  if (verb == "edit") return edit(words);
  if (verb == "raise")
    return RaiseBudget{words.word(1), {micros(words.take("money", "0")), whole(words.take("tokens", "0"))}};
  if (verb == "comment") return AddComment{task(), words.take("text")};
  if (verb == "reassign") return Reassign{task(), words.take("to")};
  if (verb == "dep") return Depend{id<TaskId>(words.word(2)), need(words.word(3)), words.word(1) == "remove"};
  if (verb == "configure") return Configure{config(words)};
  if (verb == "status") return AskStatus{};
  if (verb == "read-log")
    return ReadLog{Seq{static_cast<std::uint64_t>(whole(words.take("from", "0")))},
                   static_cast<std::uint32_t>(whole(words.take("limit", "1000")))};
  if (verb == "shutdown") return Shutdown{};
  throw std::runtime_error("no command called " + verb);
}

/// skills=none and needs=none empty a list; labels=+a,-b.
Edit ScriptRunner::edit(Words& words) const {
  Edit edit;
  edit.task = id<TaskId>(words.word(1));
  TaskEdit& change = edit.change;
  if (words.has("title")) change.title = words.take("title");
  if (words.has("body")) change.body = words.take("body");
  if (words.has("priority")) change.priority = whole(words.take("priority"));
  if (words.has("timeout")) change.timeout = duration(words.take("timeout"));
  const std::string skills_text = words.take("skills");
  if (skills_text == "none")
    change.skills.emplace();
  else if (!skills_text.empty())
    change.skills = skill_needs(skills_text);
  const std::string needs_text = words.take("needs");
  if (!needs_text.empty()) change.needs.emplace();
  if (needs_text != "none")
    for (const std::string& part : split(needs_text, ',')) change.needs->push_back(need(part));
  for (const std::string& label : split(words.take("labels"), ','))
    (label.starts_with('-') ? edit.remove_labels : edit.add_labels).push_back(label.substr(1));
  return edit;
}

/// post TITLE..., each a task with the same options; post-flow NAME a b<a c<a,b?: a workflow with needs
/// inside.
Post ScriptRunner::post(Words& words) const {
  Post post;
  const bool flow = words.verb() == "post-flow";
  if (flow) post.workflow = words.word(1);
  if (words.has("joins")) post.joins = id<WorkflowId>(words.take("joins"));
  const TaskSpec spec = spec_of(words, "");
  std::map<std::string, std::uint32_t> places;
  const std::size_t first = flow ? 2 : 1;
  for (std::size_t i = first; i < words.count(); ++i) {
    post.tasks.push_back(spec);
    post.tasks.back().title = words.word(i).substr(0, words.word(i).find('<'));
    places[post.tasks.back().title] = static_cast<std::uint32_t>(post.tasks.size() - 1);
  }
  for (std::size_t i = first; i < words.count(); ++i) {
    const std::vector<std::string> parts = split(words.word(i), '<');
    for (const std::string& needed : split(parts.size() > 1 ? parts[1] : "", ',')) {
      const bool any = needed.ends_with('?');
      post.batch_needs.push_back({static_cast<std::uint32_t>(i - first),
                                  places.at(any ? needed.substr(0, needed.size() - 1) : needed), any});
    }
  }
  return post;
}

Config ScriptRunner::config(Words& words) const {
  Config config = node_->board().config();
  config.strategy = words.take("strategy", config.strategy);
  config.mechanism = words.take("mechanism", config.mechanism);
  config.project = words.take("project", config.project);
  config.calibrate = yes(words.take("calibrate", config.calibrate ? "yes" : "no"));
  if (words.has("seconds_weight")) config.seconds_weight = micros(words.take("seconds_weight"));
  if (words.has("price_weight")) config.price_weight = micros(words.take("price_weight"));
  const auto span = [&](const char* name, Duration& value) {
    if (words.has(name)) value = duration(words.take(name));
  };
  span("bid_timeout", config.bid_timeout);
  span("heartbeat", config.heartbeat);
  span("lease", config.lease);
  span("backoff", config.backoff);
  if (words.has("account"))
    config.accounts = {{words.take("account"),
                        static_cast<std::uint32_t>(whole(words.take("max_running", "0"))),
                        duration(words.take("stagger", "0s")),
                        {}}};
  if (words.has("after")) {
    config.accounts.clear();
    for (const std::string& later : split(words.take("after"), ','))
      config.accounts.push_back(
          {later.substr(0, later.find('=')), 0, {}, duration(later.substr(later.find('=') + 1))});
  }
  if (words.has("budget"))
    config.budgets = {
        {words.take("budget"), {micros(words.take("money", "0")), whole(words.take("tokens", "0"))}}};
  if (words.has("budgets")) {
    config.budgets.clear();
    for (const std::string& bound : split(words.take("budgets"), ','))
      config.budgets.push_back(
          {bound.substr(0, bound.find('=')), {micros(bound.substr(bound.find('=') + 1)), 0}});
  }
  if (words.has("estimate")) config.estimate.money = micros(words.take("estimate"));
  config.seed = static_cast<std::uint64_t>(whole(words.take("seed", std::to_string(config.seed))));
  return config;
}

}  // namespace bidboard::script
