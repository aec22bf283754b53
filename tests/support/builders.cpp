#include "support/builders.hpp"

#include <algorithm>
#include <iterator>

#include "bernstein/base/overloaded.hpp"
#include "bernstein/base/sha256.hpp"
#include "bernstein/decide/decide.hpp"
#include "bernstein/state/invariants.hpp"

namespace bernstein::test {

TaskBuilder::TaskBuilder(std::uint32_t number) {
  spec_.id = TaskId{number};
  spec_.title = "Task " + std::to_string(number);
  spec_.description = "Do what task " + std::to_string(number) + " says.";
}

TaskBuilder& TaskBuilder::owning(std::string pattern) {
  spec_.files.push_back(std::move(pattern));
  std::sort(spec_.files.begin(), spec_.files.end());
  return *this;
}

TaskBuilder& TaskBuilder::after(std::uint32_t task) {
  spec_.depends_on.push_back(TaskId{task});
  std::sort(spec_.depends_on.begin(), spec_.depends_on.end());
  return *this;
}

TaskBuilder& TaskBuilder::after_stage(std::uint32_t stage) {
  spec_.depends_on_stages.push_back(stage);
  return *this;
}

TaskBuilder& TaskBuilder::pinned_to(std::string agent, std::string model) {
  spec_.agent = std::move(agent);
  spec_.model = std::move(model);
  return *this;
}

CheckSpec a_command(std::string name) {
  return {.command = "run " + name, .name = name, .timeout_us = k_minute, .type = CheckType::command};
}

CheckSpec a_path_check(std::string path) {
  return {.name = "path_exists " + path, .path = path, .type = CheckType::path_exists};
}

ConfigBuilder::ConfigBuilder() {
  with_arms({"mock/cheap", "mock/strong"});
}

ConfigBuilder& ConfigBuilder::with_role_slots(const std::string& role, std::uint32_t slots) {
  config_.role_slots[role] = slots;
  return *this;
}

ConfigBuilder& ConfigBuilder::with_role_policy(const std::string& role, RolePolicy policy) {
  config_.role_policy[role] = std::move(policy);
  return *this;
}

ConfigBuilder& ConfigBuilder::with_arms(std::initializer_list<std::string_view> arms) {
  config_.arms.clear();
  config_.agents.clear();
  for (std::string_view arm : arms) {
    const std::size_t slash = arm.find('/');
    const std::string agent(arm.substr(0, slash));
    const std::string tier(arm.substr(slash + 1));
    config_.arms.push_back({agent, tier + "-1", tier});
    auto known =
        std::find_if(config_.agents.begin(), config_.agents.end(), [&](const AgentSpec& a) { return a.name == agent; });
    if (known == config_.agents.end())
      known = config_.agents.insert(known, AgentSpec{.command = {agent}, .name = agent});
    known->models.push_back({.name = tier + "-1", .tier = tier});
  }
  return *this;
}

ConfigBuilder& ConfigBuilder::with_agent(AgentSpec agent) {
  config_.agents.push_back(std::move(agent));
  return *this;
}

ConfigBuilder& ConfigBuilder::with_max_parallel(const std::string& agent, std::uint32_t max) {
  for (AgentSpec& known : config_.agents) {
    if (known.name == agent) known.max_parallel = max;
  }
  return *this;
}

ConfigBuilder& ConfigBuilder::with_planner(std::string agent, std::string model) {
  config_.planner = PlannerSpec{std::move(agent), std::move(model)};
  return *this;
}

RunStarted a_start(RunConfig config) {
  return {.bernstein = "0.1.0",
          .config = std::move(config),
          .goal = "Test",
          .rules = k_rules_version,
          .seed = 1,
          .target = "refs/heads/main",
          .target_tip = "commit-0"};
}

PlanAccepted a_plan(std::vector<TaskSpec> tasks) {
  PlanAccepted plan{.name = "Test", .tasks = std::move(tasks)};
  for (const TaskSpec& task : plan.tasks) {
    std::size_t stages = task.stage + 1;
    for (std::uint32_t needed : task.depends_on_stages) stages = std::max(stages, std::size_t{needed} + 1);
    while (plan.stages.size() < stages) plan.stages.push_back({.name = "stage " + std::to_string(plan.stages.size())});
    ++plan.stages[task.stage].tasks;
  }
  return plan;
}

AgentExited an_exit(int code, std::optional<UsdMicros> cost) {
  return {.cost_source = cost ? CostSource::reported : CostSource::unknown,
          .duration_us = k_minute,
          .exit_code = code,
          .output = "output",
          .usage = {.cost_micros = cost}};
}

WorkCaptured some_work(AttemptId id, const std::vector<std::string>& paths, const std::string& base) {
  WorkCaptured work{.commit = base, .tree = "tree of " + base};
  if (paths.empty()) return work;
  for (const std::string& path : paths) work.changes.push_back({ChangeKind::modified, path});
  work.commit = "commit of " + to_string(id);
  work.salvage = "refs/bernstein/salvage/r1/" + to_string(id);
  work.tree = "tree of " + to_string(id);
  return work;
}

PlanRead an_answer(std::vector<TaskSpec> tasks) {
  PlanAccepted plan = a_plan(std::move(tasks));
  return {.answer = "answer", .name = plan.name, .source = "plan", .stages = plan.stages, .tasks = plan.tasks};
}

PlanRead some_parts(const RunState& state, std::uint32_t whole, std::uint32_t count) {
  const TaskSpec& spec = task_of(state, t(whole)).spec;
  const std::uint32_t first = static_cast<std::uint32_t>(state.tasks.size()) + 1;
  PlanRead read{.answer = "answer", .name = "Parts", .source = "parts"};
  for (std::uint32_t i = 0; i < count; ++i) {
    TaskBuilder part = a_task(first + i).in_stage(spec.stage).with_role(spec.role).with_priority(spec.priority);
    for (const std::string& pattern : spec.files) part.owning(pattern);
    for (std::uint32_t other = 0; i + 1 == count && other < i; ++other) part.after(first + other);
    read.tasks.push_back(part);
    read.tasks.back().part_of = spec.id;
  }
  return read;
}

PlanRead a_faulty_answer(std::vector<std::string> faults) {
  return {.answer = "answer", .faults = std::move(faults)};
}

World::World(RunConfig config, RunId run) : config_(std::move(config)), run_(run) {}

std::vector<Event> World::start(std::vector<TaskSpec> tasks) {
  std::vector<Event> followed = feed({about_run(), a_start(config_)});
  std::vector<Event> planned = feed({about_run(), a_plan(std::move(tasks))});
  followed.insert(followed.end(), planned.begin(), planned.end());
  return followed;
}

std::vector<Event> World::start_with_goal() {
  std::vector<Event> followed = feed({about_run(), a_start(config_)});
  std::vector<Event> asked = feed({about_run(), PlanWanted{}});
  followed.insert(followed.end(), asked.begin(), asked.end());
  return followed;
}

std::vector<Event> World::feed(Draft input, Seq cause) {
  const Event event = seal(std::move(input), cause);
  log_.push_back(event);
  Result<std::vector<Event>> followed = settle(state_, event, [&](Draft draft) {
    look(&log_.back());
    log_.push_back(seal(std::move(draft), event.seq));
    return log_.back();
  });
  std::vector<Event> events = std::move(followed).value();
  look(&log_.back());
  return events;
}

std::vector<Event> World::agent_exits(AttemptId id, int code, std::optional<UsdMicros> cost) {
  return answer<SpawnRequested>(id, an_exit(code, cost));
}

std::vector<Event> World::captured(AttemptId id, const std::vector<std::string>& paths) {
  return answer<CaptureRequested>(id, some_work(id, paths, attempt_of(state_, id).base));
}

std::vector<Event> World::candidate_built(AttemptId id) {
  const Seq seq = open<CandidateRequested>(id);
  return answer<CandidateRequested>(id, success(state_.open_intents.at(seq)));
}

std::vector<Event> World::check_fails(AttemptId id, const std::string& why) {
  return check_ends(id, CheckVerdict::failed, why);
}

std::vector<Event> World::check_ends(AttemptId id, CheckVerdict verdict, const std::string& why) {
  const Seq seq = open<CheckRequested>(id);
  BERNSTEIN_CHECK(seq != 0, "the attempt is being checked");
  const auto& request = std::get<CheckRequested>(state_.open_intents.at(seq).body);
  CheckFinished finished{.duration_us = k_second,
                         .exit_code = verdict == CheckVerdict::passed ? 0 : 1,
                         .name = request.check.name,
                         .output = "output of " + request.check.name,
                         .tree = request.tree,
                         .verdict = verdict,
                         .why = why};
  return feed({about(id), std::move(finished)}, seq);
}

std::vector<Event> World::merged(AttemptId id) {
  const Seq seq = open<MergeRequested>(id);
  BERNSTEIN_CHECK(seq != 0, "the attempt lands");
  return feed({about(id), success(state_.open_intents.at(seq))}, seq);
}

std::vector<Event> World::plans(AttemptId session, PlanRead read) {
  works(session, {});
  return answer<PlanReadRequested>(session, std::move(read));
}

std::vector<Event> World::stops(StopMode mode, const std::string& reason) {
  return feed({about_run(), StopRequested{mode, reason}});
}

std::vector<Event> World::resumes() {
  return feed({about_run(), RunResumed{.epoch = state_.epoch + 1, .target_tip = state_.target_tip}});
}

void World::works(AttemptId id, const std::vector<std::string>& paths) {
  worktree_ready(id);
  agent_exits(id);
  captured(id, paths);
}

void World::lands(AttemptId id) {
  run([&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
    if (intent.subject != about(id)) return std::nullopt;
    return success(intent);
  });
  BERNSTEIN_CHECK(task_of(state_, id.task).status == TaskStatus::landed, "it was its turn to land");
}

void World::fails(AttemptId id) {
  worktree_ready(id);
  agent_exits(id, 1);
  captured(id, {});
  removed(id);
}

void World::run(const Script& script, const Choice& choice, std::size_t inputs_max) {
  for (std::size_t inputs = 0;; ++inputs) {
    BERNSTEIN_CHECK(inputs < inputs_max, "a run ends in bounded steps");
    std::vector<std::pair<Seq, EventBody>> answers;
    for (const auto& [seq, intent] : state_.open_intents) {
      if (std::optional<EventBody> body = script(state_, intent)) answers.emplace_back(seq, *std::move(body));
      if (!choice && !answers.empty()) break;
    }
    if (answers.empty()) return;
    auto& [seq, body] = answers[choice ? choice(answers.size()) : 0];
    feed({state_.open_intents.at(seq).subject, std::move(body)}, seq);
  }
}

EventBody World::success(const OpenIntent& intent) const {
  const AttemptId id{intent.subject.task, intent.subject.attempt};
  const std::string name = to_string(id);
  const auto fail = [](const auto&) -> EventBody {
    BERNSTEIN_CHECK(false, "only intents are open");
    return WorktreeReady{};
  };
  return std::visit(
      overloaded{
          [](const WorktreeRequested&) -> EventBody { return WorktreeReady{}; },
          [](const SpawnRequested&) -> EventBody { return an_exit(); },
          [&](const CaptureRequested& e) -> EventBody {
            const std::vector<std::string>& owned = attempt_of(state_, id).owned;
            std::string path = owned.empty() ? "changed-by-" + name : owned.front();
            if (path.ends_with('/')) path += "file";
            return some_work(id, {path}, e.base);
          },
          [&](const PlanReadRequested&) -> EventBody {
            const TaskId question = *state_.planning.question;
            if (question == k_planning) return an_answer({a_task(1), a_task(2).after(1)});
            return some_parts(state_, question.number);
          },
          [&](const CandidateRequested& e) -> EventBody {
            return candidate_of(id, e.onto.empty() ? state_.target_tip : e.onto);
          },
          [&](const RevertRequested& e) -> EventBody { return some_work(id, {"undone"}, e.landed); },
          [](const ProbeRequested&) -> EventBody { return ProbeFinished{}; },
          [](const RecallRequested& e) -> EventBody { return Recalled{std::vector<Seq>(e.checks.size(), 0)}; },
          [](const CheckRequested& e) -> EventBody {
            return CheckFinished{
                .name = e.check.name, .tree = e.tree, .verdict = CheckVerdict::passed, .why = "exit 0"};
          },
          [&](const MergeRequested& e) -> EventBody {
            return MergeLanded{e.commit, e.base, {}, e.tree};
          },
          [](const CheckoutSyncRequested&) -> EventBody { return CheckoutSynced{}; },
          [](const WorktreeRemoveRequested&) -> EventBody { return WorktreeRemoved{}; },
          [](const ParkRequested& e) -> EventBody { return ParkEnded{e.credential}; },
          [](const TrialRequested& e) -> EventBody { return TrialEnded{e.credential}; },
          fail,
      },
      intent.body);
}

CandidateBuilt World::candidate_of(AttemptId id, const std::string& base) const {
  CandidateBuilt built{.base = base, .base_tree = "tree at " + base, .commit = "merge of " + to_string(id)};
  for (const Task* task : tasks_and_planning(state_)) {
    for (const Attempt& attempt : task->attempts) {
      if (attempt.candidate && attempt.candidate->commit == base) built.base_tree = attempt.candidate->tree;
    }
  }
  // The same attempt on something else is another commit.
  if (base != "commit-0") built.commit += " on " + to_hex(sha256(base)).substr(0, 8);
  built.tree = "tree of " + attempt_of(state_, id).work->commit + " on " + base;
  return built;
}

std::size_t World::working() const {
  std::size_t count = 0;
  for (const Task* task : tasks_and_planning(state_)) {
    count += static_cast<std::size_t>(
        std::count_if(task->attempts.begin(), task->attempts.end(), [](const Attempt& a) { return a.slot; }));
  }
  return count;
}

Event World::seal(Draft draft, Seq cause) {
  const auto place = static_cast<Seq>(log_.size()) + 1;
  const bool observed = is_observed(kind_of(draft.body));
  // One turn of the loop for each input: its time is the time of what follows from it.
  const Micros at_us = (log_.empty() ? 0 : log_.back().at_us) + (observed ? k_second : 0);
  return {.seq = place,
          .run = run_,
          .run_seq = place,
          .cause = cause,
          .subject = draft.subject,
          .at_us = at_us,
          .wall_us = 1'750'000'000 * k_second + at_us,
          .body = std::move(draft.body)};
}

void World::look(const Event* event) {
  if (!watches_) return;
  for (const std::string& sentence : broken_invariants(state_)) {
    broken_.push_back("after " + std::to_string(event->seq) + " " + std::string(type_of(event->body)) + " " +
                      to_string(event->subject) + ": " + sentence);
  }
}

std::vector<std::string> in_short(const std::vector<Event>& events) {
  std::vector<std::string> lines;
  std::transform(events.begin(), events.end(), std::back_inserter(lines),
                 [](const Event& event) { return std::string(type_of(event.body)) + " " + to_string(event.subject); });
  return lines;
}

}  // namespace bernstein::test
