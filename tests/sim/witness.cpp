#include "witness.hpp"

#include <algorithm>

#include "bernstein/event/codec.hpp"
#include "bernstein/run/audit.hpp"
#include "bernstein/run/audit_repository.hpp"
#include "bernstein/run/replay.hpp"
#include "bernstein/state/apply.hpp"
#include "bernstein/state/invariants.hpp"

namespace bernstein::sim {
namespace {

constexpr const char* k_target = "refs/heads/main";
constexpr RunId k_run{1};

void require(bool holds, const std::string& what) {
  if (!holds) throw Violation{what};
}

// The value of a trailer of a commit message, "" without it.
std::string trailer(const std::string& message, const std::string& name) {
  const std::string key = "\n" + name + ": ";
  const std::size_t at = message.find(key);
  if (at == std::string::npos) return "";
  const std::size_t from = at + key.size();
  return message.substr(from, message.find('\n', from) - from);
}

}  // namespace

void Witness::look() {
  if (!complaints_.empty()) throw Violation{complaints_.front()};
  read_on();
  if (log_.records().empty()) return;
  check_log();
  check_target();
  check_salvage();
  check_work();
  check_person();
  check_processes();
}

void Witness::read_on() {
  const std::vector<Record>& records = log_.records();
  require(records.size() >= seen_.size(), "events are gone that were in the log before");
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    require(records[i].hash == seen_[i], "event " + std::to_string(i + 1) + " is not what it was");
  }
  for (std::size_t i = seen_.size(); i < records.size(); ++i) {
    const Record& record = records[i];
    seen_.push_back(record.hash);
    const Result<Event> event = to_event(record);
    if (!event) throw Violation{event.error().message};
    check_verdicts(*event);
    check_progress(*event);
    if (const Status applied = apply(state_, *event); !applied) throw Violation{applied.error().message};
    if (const std::vector<std::string> broken = broken_invariants(state_); !broken.empty()) {
      throw Violation{"after event " + std::to_string(record.seq) + ": " + broken.front()};
    }
    const AttemptId attempt{event->subject.task, event->subject.attempt};
    if (const auto* landed = std::get_if<MergeLanded>(&event->body))
      landings_.push_back({attempt, landed->commit, landed->tree});
    if (const auto* work = std::get_if<WorkCaptured>(&event->body)) captured_.emplace_back(attempt, *work);
  }
}

// A recorded verdict is the one that this check has on this tree, and only what all checks let pass may land.
void Witness::check_verdicts(const Event& event) const {
  const std::string where = "event " + std::to_string(event.seq);
  const auto verdict_of = [&](const CheckSpec& check, const std::string& tree) {
    return fate_of(scenario_, check.command, workspace_.files(tree)).verdict;
  };
  if (const auto* finished = std::get_if<CheckFinished>(&event.body)) {
    const auto open = state_.open_intents.find(event.cause);
    require(open != state_.open_intents.end(), where + " answers no open intent");
    const CheckSpec& check = std::get<CheckRequested>(open->second.body).check;
    const bool says_something = !finished->stopped && finished->verdict != CheckVerdict::error;
    if (check.type != CheckType::command || !says_something) return;
    const CheckVerdict verdict = verdict_of(check, finished->tree);
    require(finished->verdict == verdict, where + ": '" + check.name + "' " + std::string(to_word(finished->verdict)) +
                                              ", and on this tree it " + std::string(to_word(verdict)));
  }
  const auto* merge = std::get_if<MergeRequested>(&event.body);
  if (merge != nullptr && !config_of(state_).landing.skip_intermediate) {
    for (const CheckSpec& check : checks_of(state_, {event.subject.task})) {
      if (check.type != CheckType::command) continue;
      require(verdict_of(check, merge->tree) == CheckVerdict::passed,
              where + " lands a tree that '" + check.name + "' does not let pass");
    }
  }
}

