#include "queue_model.hpp"

#include <algorithm>
#include <variant>

#include "bernstein/base/sha256.hpp"
#include "bernstein/event/codec.hpp"

namespace bernstein::test {
namespace {

constexpr std::size_t k_steps_max = 60'000;
constexpr std::uint32_t k_interruptions_max = 3;  // of a tree: fewer than an attempt is lost by
constexpr std::size_t k_broken_max = 5;
const char* const k_persons_file = "person";

std::string file_of(std::uint32_t item) {
  return "file " + std::to_string(item);
}

std::string digest(const std::string& text) {
  return to_hex(sha256(text)).substr(0, 16);
}

CheckSpec own_check(std::uint32_t item) {
  return a_command("own " + std::to_string(item));
}

RunConfig config_of_case(const QueueCase& given) {
  CheckSpec gate = a_command("tests");
  gate.flaky = given.flaky_by_word;
  return a_config()
      .with_agents(static_cast<std::uint32_t>(given.items.size()) + 1)
      .with_attempts(given.attempts)
      .with_gate(gate)
      .with_landing(given.landing);
}

bool is_before_the_queue(const EventBody& body) {
  return std::holds_alternative<WorktreeRequested>(body) || std::holds_alternative<SpawnRequested>(body) ||
         std::holds_alternative<CaptureRequested>(body);
}

}  // namespace

QueueModel::QueueModel(QueueCase given) : given_(std::move(given)), world_(config_of_case(given_)) {
  commits_[tip_] = {.parent = "", .content = {}, .tree = "tree at commit-0"};
  trees_["tree at commit-0"] = {};
  if (given_.watches_state) world_.watch_invariants();
  std::vector<TaskSpec> plan;
  for (std::uint32_t number = 1; number <= given_.items.size(); ++number) {
    const QueueItem& item = given_.items[number - 1];
    TaskBuilder task = a_task(number).with_priority(item.priority);
    if (item.own_check) task.checked_by(own_check(number));
    plan.push_back(task);
  }
  world_.start(std::move(plan));
  watch(0);
}

void QueueModel::run(QueueDice& dice) {
  for (std::size_t steps = 0; broken_.size() < k_broken_max; ++steps) {
    if (steps > k_steps_max) return say("the run does not end");
    const std::optional<Seq> seq = choose(dice);
    if (!seq) {
      if (goes_on_after_the_end()) continue;
      break;
    }
    if (dice.one_in(given_.person)) {
      person_commits(given_.breaks_target && dice.one_in(3) ? "red" : "change " + std::to_string(persons_commits_));
    }
    const OpenIntent intent = world_.state().open_intents.at(*seq);
    const std::size_t before = world_.log().size();
    world_.feed({intent.subject, answer_to(intent, dice)}, *seq);
    watch(before);
    watch_slots();
  }
  watch_end();
}

std::optional<Seq> QueueModel::choose(QueueDice& dice) const {
  std::vector<Seq> open;
  for (const auto& [seq, intent] : world_.state().open_intents) {
    if (given_.all_queued && is_before_the_queue(intent.body)) return seq;
    open.push_back(seq);
  }
  if (open.empty()) return std::nullopt;
  return open[dice.below(open.size())];
}

EventBody QueueModel::answer_to(const OpenIntent& intent, QueueDice& dice) {
  const AttemptId id{intent.subject.task, intent.subject.attempt};
  if (const auto* e = std::get_if<CaptureRequested>(&intent.body)) return capture(id, *e);
  if (const auto* e = std::get_if<CandidateRequested>(&intent.body)) return put_together(*e);
  if (const auto* e = std::get_if<CheckRequested>(&intent.body)) return check(intent, *e, dice);
  if (const auto* e = std::get_if<MergeRequested>(&intent.body)) return land(id, *e);
  if (const auto* e = std::get_if<CheckoutSyncRequested>(&intent.body)) {
    checkout_ = e->to;
    return CheckoutSynced{};
  }
  return world_.success(intent);
}

EventBody QueueModel::capture(AttemptId id, const CaptureRequested& request) {
  const std::uint32_t number = id.task.number;
  Work work{.attempt = id, .base = commits_.at(request.base).content};
  work.edits[file_of(number)] = to_string(id);
  for (const std::string& path : given_.items[number - 1].shared) work.edits[path] = to_string(id);
  // What is shared is shared within the files, so to say: who owns which paths is another matter than what conflicts.
  WorkCaptured captured = some_work(id, {file_of(number)}, request.base);
  works_[captured.commit] = std::move(work);
  return captured;
}

EventBody QueueModel::put_together(const CandidateRequested& request) {
  const std::string base = request.onto.empty() ? tip_ : request.onto;
  const Work& work = works_.at(request.commit);
  const Commit& below = commits_.at(base);
  Content content = below.content;
  std::vector<ConflictedPath> conflicts;
  for (const auto& [path, value] : work.edits) {
    const auto there = below.content.find(path);
    const auto before = work.base.find(path);
    const bool moved =
        (there == below.content.end() ? "" : there->second) != (before == work.base.end() ? "" : before->second);
    if (moved) conflicts.push_back({.path = path});
    content[path] = value;
  }
  if (!conflicts.empty()) return CandidateConflicted{base, conflicts};
  CandidateBuilt built{.base = base, .base_tree = below.tree};
  built.commit = add_commit(request.commit, base, std::move(content));
  built.tree = commits_.at(built.commit).tree;
  return built;
}

EventBody QueueModel::check(const OpenIntent& intent, const CheckRequested& request, QueueDice& dice) {
  CheckFinished finished{.name = request.check.name, .tree = request.tree, .why = "exit 0"};
  bool abandoned = false;
  if (intent.subject != about_run()) {
    const AttemptId id{intent.subject.task, intent.subject.attempt};
    abandoned = attempt_of(world_.state(), id).examination->abandoned;
  }
  const bool may_be_interrupted = dice.one_in(given_.interruption) && interrupted_[request.tree] < k_interruptions_max;
  if (may_be_interrupted || (abandoned && !dice.one_in(4))) {
    if (!abandoned) ++interrupted_[request.tree];
    finished.stopped = true;
    finished.verdict = CheckVerdict::error;
    finished.why = "it was ended";
    return finished;
  }
  const Content& content = trees_.at(request.tree);
  bool red = false;
  if (request.check.name == "tests") {
    red = is_red(content);
  } else {
    for (std::uint32_t number = 1; number <= given_.items.size(); ++number) {
      const std::uint32_t broken = given_.items[number - 1].breaks_own_of;
      red = red || (broken != 0 && request.check.name == own_check(broken).name && content.contains(file_of(number)));
    }
  }
  red = red || dice.one_in(given_.flake);
  if (red) {
    finished.exit_code = 1;
    finished.verdict = CheckVerdict::failed;
    finished.why = "exit 1";
  }
  return finished;
}

EventBody QueueModel::land(AttemptId id, const MergeRequested& request) {
  watch_landing(id, request);
  if (request.base != tip_) return MergeRefused{tip_};
  tip_ = request.commit;
  return MergeLanded{request.commit, request.base, {}, request.tree};
}

std::string QueueModel::add_commit(const std::string& salt, const std::string& parent, Content content) {
  std::string text;
  for (const auto& [path, value] : content) text += path + "=" + value + "\n";
  const std::string tree = "tree " + digest(text);
  const std::string id = digest(salt + " on " + parent);
  trees_.try_emplace(tree, content);
  commits_[id] = {.parent = parent, .content = std::move(content), .tree = tree};
  return id;
}

void QueueModel::person_commits(const std::string& value) {
  Content content = commits_.at(tip_).content;
  content[k_persons_file] = value;
  tip_ = add_commit("person " + std::to_string(++persons_commits_), tip_, std::move(content));
  commits_.at(tip_).is_persons = true;
}

// The target was red: the person mends it and goes on.
bool QueueModel::goes_on_after_the_end() {
  const RunState& state = world_.state();
  if (!state.finished || state.finished->outcome != RunOutcome::environment) return false;
  if (!is_red(commits_.at(state.target_tip).content)) {  // which the person may have mended: nobody has looked
    say("the run ended by a red target that is not red: " + state.finished->why);
    return false;
  }
  person_commits("mended " + std::to_string(persons_commits_));
  const std::size_t before = world_.log().size();
  world_.feed({about_run(), RunResumed{.epoch = state.epoch + 1, .target_tip = tip_}});
  watch(before);
  return true;
}

bool QueueModel::is_red(const Content& content) const {
  if (const auto person = content.find(k_persons_file); person != content.end() && person->second == "red") return true;
  for (const auto& [path, value] : content) {
    if (!path.starts_with("file ")) continue;
    const AttemptId id = *parse_attempt_id(value);
    const QueueItem& item = given_.items[id.task.number - 1];
    if (id.number <= item.bad_attempts) return true;
    if (item.red_with != 0 && content.contains(file_of(item.red_with))) return true;
  }
  return false;
}

QueueModel::Content QueueModel::landed_content() const {
  Content content = commits_.at(tip_).content;
  content.erase(k_persons_file);
  return content;
}

std::map<std::string, std::string> QueueModel::ends() const {
  std::map<std::string, std::string> ends;
  for (const auto& [id, task] : world_.state().tasks) ends[to_string(id)] = to_word(task.status);
  return ends;
}

// ---- what must hold ----

void QueueModel::say(std::string sentence) {
  broken_.push_back("after event " + std::to_string(world_.log().size()) + ": " + std::move(sentence));
}

void QueueModel::watch(std::size_t from) {
  for (std::size_t i = from; i < world_.log().size(); ++i) {
    const Event& event = world_.log()[i];
    const AttemptId id{event.subject.task, event.subject.attempt};
    if (const auto* check = std::get_if<CheckFinished>(&event.body); check != nullptr && !check->stopped) {
      const std::pair key{check->tree, check->name};
      ++runs_[key];
      if (check->verdict == CheckVerdict::passed) green_.insert(key);
    } else if (const auto* request = std::get_if<CheckRequested>(&event.body)) {
      if (request->check.type == CheckType::command) ++command_runs_;
    } else if (std::holds_alternative<LandingQueued>(event.body)) {
      if (std::ranges::find(arrived_, id) == arrived_.end()) arrived_.push_back(id);
    } else if (std::holds_alternative<CandidateRequested>(event.body)) {
      if (std::ranges::find(taken_, id) == taken_.end()) taken_.push_back(id);
    } else if (const auto* failure = std::get_if<AttemptFailed>(&event.body)) {
      watch_failure(id, *failure);
    } else if (const auto* sync = std::get_if<CheckoutSyncRequested>(&event.body)) {
      // I5: the checkout follows a landing of the same attempt, from where that one began to where it ended.
      if (commits_.at(sync->to).parent != sync->from) say("the checkout is to go where nothing has landed");
    } else if (kind_of(event.body) == Kind::intent && encode(event.body).find("\"behind\"") != std::string::npos) {
      say(std::string(type_of(event.body)) + " is about the person's checkout");
    }
  }
}

// At no time is more checked than there are slots, nor two landed or followed at once.
void QueueModel::watch_slots() {
  std::size_t checks = 0;
  std::size_t landings = 0;
  for (const auto& [seq, intent] : world_.state().open_intents) {
    if (std::holds_alternative<CheckRequested>(intent.body)) ++checks;
    const bool lands = std::holds_alternative<MergeRequested>(intent.body) ||
                       std::holds_alternative<CheckoutSyncRequested>(intent.body);
    if (lands) ++landings;
  }
  if (checks > given_.landing.max_checks) say(std::to_string(checks) + " checks run at once");
  if (landings > 1) say("two land at once");
}

// I1 and I2.
void QueueModel::watch_landing(AttemptId id, const MergeRequested& request) {
  const std::string name = to_string(id);
  const Commit& commit = commits_.at(request.commit);
  if (commit.parent != request.base) say(name + " lands on another commit than the one it stands on");
  if (commit.tree != request.tree) say(name + " lands another tree than its own");
  const std::vector<CheckSpec> checks = checks_of(world_.state(), {id.task});
  const auto passed = [&](const std::string& tree) {
    return std::ranges::all_of(checks, [&](const CheckSpec& check) { return green_.contains({tree, check.name}); });
  };
  if (passed(commit.tree)) return;
  if (!given_.landing.skip_intermediate) return say(name + " lands a tree that has not passed its checks");
  // One that stands on it and on which its checks have passed.
  for (AttemptId above : world_.state().chain) {
    const Attempt& other = attempt_of(world_.state(), above);
    if (!other.candidate || !passed(other.candidate->tree)) continue;
    for (std::string at = other.candidate->commit; !at.empty(); at = commits_.at(at).parent) {
      if (at == request.commit) return;
    }
  }
  say(name + " lands, and nothing that stands on it has passed its checks");
}

// I3: who is judged has something to do with it.
void QueueModel::watch_failure(AttemptId id, const AttemptFailed& failure) {
  const std::uint32_t number = id.task.number;
  const QueueItem& item = given_.items[number - 1];
  if (given_.flake != 0) return;
  if (failure.class_ == FailureClass::conflict) {
    if (item.shared.empty()) say(to_string(id) + " is said to conflict: " + failure.why);
    return;
  }
  bool may_fail = id.number <= item.bad_attempts || item.red_with != 0;
  for (const QueueItem& other : given_.items) {
    may_fail = may_fail || other.red_with == number || (item.own_check && other.breaks_own_of == number);
  }
  if (failure.class_ != FailureClass::task || !may_fail)
    say(to_string(id) + " is good and was ejected: " + failure.why);
}

// Of those that came later, only so many of a higher priority were taken first.
void QueueModel::watch_overtaking() {
  const auto place = [](const std::vector<AttemptId>& all, AttemptId id) { return std::ranges::find(all, id); };
  for (AttemptId id : arrived_) {
    std::map<std::uint32_t, std::uint32_t> by_priority;
    const std::uint32_t own = given_.items[id.task.number - 1].priority;
    for (auto other = place(arrived_, id) + 1; other != arrived_.end(); ++other) {
      if (place(taken_, *other) < place(taken_, id)) ++by_priority[given_.items[other->task.number - 1].priority];
    }
    for (const auto& [priority, times] : by_priority) {
      if (priority >= own || times > (own - priority) * k_overtaken_max)
        say(to_string(id) + " was overtaken " + std::to_string(times) + " times by priority " +
            std::to_string(priority));
    }
  }
}

void QueueModel::watch_end() {
  if (!world_.finished()) return say("the run is not finished, and nothing is open");
  for (const std::string& sentence : world_.broken()) say(sentence);
  for (const auto& [id, task] : world_.state().tasks) {  // I4
    if (!is_terminal(task.status)) say(to_string(id) + " ended " + std::string(to_word(task.status)));
  }
  watch_overtaking();
  // A tree is checked once for each check; but for a red that is not believed, and for commands that need a checkout
  // in which the others have run.
  const bool has_own = std::ranges::any_of(given_.items, [](const QueueItem& item) { return item.own_check; });
  const bool runs_twice = given_.flake != 0 || given_.flaky_by_word || has_own || given_.breaks_target;
  for (const auto& [key, times] : runs_) {
    if (times > 1 && !runs_twice) say("'" + key.second + "' ran " + std::to_string(times) + " times on " + key.first);
  }
  if (given_.flake != 0) return;
  std::string newest_own;
  for (std::string at = tip_; !at.empty(); at = commits_.at(at).parent) {
    const Commit& commit = commits_.at(at);
    if (commit.is_persons || at == "commit-0") continue;
    const bool is_newest = newest_own.empty();
    newest_own = at;
    const bool has_to_be_green = !given_.landing.skip_intermediate || (is_newest && given_.person == 0);
    if (has_to_be_green && is_red(commit.content)) say("the target has a red commit: " + at);
  }
}

}  // namespace bernstein::test