// Nobody is told twice, whoever took the agent over, and nobody is ended where there is no limit.
void Witness::check_progress(const Event& event) const {
  const std::string where = "event " + std::to_string(event.seq);
  const auto is_stalled = [&] { return attempt_of(state_, {event.subject.task, event.subject.attempt}).silent_us > 0; };
  if (std::holds_alternative<AgentStalled>(event.body)) require(!is_stalled(), where + " warns a second time");
  if (std::holds_alternative<AgentRecovered>(event.body)) require(is_stalled(), where + " takes back no warning");
  const auto* exit = std::get_if<AgentExited>(&event.body);
  const bool without_limit = exit != nullptr && exit->stalled && config_of(state_).limits.no_progress_us == 0;
  require(!without_limit, where + " ends an agent that may go without progress");
}

void Witness::check_log() const {
  std::map<RunId, std::string> anchors;
  if (const auto anchor = workspace_.anchor(to_string(k_run))) anchors[k_run] = *anchor;
  const Result<run::AuditReport> audited = run::audit(log_, anchors);
  if (!audited) throw Violation{"audit: " + audited.error().message};
  if (!audited->ok()) throw Violation{"audit: " + audited->first_bad->what};
  // Whatever the moment, an audit has nothing to say of git either.
  const port::RepositoryFacts facts = workspace_.facts(run::questions_of(audited->claims));
  for (const run::Finding& finding : run::audit_repository(audited->claims, facts))
    throw Violation{"audit: " + finding.what};
  const Result<run::ReplayReport> replayed = run::replay(log_, k_run);
  if (!replayed) throw Violation{"replay: " + replayed.error().message};
  if (const auto& divergence = replayed->first_divergence) {
    throw Violation{"replay diverges at " + std::to_string(divergence->seq) + ": recorded " + divergence->recorded +
                    ", recomputed " + divergence->recomputed};
  }
}

std::vector<std::string> Witness::first_parents() const {
  std::vector<std::string> commits{*workspace_.ref(k_target)};
  for (auto parents = workspace_.parents(commits.back()); !parents.empty();
       parents = workspace_.parents(commits.back())) {
    commits.push_back(parents.front());
  }
  std::reverse(commits.begin(), commits.end());
  return commits;
}

bool Witness::is_on_target(AttemptId attempt) const {
  const std::vector<std::string> commits = first_parents();
  return std::any_of(commits.begin(), commits.end(), [&](const std::string& commit) {
    return trailer(workspace_.message(commit), "Bernstein-Attempt") == to_string(attempt);
  });
}

// The target's history has every landing once, in order, with the tree that was checked; what else is there is the
// person's, or a landing whose result is still to be recorded.
void Witness::check_target() const {
  auto next = landings_.begin();
  auto persons_next = persons_commits_.begin();
  std::set<std::string> tasks;
  for (const std::string& commit : first_parents()) {
    if (persons_next != persons_commits_.end() && commit == *persons_next) ++persons_next;
    const std::string message = workspace_.message(commit);
    const std::string attempt = trailer(message, "Bernstein-Attempt");
    if (attempt.empty()) continue;
    require(tasks.insert(trailer(message, "Bernstein-Task")).second, attempt + " landed after its task had landed");
    if (next != landings_.end() && next->commit == commit) {
      require(to_string(next->attempt) == attempt, attempt + " landed as " + to_string(next->attempt));
      require(workspace_.files(commit) == workspace_.files(next->tree), attempt + " landed another tree");
      require(attempt_of(state_, next->attempt).candidate->tree == next->tree, attempt + " landed unchecked");
      ++next;
      continue;
    }
    const bool to_be_recorded =
        std::any_of(state_.open_intents.begin(), state_.open_intents.end(), [&](const auto& intent) {
          return std::holds_alternative<MergeRequested>(intent.second.body) &&
                 to_string(intent.second.subject) == attempt;
        });
    require(to_be_recorded, "the target has a merge of " + attempt + " that no event asks for or tells of");
  }
  require(next == landings_.end(), "the target lacks a landing, or has it out of order");
  require(persons_next == persons_commits_.end(), "the target lacks a commit of the person");
}

// Every tree that a WorkCaptured names is under its salvage ref.
void Witness::check_salvage() const {
  for (const auto& [attempt, work] : captured_) {
    if (work.changes.empty()) continue;
    const auto commit = workspace_.ref(work.salvage);
    require(commit == work.commit, "the salvage ref of " + to_string(attempt) + " does not name its commit");
    require(workspace_.files(*commit) == workspace_.files(work.tree),
            "the salvage ref of " + to_string(attempt) + " does not hold its tree");
  }
}

// Whatever an agent wrote is in its worktree, in the tree that was captured, or under its salvage ref.
void Witness::check_work() const {
  for (const auto& [attempt, files] : written_) {
    const std::string session = session_name(k_run, attempt);
    if (deleted_.contains(session)) continue;
    const Attempt& told = attempt_of(state_, attempt);
    const auto salvage = workspace_.ref("refs/bernstein/salvage/" + to_string(k_run) + "/" + to_string(attempt));
    FileMap kept = workspace_.worktree(session).value_or(FileMap{});
    if (is_work_kept(told) && salvage) kept = workspace_.files(*salvage);  // of a spoilt worktree there is no tree told
    if (told.work) kept = workspace_.files(told.work->tree);
    for (const auto& [path, text] : files) {
      const auto found = kept.find(path);
      require(found != kept.end() && found->second == text, path + " that " + to_string(attempt) + " wrote is lost");
    }
  }
  // And what is said to be removed is.
  for (const Task* task : tasks_and_planning(state_)) {
    for (const Attempt& attempt : task->attempts) {
      const std::string session = session_name(k_run, attempt.id);
      require(attempt.worktree || !workspace_.worktree(session),
              "the worktree of " + to_string(attempt.id) + " is said to be removed and is there");
    }
  }
}

void Witness::check_person() const {
  const FileMap checkout = workspace_.checkout();
  for (const auto& [path, text] : persons_edits_) {
    const auto found = checkout.find(path);
    require(found != checkout.end() && found->second == text, "the person's edit of " + path + " is lost");
  }
}

void Witness::check_processes() const {
  if (!state_.finished) return;
  require(reactor_.supervised().empty(), "the run has finished and a process of it runs");
}

void Witness::look_at_the_end() const {
  const RunOutcome outcome = state_.finished->outcome;
  require(
      outcome == RunOutcome::landed || outcome == RunOutcome::incomplete,
      "nothing goes wrong any more, and the run ended " + std::string(to_word(outcome)) + ": " + state_.finished->why);
  for (const auto& [id, task] : state_.tasks) {
    require(is_terminal(task.status), to_string(id) + " is " + std::string(to_word(task.status)) + " in the end");
  }
  const bool is_planners = workspace_.files(*workspace_.ref(k_target)).contains(k_planners_file);
  require(!is_planners, "what the planner wrote is on the target");
  require(!open_question(state_), "the planner was to be asked something, and the run has ended");
  require(state_.planned.empty(), "tasks were planned, and the run has ended without them");
  for (const Task* task : tasks_and_planning(state_)) {
    for (const Attempt& attempt : task->attempts) {
      if (!attempt.merge_commit.empty()) continue;
      require(!is_on_target(attempt.id), to_string(attempt.id) + " is on the target and did not land");
    }
  }
}

void Witness::agent_begins(AttemptId attempt) {
  const std::vector<Record>& records = log_.records();
  const bool is_known = std::any_of(records.begin(), records.end(), [&](const Record& record) {
    return record.type == AgentStarted::type && record.subject == to_string(attempt);
  });
  if (!is_known) complain("the agent of " + to_string(attempt) + " works and no event says that it started");
  if (!begun_.insert(attempt).second) complain("the agent of " + to_string(attempt) + " works twice");
}

void Witness::agent_writes(AttemptId attempt, const FileMap& files) {
  for (const auto& [path, text] : files) written_[attempt][path] = text;
}

}  // namespace bernstein::sim
